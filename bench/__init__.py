"""Measurements; nothing here is a test. Figures are ratios and CPU seconds, wall time depends on the machine."""
