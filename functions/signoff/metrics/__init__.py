"""What was measured of a model: reads it from documents, and compares it with another model's."""
