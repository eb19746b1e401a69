"""The pages of the broker: a view in, a complete response out."""
