"""What every folder of tests may use: a real Valkey, a real PostgreSQL, and keys made once."""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from joserfc._rfc7518.rsa_key import RSABinding
from werkzeug.routing import Rule

from broker.keys import generate_keys
from mock_idp.protocol.issuers import all_issuers
from mock_idp.protocol.keys import KeyStore
from registration.database.connection import Database
from tests.harness.postgres import PostgresServer, start_postgres
from tests.harness.redis_cluster import Cluster
from tests.harness.sentinels import Sentinels
from tests.harness.valkey import Valkey

# Of jsonschema's, where the packages of requirements/lint.txt are: a grammar that takes a second to be read, for the
# format `iri`, which no description of ours has.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
ROOM_IN_MEMORY = 2**30
"""Bytes that must be free there."""


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """A process of many tells of a test in two messages, not in six: each costs a quarter of a millisecond.

    That its set-up and its end passed is left out, which only lists of durations and reports in XML name.
    """
    options = item.config.option
    if not hasattr(item.config, "workerinput") or options.durations is not None or options.xmlpath:
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    return True


@pytest.fixture(scope="session")
def store_server() -> Iterator[Valkey | Cluster | Sentinels]:
    """The store of this test session, as durable as the broker wants it: of the kind that TUNNUS_TEST_STORE names."""
    kinds: dict[str, Callable[[], Valkey | Cluster | Sentinels]] = {
        "": Valkey,
        "cluster": lambda: Cluster(replicas=1, durable=1),
        "sentinel": lambda: Sentinels(durable=1),
    }
    made = kinds[os.environ.get("TUNNUS_TEST_STORE", "")]()
    made.start()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def valkey_url(store_server: Valkey) -> str:
    """Where it listens, being one server."""
    return store_server.url


@pytest.fixture(autouse=True)
def _store_that_runs(request: pytest.FixtureRequest) -> None:
    if "store_server" in request.fixturenames and isinstance(store := request.getfixturevalue("store_server"), Valkey):
        store.revive()


@pytest.fixture(scope="session", autouse=True)
def databases_are_closed() -> Iterator[None]:
    """A database that a test leaves behind is closed with it: else another test is told of its connections."""
    make = Database.__init__

    def made(self: Database, url: str, pool_size: int = 16) -> None:
        make(self, url, pool_size)
        weakref.finalize(self, self.engine.dispose)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "__init__", made)
        yield


@pytest.fixture(scope="session", autouse=True)
def private_keys_are_proved_once() -> Iterator[None]:
    """A hundred applications read the same few key files, and to prove a private RSA key sound takes 30 ms."""
    prove = RSABinding.import_private_key
    proved: dict[str, RSAPrivateKey] = {}

    def proved_once(jwk: Any) -> RSAPrivateKey:
        name = json.dumps(jwk, sort_keys=True)
        if name not in proved:
            proved[name] = prove(jwk)
        return proved[name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RSABinding, "import_private_key", proved_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def rules_and_templates_are_compiled_once() -> Iterator[None]:
    """A thousand applications have the same few rules and templates."""
    compile_rule = Rule._compile_builder
    codes: dict[tuple[str, str], Any] = {}
    builders: dict[str, Any] = {}

    def compiled_once(self: Rule, append_unknown: bool = True) -> Any:
        name = repr((self.rule, self._trace, self.defaults, append_unknown))
        if name not in builders:
            builders[name] = compile_rule(self, append_unknown)
        return builders[name]

    class Codes(BytecodeCache):
        def load_bytecode(self, bucket: Bucket) -> None:
            bucket.code = codes.get((bucket.key, bucket.checksum))

        def dump_bytecode(self, bucket: Bucket) -> None:
            codes[bucket.key, bucket.checksum] = bucket.code

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", compiled_once)
        patch.setattr(Flask, "jinja_options", {"bytecode_cache": Codes()})
        yield


@pytest.fixture(scope="session")
def broker_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole set of the broker's keys."""
    folder = tmp_path_factory.mktemp("keys") / "keys"
    generate_keys(folder, int(time.time()) - 3600, entity_bits=2048)
    return folder


@pytest.fixture(scope="session")
def bank_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the keys of every mock bank, made once for all processes of a run. Read only: copy it."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "bank-keys"
    keys = KeyStore(folder)
    for issuer in all_issuers():
        keys.of(issuer)
    return folder


@pytest.fixture(scope="session")
def stack_state(broker_keys: Path, bank_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with nothing in it but the broker's keys and the mock banks'. Read only: copy it."""
    folder = tmp_path_factory.mktemp("stack-state")
    shutil.copytree(broker_keys, folder / "keys")
    shutil.copytree(bank_keys, folder / "mock")
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


@pytest.fixture(scope="session")
def folder_in_memory() -> Iterator[Path]:
    """A folder in memory, where there is room: SQLite syncs each transaction, and on a disk it would be waited for."""
    memory = Path("/dev/shm")
    room = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM_IN_MEMORY
    with tempfile.TemporaryDirectory(prefix="tunnus-tests-", dir=memory if room else None) as folder:
        yield Path(folder)


@pytest.fixture
def sqlite_url(folder_in_memory: Path) -> str:
    """An SQLite file of this test's own, not made yet."""
    return f"sqlite:///{tempfile.mkdtemp(dir=folder_in_memory)}/tunnus.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of this test's own; the test runs once on each kind."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))
