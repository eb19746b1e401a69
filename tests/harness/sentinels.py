"""A primary, a replica and three Sentinels, each with a password of its own: real Valkeys at ports of this machine."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis

from demo.runner.processes import free_port
from tests.harness.valkey import START_SECONDS, STEP, run

SERVICE, PASSWORD, SENTINEL_PASSWORD, DATABASE = "tunnus", "of the store", "of the Sentinels", 3
SENTINELS = 3


class Sentinels:
    """The set. Its servers are 0 and 1; the first primary is 0."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tunnus-sentinels-", dir="/tmp"))
        self.ports = [free_port(), free_port()]
        self.sentinel_ports = [free_port() for _ in range(SENTINELS)]
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def settings(self) -> dict[str, Any]:
        """The table `store` of a broker's configuration."""
        hosts = [f"127.0.0.1:{port}" for port in self.sentinel_ports]
        sentinel = {"hosts": hosts, "service": SERVICE, "password": SENTINEL_PASSWORD}
        return {"sentinel": sentinel, "password": PASSWORD, "database": DATABASE}

    def client(self, port: int, **more: Any) -> redis.Redis:
        """A client of one of the two servers."""
        return redis.Redis(port=port, password=PASSWORD, db=DATABASE, **more)

    def clients(self) -> list[redis.Redis]:
        """A client of the server that takes what is written."""
        return [self.client(self.primary())]

    def primary(self) -> int:
        """The port of the primary, as the Sentinels know it."""
        with redis.Redis(port=self.sentinel_ports[0], password=SENTINEL_PASSWORD) as sentinel:
            _, port = sentinel.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        return int(port)

    def start(self) -> None:
        """Start all, and wait until the replica follows and the Sentinels know each other."""
        for number, port in enumerate(self.ports):
            folder = self.folder / str(number)
            folder.mkdir()
            of_it = [] if number == 0 else ["--replicaof", "127.0.0.1", str(self.ports[0])]
            self.processes.append(run(*_words(port, folder), *of_it))
        self._wait(lambda: self.client(self.ports[1]).info("replication").get("master_link_status") == "up")
        for number, port in enumerate(self.sentinel_ports):
            file = self.folder / f"sentinel-{number}.conf"
            file.write_text(
                f'port {port}\nbind 127.0.0.1\nrequirepass "{SENTINEL_PASSWORD}"\ndir {self.folder}\n'
                f'sentinel sentinel-pass "{SENTINEL_PASSWORD}"\n'
                f"sentinel monitor {SERVICE} 127.0.0.1 {self.ports[0]} 2\n"
                f'sentinel auth-pass {SERVICE} "{PASSWORD}"\n'
                f"sentinel down-after-milliseconds {SERVICE} 1000\n"
                f"sentinel failover-timeout {SERVICE} 5000\n"
            )
            self.processes.append(run(str(file), "--sentinel"))
        for port in self.sentinel_ports:
            self._wait(lambda port=port: self._knows_all(port))  # type: ignore[misc]

    def _knows_all(self, port: int) -> bool:
        with redis.Redis(port=port, password=SENTINEL_PASSWORD, decode_responses=True) as sentinel:
            told = sentinel.execute_command("SENTINEL", "MASTER", SERVICE)
        return int(told["num-other-sentinels"]) == SENTINELS - 1 and int(told["num-slaves"]) == 1

    def _wait(self, holds: Any) -> None:
        end = time.monotonic() + START_SECONDS
        while True:
            with suppress(redis.RedisError):
                if holds():
                    return
            assert time.monotonic() < end, "the Sentinels do not get ready"
            time.sleep(STEP)

    def wait_for_failover(self) -> None:
        """Wait until the other server is the primary, and takes what is written."""
        self._wait(lambda: self.primary() != self.ports[0] and self.client(self.primary()).set("tunnus:probe", 1, ex=9))

    def kill_primary(self) -> None:
        """kill -9 of the first primary."""
        self.processes[0].communicate()

    def remove(self) -> None:
        """End all of it, and leave nothing behind."""
        for process in self.processes:
            process.communicate()
        shutil.rmtree(self.folder)


def _words(port: int, folder: Path) -> list[str]:
    options = {
        "port": port,
        "bind": "127.0.0.1",
        "dir": folder,
        "requirepass": PASSWORD,
        "masterauth": PASSWORD,
        "appendonly": "yes",
        "maxmemory-policy": "noeviction",
        "save": "",
        "repl-diskless-sync-delay": 0,
        "repl-backlog-size": "16kb",  # it counts as memory that is used, and tests give a store little of that
    }
    return [str(part) for name, value in options.items() for part in (f"--{name}", value)]
