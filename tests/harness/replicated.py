"""A primary and its replicas: real Valkeys at ports of this machine, which can lag behind, stand still and die."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis

from demo.runner.processes import free_port
from tests.harness.valkey import START_SECONDS, STEP, run

PASSWORD, DATABASE = "of the store", 3


class Replicated:
    """Its servers, by number: 0 is the first primary, the others are its replicas.

    durable: how many replicas must confirm that a one-time thing was taken; demanded of the servers, too.
    """

    def __init__(self, replicas: int = 1, durable: int = 0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tunnus-replicated-", dir="/tmp"))
        self.ports = [free_port() for _ in range(1 + replicas)]
        self.durable = durable
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self._paused: int | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The table `store` of a broker's configuration."""
        url = f"redis://127.0.0.1:{self.ports[0]}/{DATABASE}"
        return {"url": url, "password": PASSWORD, "durable_replicas": self.durable}

    def client(self, number: int, **more: Any) -> redis.Redis:
        """A client of one of the servers."""
        return redis.Redis(port=self.ports[number], password=PASSWORD, db=DATABASE, **more)

    def clients(self) -> list[redis.Redis]:
        """A client of the server that takes what is written."""
        return [self.client(0)]

    def start(self) -> None:
        """Start all, and wait until each replica follows."""
        for number in range(len(self.ports)):
            self.start_server(number)
        for number in range(1, len(self.ports)):
            self.wait_until_it_follows(number)

    def start_server(self, number: int) -> None:
        """Start one: the first as a primary, the others as its replicas."""
        folder = self.folder / str(number)
        folder.mkdir(exist_ok=True)
        options = {
            "port": self.ports[number],
            "bind": "127.0.0.1",
            "dir": folder,
            "requirepass": PASSWORD,
            "masterauth": PASSWORD,
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
            "save": "",
            "repl-diskless-sync-delay": 0,
            "repl-backlog-size": "16kb",  # it counts as memory that is used, and tests give a store little of that
            "min-replicas-to-write": self.durable,
        }
        words = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
        words += ["--replicaof", "127.0.0.1", str(self.ports[0])] if number else []
        self.processes[number] = run(*words)

    def wait_until_it_follows(self, number: int) -> None:
        """Wait until a replica has all that its primary has, and its primary knows."""
        self.wait(lambda: self.client(number).info("replication").get("master_link_status") == "up")
        primary = self.client(number).info("replication")["master_port"]
        self.wait(lambda: self.client(self.ports.index(primary)).execute_command("WAIT", 1, 100) >= 1)

    def cut_off(self, number: int) -> None:
        """A replica hears no more of what is written, and may be promoted all the same."""
        with self.client(number) as client:
            client.config_set("masterauth", "another")
            told = client.info("replication")
            with self.client(self.ports.index(told["master_port"])) as primary:
                primary.execute_command("CLIENT", "KILL", "TYPE", "REPLICA")
        self.wait(lambda: self.client(number).info("replication").get("master_link_status") == "down")
        for other in range(1, len(self.ports)):
            if other != number:
                self.wait(lambda other=other: self.client(other).info("replication")["master_link_status"] == "up")  # type: ignore[misc]

    def pause(self, number: int) -> None:
        """SIGSTOP: it answers nothing, and its connections stay."""
        with self.client(number) as client:
            self._paused = int(client.info("server")["process_id"])
        os.kill(self._paused, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT for the one that was paused."""
        assert self._paused is not None
        os.kill(self._paused, signal.SIGCONT)

    def kill(self, number: int) -> None:
        """kill -9."""
        self.processes.pop(number).communicate()

    def wait(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds of the servers."""
        end = time.monotonic() + START_SECONDS
        while True:
            with suppress(redis.RedisError):
                if holds():
                    return
            assert time.monotonic() < end, f"{type(self).__name__} does not get ready"
            time.sleep(STEP)

    def remove(self) -> None:
        """End all of it, and leave nothing behind."""
        for process in self.processes.values():
            process.communicate()
        shutil.rmtree(self.folder)
