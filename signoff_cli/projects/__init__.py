"""SageMaker projects whose groups are governed."""
