"""Model formats, each scanned as a stream."""
