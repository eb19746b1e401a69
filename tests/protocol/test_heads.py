"""A login's records have a head at the collector, and a collector that is away is in no login's way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.app import create_app
from broker.audit import verify
from broker.settings import Settings
from demo.runner.processes import free_port
from kit.audit.heads import read_heads
from kit.audit.signed import Trust
from tests.harness.broker import Broker, System
from tests.harness.collector import SyslogServer


def with_collector(system: System, port: int, folder: Path) -> Broker:
    """The contract's broker anew, on its own port, with a collector."""
    usual = system.broker("telia", "shared")
    config = usual.config | {"audit": {"dir": str(folder), "collector": {"url": f"syslog+tcp://127.0.0.1:{port}"}}}
    return Broker(create_app(Settings.model_validate(config), clock=system.clock), usual.client, config)


@pytest.fixture
def server() -> Iterator[SyslogServer]:
    with SyslogServer() as serving:
        yield serving


def test_the_head_of_what_is_recorded_comes_signed(system: System, server: SyslogServer, tmp_path: Path) -> None:
    parts = with_collector(system, server.port, tmp_path / "audit").parts
    parts.audit.record("identified", txn="K7QF")
    parts.audit.log_head()
    assert parts.heads.send_waiting()
    line = server.received.get(timeout=60).decode()
    (head,), unknown = read_heads([line], Trust(system.ring.public_set("audit-sig")))
    assert unknown == 0
    assert verify(tmp_path / "audit", [head]).findings == []
    (path,) = (tmp_path / "audit").glob("*.jsonl")
    last = json.loads(path.read_text().splitlines()[-1])
    assert (head.file, head.seq, head.hash) == (path.name, 2, last["hash"])


def test_a_collector_that_is_away_leaves_the_broker_ready_and_the_metric_tells(system: System, tmp_path: Path) -> None:
    parts = with_collector(system, free_port(), tmp_path / "audit").parts
    parts.audit.record("identified", txn="K7QF")
    parts.audit.log_head()
    assert not parts.heads.send_waiting()
    system.clock.offset += 600
    answer = parts.operations.test_client().get("/readyz")
    (check,) = (check for check in answer.json["checks"] if check["name"] == "audit heads")
    assert check["state"] == "warning"
    assert "1 unsent, the oldest for 10 minutes: it cannot be reached" in check["said"]
    assert "tunnus_audit_heads_unsent 1.0" in parts.operations.test_client().get("/metrics").text
    parts.audit.record("identified", txn="K7QG")
