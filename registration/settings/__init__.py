"""The configuration of registration: its tables, what must hold between them, and how the file is read."""

from registration.settings.load import load_settings
from registration.settings.models import Settings

__all__ = ["Settings", "load_settings"]
