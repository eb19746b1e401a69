"""The command's first level: what it says of a database, a port or terms that cannot be used, and its help."""

from __future__ import annotations

import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner, Result
from sqlalchemy import text

from registration.cli import main
from registration.database import migrate
from registration.database.connection import Database
from tests.harness.registration_rights import ROOT, config

WHY = ["--operator", "maija", "--reason", "asked"]
SECONDS = 30


class Place:
    """A folder with a configuration, which a test may change, and the commands that use it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.file = folder / "registration.toml"
        self.values = config(folder, url)
        shutil.copytree(ROOT / "config" / "terms", folder / "terms")
        self.write(terms={**self.values["terms"], "dir": str(folder / "terms")})

    def write(self, **values: Any) -> None:
        """Write the configuration, some of its keys anew."""
        self.values |= values
        self.file.write_text(tomli_w.dumps(self.values))

    def run(self, *arguments: str, input: str | None = None) -> Result:
        """The outcome of a command."""
        return CliRunner().invoke(main, [*arguments, "--config", str(self.file)], input=input)

    def refused(self, *arguments: str) -> str:
        """The error of a command that must be refused in words of ours."""
        result = self.run(*arguments)
        assert result.exit_code == 1, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.stderr

    def served(self) -> str:
        """The error of `serve`, as a process of its own, which must end by itself."""
        command = [sys.executable, "-m", "registration", "serve", "--config", str(self.file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture
def place(tmp_path: Path, sqlite_url: str) -> Place:
    return Place(tmp_path, sqlite_url)


@pytest.fixture
def file(sqlite_url: str) -> Path:
    """The file of sqlite_url."""
    return Path(sqlite_url.removeprefix("sqlite:///"))


COMMANDS = [
    ("check",),
    ("list", *WHY),
    ("export", "aino", *WHY),
    ("send-mail", "--once"),
    ("migrate", "--down-to", "base"),
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
def test_a_database_that_is_not_there_is_not_made(place: Place, file: Path, arguments: tuple[str, ...]) -> None:
    said = place.refused(*arguments)
    assert f"{file} does not exist" in said
    assert f"mend: tunnus-registration migrate --config {place.file}" in said
    assert not file.exists()


def test_serve_does_not_make_a_database_either(place: Place, file: Path) -> None:
    assert f"{file} does not exist" in place.served()
    assert not file.exists()


def test_migrate_makes_the_database_for_its_owner_alone(place: Place, file: Path) -> None:
    assert place.run("migrate").output == "the schema is current\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert place.run("check").output == "all is well\n"


def test_a_folder_that_is_not_there_is_told(place: Place, tmp_path: Path) -> None:
    place.write(database={"url": f"sqlite:///{tmp_path}/no/such.sqlite"})
    assert "no/such.sqlite: No such file or directory" in place.refused("migrate")


@pytest.mark.parametrize("arguments", [("check",), ("list", *WHY)], ids=["check", "list"])
def test_a_database_without_tables_names_migrate(place: Place, file: Path, arguments: tuple[str, ...]) -> None:
    file.touch()
    said = place.refused(*arguments)
    assert "has not the schema of this version" in said
    assert f"migrate --config {place.file}" in said


@pytest.mark.parametrize("arguments", [("check",), ("list", *WHY), ("migrate",)], ids=["check", "list", "migrate"])
def test_a_file_that_is_no_database_is_told(place: Place, file: Path, arguments: tuple[str, ...]) -> None:
    file.write_bytes(b"this is a letter to somebody" * 100)
    said = place.refused(*arguments)
    assert f"{file} is not a database" in said
    assert "letter" not in said


def test_a_file_that_cannot_be_opened_is_told(place: Place, file: Path) -> None:
    file.mkdir()
    assert f"{file} cannot be opened" in place.refused("list", *WHY)


@pytest.mark.parametrize("arguments", [("check",), ("list", *WHY), ("migrate",)], ids=["check", "list", "migrate"])
def test_a_database_server_that_is_away_is_named_without_its_password(place: Place, arguments: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    place.write(database={"url": f"postgresql+psycopg://registration:geheim@127.0.0.1:{port}/people"})
    said = place.refused(*arguments)
    assert said.startswith(f"{place.file}: 1 problem\n\n  database.url\n")
    assert f'127.0.0.1:{port}, database "people", cannot be connected to: ' in said
    assert "geheim" not in said


def test_words_of_the_driver_that_hold_the_password_are_shown_without_it(place: Place) -> None:
    place.write(database={"url": "postgresql+psycopg://x:geheim@127.0.0.1:9/people?geheim=1"})
    said = place.refused("list", *WHY)
    assert "(hidden)" in said
    assert "geheim" not in said


def of_a_newer_version(url: str) -> None:
    database = Database(url)
    migrate.upgrade(database)
    with database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()


@pytest.mark.parametrize("arguments", [("check",), ("migrate",), ("migrate", "--down-to", "base")], ids=" ".join)
def test_a_database_of_a_newer_version_is_left_alone(
    tmp_path: Path, database_url: str, arguments: tuple[str, ...]
) -> None:
    place = Place(tmp_path, database_url)
    of_a_newer_version(database_url)
    result = place.run(*arguments, input="y\n")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "is of a newer version of registration" in result.stderr
    assert "tunnus-registration migrate" not in result.stderr


def test_there_is_no_going_back_to_a_schema_that_never_was(place: Place) -> None:
    place.run("migrate")
    said = place.refused("migrate", "--down-to", "nonsense")
    assert said == f"there is no schema of that name to go back to; there are: {', '.join(migrate.revisions())}\n"
    assert place.run("check").exit_code == 0


def test_the_schema_goes_back_after_a_question(place: Place) -> None:
    place.run("migrate")
    assert place.run("migrate", "--down-to", "base", input="n\n").exit_code == 1
    assert place.run("check").exit_code == 0
    assert place.run("migrate", "--down-to", "base", input="y\n").output.endswith("the schema is at base\n")
    assert "has not the schema" in place.refused("check")


def test_terms_that_are_not_utf_8_are_named(place: Place, tmp_path: Path) -> None:
    terms = tmp_path / "terms" / "2026-11-01" / "fi.md"
    terms.write_bytes("Käyttöehdot".encode("latin-1"))
    said = place.refused("check")
    assert str(terms) in said
    assert "is not UTF-8" in said


def test_keys_that_are_open_to_others_stop_check(place: Place, tmp_path: Path) -> None:
    place.run("migrate")
    (tmp_path / "keys").chmod(0o755)
    assert f"chmod 700 {tmp_path / 'keys'}" in place.refused("check")


def test_whatever_check_and_serve_refuse_stands_in_one_report(place: Place, tmp_path: Path) -> None:
    (tmp_path / "keys").chmod(0o755)
    place.write(server={"port": "many"}, terms={"dir": "nowhere", "version": "1"})
    place.values["brand"] = {**place.values["brand"], "accessibility": "statement"}
    place.write()
    for said in (place.refused("check"), place.served()):
        for what in ("server.port", "terms.version", "brand.accessibility", "chmod 700"):
            assert what in said
    assert "database.url" in place.refused("check")


def test_a_taken_port_is_named(place: Place) -> None:
    place.run("migrate")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        place.write(server={"port": port})
        said = place.served()
    assert said.startswith(f"{place.file}: 1 problem\n\n  server.port = {port}\n")
    assert f"127.0.0.1:{port} is taken" in said


@pytest.mark.parametrize("host", ["256.1.1.1", "192.0.2.1"])
def test_a_host_that_is_not_of_this_machine_is_named(place: Place, host: str) -> None:
    place.run("migrate")
    place.write(server={"host": host})
    said = place.served()
    assert said.startswith(f'{place.file}: 1 problem\n\n  server.host = "{host}"\n')
    assert f"{host}:8001 is no address of this machine" in said


def commands(group: Any, *path: str) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = [(path, group)]
    for name, command in getattr(group, "commands", {}).items():
        found += commands(command, *path, name)
    return found


EVERY: list[tuple[tuple[str, ...], Any]] = commands(main)


def help_of(path: tuple[str, ...], width: int) -> str:
    return CliRunner().invoke(main, [*path, "--help"], terminal_width=width).output


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("path", [path for path, _ in EVERY], ids=lambda path: " ".join(path) or "main")
def test_the_help_breaks_no_name_of_a_command(path: tuple[str, ...], width: int) -> None:
    lines = [line.rstrip() for line in help_of(path, width).splitlines()]
    assert not [line for line in lines if line.endswith(("tunnus-", "send-", "-"))]


@pytest.mark.parametrize("path", [path for path, command in EVERY if hasattr(command, "commands")])
def test_every_command_has_its_summary_whole_at_80_columns(path: tuple[str, ...]) -> None:
    listed = help_of(path, 80).split("Commands:")[1].split("\n\n")[0]
    assert "..." not in listed


@pytest.mark.parametrize("path", [path for path, _ in EVERY], ids=lambda path: " ".join(path) or "main")
def test_every_help_has_an_example(path: tuple[str, ...]) -> None:
    assert f"  tunnus-registration {' '.join(path)}" in help_of(path, 80)


def mentions(path: str) -> Callable[[str], bool]:
    said = help_of(tuple(path.split()), 100)
    return lambda word: any(word in line for line in said.splitlines() if line.startswith("    "))


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("forget", "--sub "),
        ("forget", "--account "),
        ("export", "--sub "),
        ("revoke", "--customer-number "),
        ("relink", "--code "),
        ("migrate", "--down-to "),
    ],
)
def test_an_option_that_is_hard_to_guess_has_an_example(path: str, word: str) -> None:
    assert mentions(path)(word)


def test_who_relinks_is_told_where_the_code_is_read(place: Place) -> None:
    said = " ".join(help_of(("relink",), 100).split())
    assert "Has your personal identity code changed?" in said
