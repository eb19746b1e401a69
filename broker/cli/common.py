"""What the commands share: where the configuration is, and how an error is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from broker.settings import Settings, load_settings
from broker.settings_report import ConfigurationError
from providers.model import KeyFailure

Command = TypeVar("Command", bound=Callable[..., Any])

WRONG = 1
"""Exit status: something is wrong, and was said."""


def config_option(*, required: bool = True) -> Callable[[Command], Command]:
    """The option --config, or its environment variable."""
    return click.option(
        "-c",
        "--config",
        "config",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="TUNNUS_CONFIG",
        show_envvar=True,
        required=required,
        help="The configuration file.",
    )


def folder_option(name: str, help: str) -> Callable[[Command], Command]:
    """An option for a folder, instead of the configuration's."""
    return click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), help=help, metavar=name)


def folder_of(folder: Path | None, config: Path | None, choose: Callable[[Settings], Path]) -> Path:
    """The folder that --dir names, or the one of the configuration."""
    if folder is not None:
        return folder
    if config is None:
        raise click.UsageError("name the folder with --dir, or the configuration with --config")
    return choose(load_settings(config))


@contextmanager
def told() -> Iterator[None]:
    """Turn an error of ours into its report and exit status 1, without a traceback."""
    try:
        yield
    except ConfigurationError as error:
        raise _Told(error.report()) from error
    except KeyFailure as error:
        raise _Told(f"{error}; see: tunnus keys list") from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise _Told(f"{where}{error.strerror or error}") from error


class _Told(click.ClickException):
    exit_code = WRONG

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)
