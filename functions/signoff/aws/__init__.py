"""The adapters: one AWS service a module, each in the words of this domain."""
