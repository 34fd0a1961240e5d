"""The line as infrastructure: what is kept (storage) and what runs (pipeline)."""
