"""The functions' runtime: settings, logs and metrics, batches, custom resources."""
