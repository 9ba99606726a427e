"""TensorFlow: its messages, and which of its operators and functions only compute."""
