"""What the commands share: where the configuration is, and how an error is reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

import kit.commands
from broker.settings import Settings, load_settings
from kit.commands import Command, Failed, Seconds
from providers.model import KeyFailure


def config_option(*, required: bool = True) -> Callable[[Command], Command]:
    """The option --config."""
    return kit.commands.config_option("TUNNUS_CONFIG", required=required)


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


def since_option(default: str, help: str) -> Callable[[Command], Command]:
    """The option --since, in seconds before now."""
    return click.option("--since", type=Seconds(), default=default, show_default=True, metavar="TIME", help=help)


@contextmanager
def errors_reported() -> Iterator[None]:
    """Turn an error of ours into its report and exit status 1."""
    with kit.commands.errors_reported():
        try:
            yield
        except KeyFailure as error:
            raise Failed(f"{error}; see: tunnus keys status") from error
