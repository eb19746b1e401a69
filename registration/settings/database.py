"""The table `database`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from kit.settings.report import refusal
from kit.settings.types import Line, Section, resolve

_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "sqlite3": "sqlite"}
"""Other words for what we run on, to ours."""
_FILES_OF_POSTGRES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")


def _database_url(value: str, info: ValidationInfo) -> str:
    """A database's URL; a relative path in it counts from the configuration file."""
    allowed = "sqlite:///path, postgresql+psycopg://user:password@host/name"
    try:
        url = make_url(value)
        name = url.drivername if url.database not in {None, "", ":memory:"} else ""
    except (ArgumentError, ValueError):
        raise refusal("is no database we run on", allowed=allowed, mend="mend url") from None
    if name in _DRIVERS:
        raise refusal("is no database we run on", allowed=allowed, mend=f"begin it with {_DRIVERS[name]}://")
    if name not in {"sqlite", "postgresql+psycopg"}:
        raise refusal("is no database we run on", allowed=allowed, mend="mend url")
    if name == "sqlite":
        if str(url.database).startswith("file:"):
            raise refusal("is a URI within a URL", allowed="sqlite:///path", mend="write the path alone")
        try:
            url.get_dialect()().create_connect_args(url)
        except (ArgumentError, ValueError):
            mend = "write sqlite:/// and the path, which gives four slashes to one that is whole"
            raise refusal("is no file of SQLite's", allowed="sqlite:///path", mend=mend) from None
        url = url.set(database=str(resolve(Path(str(url.database)), info)))
    else:
        files = {key: file for key, file in url.query.items() if key in _FILES_OF_POSTGRES and file != "system"}
        url = url.update_query_dict({key: str(resolve(Path(str(file)), info)) for key, file in files.items()})
    return url.render_as_string(hide_password=False)


DatabaseUrl = Annotated[Line, AfterValidator(_database_url)]


class DatabaseSettings(Section):
    """url: SQLAlchemy's, `sqlite:///path` or `postgresql+psycopg://user:password@host/name`."""

    url: DatabaseUrl
    pool_size: Annotated[int, Field(ge=1, le=200)] = 16
