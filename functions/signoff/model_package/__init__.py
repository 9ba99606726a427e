"""SageMaker's documents of packages and models, and the rules that only the API knows."""
