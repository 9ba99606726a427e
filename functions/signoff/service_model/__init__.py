"""botocore's model of SageMaker, and values checked against it, completely."""
