"""Reading the configuration: one TOML file, checked as a whole, every problem in one report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from customer_service.settings.checks import problems_between
from customer_service.settings.models import Settings
from kit.settings.loading import load_whole, read_settings
from kit.settings.report import Problem


def load_settings(path: Path | str, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check a configuration file; environ: the process's own unless given.

    Raises ConfigurationError that holds every problem found.
    """
    settings, problems = read_customer_service_settings(Path(path), environ)
    return load_whole(Path(path), settings, problems)


def read_customer_service_settings(
    path: Path, environ: Mapping[str, str] | None = None
) -> tuple[Settings, list[Problem]]:
    """The settings as far as they are valid, and everything that is wrong with them."""
    return read_settings(Settings, path, problems_between, environ)
