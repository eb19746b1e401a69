"""The configuration of customer service: its tables, what must hold between them, and how the file is read."""

from customer_service.settings.load import load_settings, read_customer_service_settings
from customer_service.settings.models import Settings

__all__ = ["Settings", "load_settings", "read_customer_service_settings"]
