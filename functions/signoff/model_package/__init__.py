"""SageMaker's package and model documents, and the API's rules that its service model does not state."""
