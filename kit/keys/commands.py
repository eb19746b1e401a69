"""The commands `keys …`, the same for every service that has a folder of keys."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from kit.commands import WRONG, Command, Failed, Seconds, config_option, errors_reported
from kit.keys.checks import moment
from kit.keys.files import was_used, write_private
from kit.keys.folder import read_folder
from kit.keys.rotation import Rotation, public_set
from kit.keys.timetable import AT_ONCE, Purpose
from kit.keys.watch import last_of_each, missing, replaced_by, status_of

Configured = tuple[Path, Mapping[str, int], Mapping[str, Purpose]]
"""What a configuration says of keys: the folder, days by purpose (`rotate_every`), the purposes with their token."""


@dataclass(frozen=True)
class KeyCommands:
    """What a service's commands work on. name: of the group. configured: from a configuration file, if it has one."""

    name: str
    purposes: Mapping[str, Purpose]
    rotation: Callable[[Path, Mapping[str, Purpose]], Rotation]
    configured: Callable[[Path], Configured] | None = None
    variable: str = ""
    errors: Callable[[], AbstractContextManager[None]] = errors_reported
    clock: Callable[[], float] = field(default=time.time)

    def now(self) -> int:
        """Seconds since the epoch."""
        return int(self.clock())

    def options(self, command: Command) -> Command:
        """The options that name the folder."""
        if self.configured is not None:
            command = config_option(self.variable, required=False)(command)
        kind = click.Path(path_type=Path, file_okay=False)
        help = "The folder of keys" + ("; the configuration's keys.dir unless given." if self.configured else ".")
        return click.option("--dir", "folder", type=kind, help=help, required=self.configured is None)(command)

    def command(self, name: str, short_help: str, example: str = "") -> Callable[[Command], click.Command]:
        """A command of the group; example: the arguments of one."""
        where = "--config FILE" if self.configured else "--dir FOLDER"
        example = " ".join(filter(None, (self.name, name, example, where)))
        return click.command(name, short_help=short_help, epilog=f"\b\nExample:\n  {example}")

    def places(self, folder: Path | None, config: Path | None) -> Configured:
        """The folder that --dir names, or the configuration's, and its rotate_every."""
        if self.configured is None or config is None:
            if folder is None:
                raise click.UsageError("name the folder with --dir, or the configuration with --config")
            return folder, {}, self.purposes
        configured, every, purposes = self.configured(config)
        return folder or configured, every, purposes

    def add_to(self, group: click.Group) -> None:
        """Give a group all of the commands."""
        for made in (_init, _rotate, _retire, _postpone, _status, _show):
            group.add_command(made(self))


def _init(keys: KeyCommands) -> click.Command:
    @keys.command("init", "Make the keys that are missing.")
    @click.option("--without-backup", is_flag=True, help="Make anew, too, what is never replaced and was lost.")
    @keys.options
    def init(without_backup: bool, folder: Path | None, config: Path | None = None) -> None:
        """Make a key of every purpose that has none; a purpose that has one is left as it is.

        In a new folder they are in use at once. In one that had keys, those that were lost are in use within a minute,
        and what others must be told is said. Back the folder up.
        """
        with keys.errors():
            where, _, purposes = keys.places(folder, config)
            lost = was_used(where) or (where.is_dir() and any(where.glob("*-*.json")))
            made = keys.rotation(where, purposes).init(keys.now(), without_backup=without_backup)
            read_folder(where, purposes)
        for path in made:
            click.echo(f"made {path}")
        if not made:
            click.echo(f"{where}: every purpose has a key already; nothing was made")
        _say_what_people_do(keys, made, lost=lost)

    return init


def _rotate(keys: KeyCommands) -> click.Command:
    @keys.command("rotate", "Replace keys: by name, all, or those that are due.", "--due")
    @click.argument(
        "purpose", nargs=-1, type=click.Choice([n for n, p in keys.purposes.items() if p.rotates]), metavar="PURPOSE"
    )
    @click.option("--all", "everything", is_flag=True, help="Every purpose whose rotation needs nobody else's hands.")
    @click.option("--due", is_flag=True, help="What keys.rotate_every says is due; then remove keys that are gone.")
    @click.option("--emergency", is_flag=True, help="The keys are in other hands: withdraw them within a minute.")
    @keys.options
    def rotate(
        purpose: tuple[str, ...],
        everything: bool,
        due: bool,
        emergency: bool,
        folder: Path | None,
        config: Path | None = None,
    ) -> None:
        """Make the next key of each PURPOSE, and give the one in use its end; the clock does the rest.

        Nothing is made for a purpose whose next key is in its warm-up already, so a second call does no harm, not even
        at the same time. With --due for cron: silent if nothing was due.

        \b
        Exit status: 0 done, or nothing was due; 1 something is wrong, and was said; 2 the command was given wrongly.

        With --emergency logins under way may fail once; --all then means every key that can be replaced.
        """
        if [bool(purpose), everything, due].count(True) != 1 or (due and emergency):
            raise click.UsageError("name purposes, or --all, or --due; --emergency goes with the first two")
        with keys.errors():
            where, every, purposes = keys.places(folder, config)
            rotation, now = keys.rotation(where, purposes), keys.now()
            names: Iterable[str] = purpose
            if everything:
                names = [n for n, p in keys.purposes.items() if p.rotates and (emergency or p.by_hand is None)]
            if due:
                names = rotation.due(every, now)
            made = rotation.rotate(list(names), now, emergency=emergency)
            removed = rotation.retire(now) if due else []
            read_folder(where, purposes)
        for path in made:
            click.echo(f"made {path}")
        for path in removed:
            click.echo(f"removed {path}")
        if not made and not due:
            click.echo("nothing was made: the next key is in its warm-up already")
        _say_what_people_do(keys, made, lost=emergency)

    return rotate


