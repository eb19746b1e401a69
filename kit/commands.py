"""What the commands of every service share: where the configuration is, and how an error is reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from kit.settings.report import ConfigurationError

Command = TypeVar("Command", bound=Callable[..., Any])

WRONG = 1
"""Exit status: something is wrong, and was said."""


class Failed(click.ClickException):
    """An error that is reported in its own words, without a prefix or a traceback."""

    exit_code = WRONG

    def show(self, file: Any = None) -> None:
        """Write it to standard error."""
        click.echo(self.message, err=True)


def config_option(variable: str, *, required: bool = True) -> Callable[[Command], Command]:
    """The option --config; variable: the environment variable that stands for it."""
    return click.option(
        "-c",
        "--config",
        "config",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar=variable,
        show_envvar=True,
        required=required,
        help="The configuration file.",
    )


@contextmanager
def errors_reported() -> Iterator[None]:
    """Turn an error of ours into its report and exit status 1."""
    try:
        yield
    except ConfigurationError as error:
        raise Failed(error.report()) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise Failed(f"{where}{error.strerror or error}") from error
