"""SageMaker projects and Service Catalog on the engine."""
