"""The errand: from the kind of customer to "done"."""
