"""A primary, its replicas and three Sentinels, each with a password of its own."""

from __future__ import annotations

import subprocess
from typing import Any

import redis

from demo.runner.processes import free_port
from tests.harness.replicated import DATABASE, PASSWORD, Replicated
from tests.harness.valkey import run

SERVICE, SENTINEL_PASSWORD = "tunnus", "of the Sentinels"
SENTINELS = 3


class Sentinels(Replicated):
    """The set. The first primary is server 0."""

    def __init__(self, replicas: int = 1, durable: int = 0) -> None:
        super().__init__(replicas, durable)
        self.sentinel_ports = [free_port() for _ in range(SENTINELS)]
        self._sentinels: list[subprocess.Popen[bytes]] = []

    @property
    def settings(self) -> dict[str, Any]:
        """The table `store` of a broker's configuration."""
        hosts = [f"127.0.0.1:{port}" for port in self.sentinel_ports]
        sentinel = {"hosts": hosts, "service": SERVICE, "password": SENTINEL_PASSWORD}
        return {
            "sentinel": sentinel,
            "password": PASSWORD,
            "database": DATABASE,
            "durable_replicas": self.durable,
        }

    def clients(self) -> list[redis.Redis]:
        """A client of the server that takes what is written."""
        return [self.client(self.primary())]

    def primary(self) -> int:
        """The number of the primary, as the Sentinels know it."""
        with redis.Redis(port=self.sentinel_ports[0], password=SENTINEL_PASSWORD) as sentinel:
            _, port = sentinel.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        return self.ports.index(int(port))

    def start(self) -> None:
        """Start all, and wait until the replicas follow and the Sentinels know each other."""
        super().start()
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
            self._sentinels.append(run(str(file), "--sentinel"))
        for port in self.sentinel_ports:
            self.wait(lambda port=port: self._knows_all(port))  # type: ignore[misc]

    def _knows_all(self, port: int) -> bool:
        with redis.Redis(port=port, password=SENTINEL_PASSWORD, decode_responses=True) as sentinel:
            told = sentinel.execute_command("SENTINEL", "MASTER", SERVICE)
        return int(told["num-other-sentinels"]) == SENTINELS - 1 and int(told["num-slaves"]) == len(self.ports) - 1

    def wait_for_failover(self) -> None:
        """Wait until another server is the primary, and takes what is written."""
        self.wait(lambda: self.primary() != 0 and self.client(self.primary()).set("tunnus:probe", 1, ex=9))

    def remove(self) -> None:
        """End all of it, and leave nothing behind."""
        for process in self._sentinels:
            process.communicate()
        super().remove()
