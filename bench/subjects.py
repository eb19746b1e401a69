"""What is measured, as processes on one machine: the broker, the floor, npm oidc-provider; one store, one bank for all.

The broker has everything on: audit trail, sealing, limits, metrics, logs. Its contract is shared (dialect telia).
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import which
from typing import Any

import redis
import requests
import tomli_w

from bench.bank import ALIVE, Told
from bench.counting import CONNECTIONS, JWKS_FETCHED, KEYS_PARSED, THREADS
from broker.keys import KeyRing
from demo.runner.client import Client
from demo.runner.configs import SELECTORS, broker_config
from demo.runner.processes import PYTHON, Processes, free_port
from demo.runner.stack import free_ports, prepare
from providers.engine.compact import decode, loads, segments
from providers.engine.entity_statement import build_entity_statement

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "tests" / "peers"
CONNECTION = "shared-telia"
BANKS = 2
"""Processes of the bank."""
FLOOR, BROKER, NPM, PROFILED = "floor", "broker", "npm oidc-provider", "profiled"
NPM_MISSING = "npm oidc-provider: not run, Node and tests/peers/node_modules are needed (make tests/peers/node_modules)"
COMMANDS, ROUND_TRIPS = "store commands", "store round trips"
COUNTS = (ROUND_TRIPS, COMMANDS, KEYS_PARSED, JWKS_FETCHED, CONNECTIONS, THREADS)


@dataclass
class Subject:
    """A running process. client: of its logins. metrics: where it tells its round trips, if it does."""

    name: str
    pid: int
    client: Client
    store_url: str
    counts_file: Path | None = None
    metrics: str | None = None

    def counts(self) -> dict[str, float]:
        """Its counters now; what is not counted of it is not in them."""
        with redis.Redis.from_url(self.store_url) as store:
            found = {COMMANDS: float(store.info("stats")["total_commands_processed"])}
        if self.counts_file is not None:
            self.counts_file.unlink(missing_ok=True)
            os.kill(self.pid, signal.SIGUSR1)
            while not self.counts_file.exists():
                time.sleep(0.01)
            counted = json.loads(self.counts_file.read_text())
            found |= {name: counted.get(name, 0) for name in (KEYS_PARSED, JWKS_FETCHED, CONNECTIONS, THREADS)}
        if self.metrics is not None:
            text = requests.get(self.metrics, timeout=30).text
            trips = re.search(r"^tunnus_store_round_trips_total (\S+)", text, re.MULTILINE)
            found[ROUND_TRIPS] = float(trips[1]) if trips else 0.0
        return found


class Bench:
    """The stack; subjects are started in it by name."""

    def __init__(self, processes: Processes) -> None:
        issuer_port, operations_port, mock_port = free_ports()
        self.processes = processes
        self.stack = prepare(
            processes,
            portal="http://127.0.0.1:9",
            issuer_port=issuer_port,
            operations_port=operations_port,
            mock_port=mock_port,
        )
        places = self.stack.places
        self._ring = KeyRing(places.state / "keys", time.time)
        self._ports = {BROKER: issuer_port, FLOOR: free_port(), NPM: free_port()}
        self._operations_ports = {BROKER: operations_port}
        self._pin_our_statement()
        self._bank_port, self._late = free_port(), places.state / "late"
        self.bank_answers_after(0)
        self.stack.start_mock()
        self._start_bank()

    def _pin_our_statement(self) -> None:
        """One statement, the broker's, with the redirect URIs of every subject; read again for one that is new."""
        issuer = self.stack.places.issuer
        statement = build_entity_statement(
            self._ring,
            entity_id=issuer,
            redirect_uris=[*map(self._redirect_uri, self._ports)],
            organization_name="Bench",
            signed_jwks_uri=f"{issuer}/signed-jwks",
            now=int(time.time()),
            lifetime=86400,
        )
        (self.stack.places.state / "relying-party.jwt").write_text(statement)

    def _issuer(self, name: str) -> str:
        return f"http://127.0.0.1:{self._ports[name]}"

    def _redirect_uri(self, name: str) -> str:
        return f"{self._issuer(name)}/callback/{CONNECTION}"

    def bank_answers_after(self, seconds: float) -> None:
        """Let the bank's token endpoint answer so much later than it could."""
        self._late.write_text(str(seconds))

    def _start_bank(self) -> None:
        """The bank that people meet (`bench.bank`); its keys and their set are the mock bank's."""
        places = self.stack.places
        statement, keys = str(places.state / "relying-party.jwt"), str(places.state / "mock")
        told = Told(places.mock, keys, statement, "shared", "telia", "nordea", "onni-korhonen", str(self._late))
        told.write(file := places.state / "bank.json")
        for number in range(BANKS):
            command = [PYTHON, "-m", "bench.bank", str(self._bank_port), str(file)]
            self.processes.start(f"bank-{number}", command)
            self.processes.wait_for(f"bank-{number}", f"http://127.0.0.1:{self._bank_port}{ALIVE}")

    @property
    def _bank(self) -> dict[str, str]:
        """The endpoints of the bank that people meet."""
        base = f"http://127.0.0.1:{self._bank_port}"
        return {"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token"}

    def start_broker(self, name: str = BROKER, options: Sequence[str] = (), python: str = PYTHON) -> Subject:
        """The broker, in a process with counters; with the options of `bench.process`, by another interpreter."""
        counts, config = self.processes.state / f"{name}.counts", self._config_of(name)
        command = [python, "-m", "bench.process", "broker", str(config), str(counts), *options]
        self.processes.start(name, command)
        metrics = None
        if "--server" not in options:
            metrics = f"http://127.0.0.1:{self._operations_ports[name]}/metrics"
        return self._subject(name, name, "/jwks", counts if metrics else None, metrics)

    def _config_of(self, name: str) -> Path:
        """A broker's configuration, written to a file. All share keys, store and audit trail."""
        if name not in self._ports:
            self._ports[name] = free_port()
            self._pin_our_statement()
        operations = self._operations_ports.setdefault(name, free_port())
        places = replace(
            self.stack.places, issuer=self._issuer(name), port=self._ports[name], operations_port=operations
        )
        path = places.state / f"{name}.toml"
        config = broker_config("telia", "shared", places)
        config["connections"][CONNECTION] |= self._bank
        path.write_text(tomli_w.dumps(config))
        return path

    def start_floor(self) -> Subject:
        """The floor, likewise. The broker must run: the bank asks it for our keys."""
        file, counts = self._told(FLOOR), self.processes.state / "floor.counts"
        self.processes.start(FLOOR, [PYTHON, "-m", "bench.process", "floor", str(file), str(counts)])
        return self._subject(FLOOR, FLOOR, "/livez", counts)

    def start_npm(self) -> Subject | None:
        """npm oidc-provider put to the same work; None where it cannot run."""
        node = which("node")
        if node is None or not (PEERS / "node_modules" / "oidc-provider").exists():
            return None
        file = self._told(NPM)
        self.processes.start("npm", [node, str(PEERS / "broker.mjs"), str(file)])
        return self._subject("npm", NPM, "/jwks")

    def profile(self, subject: str) -> Path:
        """Start the floor or the broker to be profiled, instead of the one that runs; where its samples will be."""
        out = self.processes.state / f"{subject}.samples"
        file, alive = (self._told(FLOOR), "/livez") if subject == FLOOR else (self._config_of(BROKER), "/jwks")
        self.processes.start(PROFILED, [PYTHON, "-m", "bench.profile", subject, str(file), str(out)])
        self.processes.wait_for(PROFILED, f"{self._issuer(subject)}{alive}")
        return out

    def _subject(
        self, process: str, name: str, alive: str, counts: Path | None = None, metrics: str | None = None
    ) -> Subject:
        self.processes.wait_for(process, f"{self._issuer(name)}{alive}")
        client = replace(self.stack.client, issuer=self._issuer(name))
        return Subject(name, self.processes.pid(process), client, self.stack.places.store_url, counts, metrics)

    def _told(self, name: str) -> Path:
        """What a subject that is not the broker needs, written to a file."""
        stack, ring = self.stack, self._ring
        base = f"{stack.places.mock}/shared/telia"
        published = requests.get(f"{base}/signed-jwks", timeout=30).text
        keys = {purpose: _private(ring, purpose, alg) for purpose, alg in USED.items()}
        told: dict[str, Any] = {
            "port": self._ports[name],
            "issuer": self._issuer(name),
            "redirect_uri": self._redirect_uri(name),
            "store_url": stack.places.store_url,
            "keys": keys,
            "client": {
                "client_id": stack.client.client_id,
                "redirect_uri": stack.client.redirect_uri,
                "jwk": stack.client.keys.public_jwk,
            },
            "bank": {
                "issuer": base,
                **self._bank,
                "client_id": "tunnus",
                "acr_values": SELECTORS["telia"]["nordea"],
                "keys": loads(decode(segments(published.strip(), 3)[1]), "payload")["keys"],
            },
        }
        path = stack.places.state / f"{name}.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(told))
        return path


USED = {"rp-sig": "RS256", "rp-enc": "RSA-OAEP", "id-token-sig": "ES256"}
"""The keys that a login uses, and their algorithms."""


def _private(ring: KeyRing, purpose: str, alg: str) -> dict[str, Any]:
    key = next(key for key in ring.held(purpose) if key.alg == alg)
    return {**key.key.as_dict(private=True), "kid": key.kid, "alg": alg}