def _retire(keys: KeyCommands) -> click.Command:
    @keys.command("retire", "Remove the files of keys that are gone.")
    @keys.options
    def retire(folder: Path | None, config: Path | None = None) -> None:
        """Remove the files of keys that are gone: nothing is verified or opened by them any more.

        Whoever finds such a file could still open what was recorded. A key that does something stays.
        """
        with keys.errors():
            where, _, purposes = keys.places(folder, config)
            removed = keys.rotation(where, purposes).retire(keys.now())
        click.echo("\n".join(f"removed {path}" for path in removed) or "no key is gone")

    return retire


def _postpone(keys: KeyCommands) -> click.Command:
    @keys.command("postpone", "Lengthen the warm-up of the next key.", f"{next(iter(keys.purposes))} --by 14d")
    @click.argument("purpose", type=click.Choice([n for n, p in keys.purposes.items() if p.rotates]), metavar="PURPOSE")
    @click.option("--by", type=Seconds(), metavar="TIME", required=True, help="As 12h or 14d.")
    @keys.options
    def postpone(purpose: str, by: int, folder: Path | None, config: Path | None = None) -> None:
        """Put off the first use of the next key of a PURPOSE, and the end of the one in use: someone is not ready."""
        with keys.errors():
            where, _, purposes = keys.places(folder, config)
            if not keys.rotation(where, purposes).postpone(purpose, by, keys.now()):
                raise Failed(f"no {purpose} key is in its warm-up; see: {keys.name} status")
        click.echo(f"{purpose}: put off by {by} s")

    return postpone


def _status(keys: KeyCommands) -> click.Command:
    @keys.command("status", "Every key, its phase, and what happens next.")
    @keys.options
    def status(folder: Path | None, config: Path | None = None) -> None:
        """List every key: purpose, algorithm, phase, whether it is published, its kid; below it what is next, and when.

        \b
        Phases: warm-up, in use, cooldown, tail, gone. The clock alone decides. Times are UTC.
        Exit status: 1 if a purpose has no key in use.
        """
        with keys.errors():
            where, every, purposes = keys.places(folder, config)
            held = read_folder(where, purposes).keys
        now = keys.now()
        found = [status_of(key, now) for key in held]
        last = last_of_each(found, now)
        for key in found:
            shown = "published" if key.published else "-"
            click.echo(f"{key.purpose:13} {key.alg:9} {key.phase:8} {shown:10} {key.kid}")
            if key.change is not None:
                click.echo(f"    {moment(key.change[0])}  {key.change[1]}")
            purpose = keys.purposes[key.purpose]
            by = replaced_by(key, every.get(key.purpose)) if key in last else None
            if by is not None:
                click.echo(f"    {moment(by - purpose.warm_up - purpose.lead)}  its successor is due")
            elif key.change is None:
                click.echo("    no end" + ("" if purpose.rotates else ": it is never replaced"))
        without = missing(found, keys.purposes)
        for kind in without:
            click.echo(f"{kind}: no key is in use", err=True)
        if without:
            raise SystemExit(WRONG)

    return status


def _show(keys: KeyCommands) -> click.Command:
    public = [name for name, purpose in keys.purposes.items() if purpose.role != "secret"]
    usual = [name for name in public if keys.purposes[name].needed] or public
    only: dict[str, Any] = {"default": usual[0]} if len(usual) == 1 else {}

    @keys.command("show-public", "Print public keys as a JWKS.", public[0])
    @click.argument("purpose", type=click.Choice(public), metavar="PURPOSE", **only)
    @click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it there, whole or not at all.")
    @keys.options
    def show_public(purpose: str, out: Path | None, folder: Path | None, config: Path | None = None) -> None:
        """Print the public keys of a PURPOSE as a JWKS, as they are published now. No private part is ever shown."""
        with keys.errors():
            where, _, purposes = keys.places(folder, config)
            text = json.dumps({"keys": public_set(where, purposes, purpose, keys.now())}, indent=2)
            if out is not None:
                write_private(out, text + "\n", mode=0o644)
        if out is None:
            click.echo(text)

    return show_public


def _say_what_people_do(keys: KeyCommands, made: Iterable[Path], *, lost: bool) -> None:
    """Tell of new keys that others are given by hand. lost: there is no old key to go on with meanwhile."""
    files = [path.name for path in made]
    for name, purpose in keys.purposes.items():
        if purpose.by_hand and any(file.startswith(f"{name}-") for file in files):
            until = "now, nobody gets through before" if lost else f"before its first use: {keys.name} status says when"
            click.echo(f"{name}: {purpose.by_hand}; {until}")
    if lost and files:
        click.echo(f"the new keys are in use in {AT_ONCE} s, wherever the folder is the same; back it up")
