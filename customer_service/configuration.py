"""The configuration with every file it names: what `check` and `serve` refuse, in one report."""

from __future__ import annotations

from pathlib import Path

from customer_service.keys import Keys
from customer_service.pages.rendering import FOLDER
from customer_service.settings import Settings, read_customer_service_settings
from kit.pages.look import look_readers
from kit.settings.loading import load_whole


def load_everything(path: Path) -> Settings:
    """The settings, every file read. Raises ConfigurationError with every problem."""
    settings, problems = read_customer_service_settings(path)

    def read_keys() -> object:
        return settings.keys.dir and Keys(settings.keys.dir)

    return load_whole(path, settings, problems, read_keys, *look_readers(FOLDER, settings.brand, settings.texts))
