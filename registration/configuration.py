"""The configuration with every file it names: what `tunnus-registration check` and `serve` refuse, in one report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kit.pages.look import look_readers
from kit.settings.loading import load_whole
from registration.flow.terms import Terms
from registration.keys import load_keys
from registration.pages.rendering import FOLDER
from registration.settings import Settings, read_registration_settings


def load_everything(path: Path, *further: Callable[[Settings], object]) -> Settings:
    """The settings, every file read. further: what else is looked at. Raises ConfigurationError with every problem."""
    settings, problems = read_registration_settings(path)

    def read_terms() -> object:
        terms = settings.terms
        return terms.dir and terms.version and Terms(terms.dir, terms.version, settings.languages.codes)

    def read_keys() -> object:
        return settings.keys.dir and load_keys(settings.keys.dir)

    looks = look_readers(FOLDER, settings.brand, settings.texts)
    others = [lambda look=look: look(settings) for look in further]
    return load_whole(path, settings, problems, read_terms, read_keys, *looks, *others)
