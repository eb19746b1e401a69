"""Three real Valkeys as a Cluster, each at a port of this machine, with a replica for each if wanted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis

from demo.runner.processes import free_port
from tests.harness.valkey import START_SECONDS, STEP, run

NODES = 3
SLOTS = 16_384


class Cluster:
    """Its nodes, of which any can be killed and started again: three primaries, and then the replica of each.

    replicas: of each, 0 or 1. durable: how many must confirm that a one-time thing was taken.
    """

    def __init__(self, replicas: int = 0, durable: int = 0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tunnus-cluster-", dir="/tmp"))
        self.durable = durable
        self.ports = [free_port() for _ in range(NODES * (1 + replicas))]
        self._buses = [free_port() for _ in self.ports]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._paused = 0

    @property
    def url(self) -> str:
        """Of the first node."""
        return f"redis://127.0.0.1:{self.ports[0]}"

    @property
    def others(self) -> list[str]:
        """The other nodes, `host:port`."""
        return [f"127.0.0.1:{port}" for port in self.ports[1:]]

    @property
    def settings(self) -> dict[str, Any]:
        """The table `store` of a broker's configuration."""
        return {"url": self.url, "cluster": True, "nodes": self.others, "durable_replicas": self.durable}

    def clients(self) -> list[redis.Redis]:
        """A client of each server that takes what is written."""
        return [
            self.client(node) for node in self._processes if self.client(node).info("replication")["role"] == "master"
        ]

    def client(self, node: int) -> redis.Redis:
        """A client of one node."""
        return redis.Redis(port=self.ports[node])

    def start(self) -> None:
        """Start all of them, give each its share of the slots, and wait until they agree."""
        for node in range(len(self.ports)):
            self.start_node(node)
        for node in range(NODES):
            share = SLOTS // NODES
            last = SLOTS - 1 if node == NODES - 1 else (node + 1) * share - 1
            with self.client(node) as client:
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", node * share, last)
                if node:
                    client.execute_command("CLUSTER", "MEET", "127.0.0.1", self.ports[0], self._buses[0])
        self.wait_until_whole()
        for node in range(NODES, len(self.ports)):
            with self.client(node) as replica, self.client(node - NODES) as primary:
                replica.execute_command("CLUSTER", "MEET", "127.0.0.1", self.ports[0], self._buses[0])
                known = self._id(primary)
                self._wait(
                    lambda client, known=known: bool(client.execute_command("CLUSTER", "REPLICATE", known)), [node]
                )
                self._wait(lambda client: bool(client.execute_command("WAIT", 1, 100)), [node - NODES])

    @staticmethod
    def _id(client: redis.Redis) -> str:
        return client.execute_command("CLUSTER", "MYID").decode()

    def start_node(self, node: int) -> None:
        """Start one, and wait until it answers."""
        folder = self.folder / str(node)
        folder.mkdir(exist_ok=True)
        options = {
            "port": self.ports[node],
            "bind": "127.0.0.1",
            "cluster-enabled": "yes",
            "cluster-port": self._buses[node],
            "cluster-node-timeout": 2000,
            "dir": folder,
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
            "save": "",
            "repl-diskless-sync-delay": 0,
            "min-replicas-to-write": self.durable,
        }
        words = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
        self._processes[node] = run(*words)
        self._wait(lambda client: bool(client.ping()), [node])

    def wait_until_whole(self) -> None:
        """Wait until every node knows that every slot is served."""
        self._wait(lambda client: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok", range(NODES))
        self._wait(lambda client: len(client.execute_command("CLUSTER SLOTS")) == NODES, range(NODES))

    def wait_for_failover(self, node: int) -> None:
        """Wait until the replica of a primary has become one."""
        self._wait(lambda client: client.info("replication")["role"] == "master", [node + NODES])

    def _wait(self, holds: Callable[[Any], bool], nodes: Iterable[int]) -> None:
        end = time.monotonic() + START_SECONDS
        for node in nodes:
            with self.client(node) as client:
                while True:
                    with suppress(redis.RedisError):
                        if holds(client):
                            break
                    assert time.monotonic() < end, f"node {node} of the cluster does not get ready"
                    time.sleep(STEP)

    def node_of(self, name: str) -> int:
        """Which node holds a key, as the first one that runs knows it."""
        with self.client(next(iter(self._processes))) as client:
            slot = client.execute_command("CLUSTER", "KEYSLOT", name)
            for first, last, primary, *_ in client.execute_command("CLUSTER SLOTS"):
                if first <= slot <= last:
                    return self.ports.index(int(primary[1]))
        raise AssertionError("the slot is not served")

    def move_slots(self, source: int, target: int) -> int:
        """Move every slot of a node in which a key stands to another, key by key; how many there were."""
        with self.client(source) as giver, self.client(target) as taker:
            ids = self._id(giver), self._id(taker)
            counts = giver.pipeline(transaction=False)
            for slot in range(SLOTS):
                counts.execute_command("CLUSTER", "COUNTKEYSINSLOT", slot)
            slots = [slot for slot, count in enumerate(counts.execute()) if count]
            for slot in slots:
                taker.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
                giver.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
                while names := giver.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
                    giver.execute_command("MIGRATE", "127.0.0.1", self.ports[target], "", 0, 5000, "KEYS", *names)
                taker.execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[1])
                giver.execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[1])
        return len(slots)

    def pause(self, node: int) -> None:
        """SIGSTOP: it answers nothing, and its connections stay."""
        with self.client(node) as client:
            self._paused = int(client.info("server")["process_id"])
        os.kill(self._paused, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT for the one that was paused."""
        os.kill(self._paused, signal.SIGCONT)

    def kill_node(self, node: int) -> None:
        """kill -9."""
        if process := self._processes.pop(node, None):
            process.communicate()

    def remove(self) -> None:
        """End all of it, and leave nothing behind."""
        for node in range(len(self.ports)):
            self.kill_node(node)
        shutil.rmtree(self.folder)
