"""A filled-in configuration of deploy/, with a database that is there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from tests.harness.deployment import Deployment
from tests.harness.postgres import PostgresServer


@pytest.fixture
def deployment(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Deployment]:
    """The database belongs to the role that the configuration names, and has its password."""
    password = secrets.token_hex(16)
    url = postgres_server.create_database()
    name = str(make_url(url).database)
    admin = create_engine(postgres_server.admin, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        role = "SELECT 1 FROM pg_roles WHERE rolname = 'registration'"
        verb = "ALTER" if connection.execute(text(role)).scalar() else "CREATE"
        connection.execute(text(f"{verb} ROLE registration LOGIN PASSWORD '{password}'"))
        connection.execute(text(f"ALTER DATABASE {name} OWNER TO registration"))
    where = url.rpartition("@")[2]
    words = ("STORE_PASSWORD", "DATABASE_PASSWORD", "CUSTOMER_REGISTER_TOKEN", "MAIL_PASSWORD")
    yield Deployment(tmp_path, dict.fromkeys(words, "word") | {"DATABASE_PASSWORD": password}, {"DATABASE": where})
    postgres_server.drop(url)
