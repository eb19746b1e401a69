"""Starts the parts as processes on one machine, and proves that they work."""
