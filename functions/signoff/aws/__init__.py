"""The adapters: one module for each AWS service, in terms of this domain."""
