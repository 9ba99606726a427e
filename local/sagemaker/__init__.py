"""SageMaker's registry and models on the engine."""
