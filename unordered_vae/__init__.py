"""The seed paper's model."""
