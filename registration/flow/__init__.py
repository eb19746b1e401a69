"""Registering, step by step: from the kind of customer to "done"."""
