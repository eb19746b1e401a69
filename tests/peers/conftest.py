"""Running stacks for the tests with others' software: one on Valkey, one on Redis 7, each with a broker."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from demo.runner.configs import broker_config
from demo.runner.stack import STORE_VARIABLE, Stack, wait_for_store
from tests.demo.running import CONTRACT, running_stack

HERE = Path(__file__).resolve().parent


def command(name: str) -> str:
    """The path of a program that these tests need. Fails, and does not skip: who asked for them wants them run."""
    found = shutil.which(name)
    assert found, f"{name} is not installed; on Debian: sudo apt install nodejs npm redis-server rsyslog-openssl"
    return found


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Debian's Redis on a Unix socket, as durable as the broker wants it; its URL."""
    options = ["--port", "0", "--unixsocket", "redis.sock", "--appendonly", "yes", "--appendfsync", "everysec"]
    options += ["--maxmemory-policy", "noeviction", "--save", ""]
    with subprocess.Popen([command("redis-server"), *options], cwd=folder, stdout=subprocess.DEVNULL) as process:
        try:
            url = f"unix://{folder}/redis.sock"
            wait_for_store(url)
            yield url
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def node() -> str:
    """Node, its packages installed."""
    assert (HERE / "node_modules").is_dir(), "the packages are not installed; run: make test-peers"
    return command("node")


@pytest.fixture(scope="session")
def stack(stack_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Valkey, the mock banks and a broker, which knows its client under each profile too."""
    with running_stack(tmp_path_factory.mktemp("peers"), stack_state) as running:
        config = broker_config(*CONTRACT, running.places)
        for profile in ("fapi2", "fapi2-message-signing"):
            signed = profile == "fapi2-message-signing"
            config["clients"][profile] = config["clients"]["portal"] | {"profile": profile, "signed_userinfo": signed}
        running.start_broker(config)
        yield running


@pytest.fixture(scope="session")
def redis_stack(stack_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Redis 7, the mock banks and a broker."""
    folder = tmp_path_factory.mktemp("redis")
    with redis_server(folder) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv(STORE_VARIABLE, url)
        with running_stack(folder / "state", stack_state) as running:
            running.start_broker(broker_config(*CONTRACT, running.places))
            yield running


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    """A browser that keeps cookies and takes no proxy."""
    with requests.Session() as session:
        session.trust_env = False
        yield session
