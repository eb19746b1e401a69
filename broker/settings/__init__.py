"""The configuration of the broker: its tables, what must hold between them, and what is pinned of each bank."""

from broker.settings.settings import Settings, load_settings
from kit.settings.report import ConfigurationError, Problem

__all__ = ["ConfigurationError", "Problem", "Settings", "load_settings"]
