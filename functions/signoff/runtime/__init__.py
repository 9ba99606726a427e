"""What a function needs to run: settings, logs and metrics, batches, custom resources."""
