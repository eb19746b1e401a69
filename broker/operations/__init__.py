"""What operators look at: the second port, metrics, and whether each part can work."""
