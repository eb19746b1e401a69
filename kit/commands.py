"""What the commands of every service share: the configuration, a length of time, and how an error is reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeVar

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


class Seconds(click.ParamType[int]):
    """A length of time as people write it: 90s, 30m, 1h, 2d. In seconds."""

    name = "time"
    _UNITS: ClassVar = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """See the class."""
        if isinstance(value, int):
            return value
        number, unit = str(value)[:-1], str(value)[-1:]
        if not (number.isascii() and number.isdecimal() and len(number) <= 6 and unit in self._UNITS):
            self.fail(f"{value!r} is no time: write a number and its unit, as 90s, 30m, 1h or 2d", param, ctx)
        return int(number) * self._UNITS[unit]


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
