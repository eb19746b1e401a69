"""The configuration of customer service: its tables, what must hold between them, and how the file is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from customer_service.settings.checks import problems_between
from customer_service.settings.models import Settings
from kit.settings.loading import load_whole, read_settings
from kit.settings.report import Problem

__all__ = ["Settings", "load_settings", "read_customer_service_settings"]


def load_settings(path: Path | str, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check a configuration file; environ: the process's own unless given.

    Raises ConfigurationError that holds every problem found.
    """
    return load_whole(Path(path), *read_customer_service_settings(Path(path), environ))


def read_customer_service_settings(
    path: Path, environ: Mapping[str, str] | None = None
) -> tuple[Settings, list[Problem]]:
    """The settings as far as they are valid, and everything that is wrong with them."""
    return read_settings(Settings, path, problems_between, environ)
