"""Reading the configuration: one TOML file, checked as a whole, every problem in one report."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from kit.settings.file import read_toml, substitute
from kit.settings.report import ConfigurationError, Problem, problems_of
from registration.settings.checks import problems_between
from registration.settings.models import Settings


def load_settings(path: Path | str, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check a configuration file; environ: the process's own unless given.

    Raises ConfigurationError that holds every problem found.
    """
    path = Path(path)
    problems: list[Problem] = []
    data = substitute(read_toml(path), os.environ if environ is None else environ, problems)
    broken = {problem.key for problem in problems}
    try:
        settings = Settings.model_validate(data, context={"base": path.parent.resolve()})
    except ValidationError as error:
        problems += [problem for problem in problems_of(error) if problem.key not in broken]
        raise ConfigurationError(path, problems) from error
    problems += problems_between(settings)
    if problems:
        raise ConfigurationError(path, problems)
    return settings
