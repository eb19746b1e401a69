"""The second port: what makes it say that people cannot identify, and what only warns."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from broker.audit import AuditTrail, AuditUnavailable
from broker.keys import PURPOSES, KeyRing, Timetable
from broker.keys.generate import new_key
from broker.keys.key_file import write_key
from broker.operations.checks import check_audit_folder, check_clock, check_keys, check_store
from broker.operations.health import create_app
from broker.operations.metrics import Metrics
from broker.settings import Settings
from tests.broker.conftest import NOW

Data = dict[str, Any]


class FakeStore:
    """A redis-py client that says what a test wants."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {"aof_enabled": 1, "maxmemory_policy": "noeviction"} | answers
        self.time_told: Any = (NOW, 0)
        self.down = False

    def info(self, section: str) -> dict[str, Any]:
        if self.down:
            raise redis.ConnectionError("no")
        return self.answers

    def time(self) -> Any:
        return self.time_told

    def execute_command(self, *command: Any) -> None:
        """For what is written; see the tests on a real store for what one refuses."""


@dataclass
class Operations:
    """The operations application and what a test bends."""

    http: FlaskClient
    store: FakeStore
    audit: AuditTrail
    keys_folder: Path

    def ready(self) -> tuple[int, dict[str, Any], dict[str, dict[str, str]]]:
        answer = self.http.get("/readyz")
        assert answer.json is not None
        return answer.status_code, answer.json, {check["name"]: check for check in answer.json["checks"]}


@dataclass
class Holder:
    """What the operations application wants of the store."""

    client: Any


@pytest.fixture
def operations(data: Data, made_keys: Path, tmp_path: Path) -> Operations:
    settings = Settings.model_validate(data)
    folder = Path(shutil.copytree(made_keys, tmp_path / "keys"))
    audit, store = AuditTrail(settings.audit.dir, lambda: NOW), FakeStore()
    app = create_app(
        settings,
        keys=KeyRing(folder, lambda: NOW),
        store=Holder(store),
        audit=audit,
        metrics=Metrics(),
        clock=lambda: NOW,
    )
    return Operations(app.test_client(), store, audit, folder)


def test_all_is_well(operations: Operations) -> None:
    status, body, checks = operations.ready()
    assert (status, body["state"]) == (200, "ok")
    assert set(checks) >= {
        "configuration",
        "keys in use",
        "audit trail",
        "store",
        "store persistence",
        "store eviction",
    }
    assert not any("mend" in check for check in checks.values())


def test_it_is_alive_even_if_it_is_not_ready(operations: Operations) -> None:
    operations.store.down = True
    assert operations.http.get("/livez").status_code == 200


def test_a_store_that_does_not_answer_is_not_ready_and_has_a_mend(operations: Operations) -> None:
    operations.store.down = True
    status, body, checks = operations.ready()
    assert (status, body["state"], checks["store"]["state"]) == (503, "failed", "failed")
    assert "mend" in checks["store"]


@pytest.mark.parametrize(
    ("answer", "name"),
    [({"aof_enabled": 0}, "store persistence"), ({"maxmemory_policy": "allkeys-lru"}, "store eviction")],
)
def test_a_store_that_may_lose_keys_is_a_warning(operations: Operations, answer: Data, name: str) -> None:
    operations.store.answers |= answer
    status, body, checks = operations.ready()
    assert (status, body["state"], checks[name]["state"]) == (200, "warning", "warning")
    assert "mend" in checks[name]


def test_a_key_that_is_missing_is_not_ready(operations: Operations) -> None:
    for path in operations.keys_folder.glob("id-token-sig-*.json"):
        path.unlink()
    keys = KeyRing(operations.keys_folder, lambda: NOW)
    (check,) = check_keys(keys, NOW)
    assert (check.state, check.said) == ("failed", "no key is in use for id-token-sig RS256, id-token-sig ES256")


def test_a_keys_folder_that_broke_while_running_is_a_warning(made_keys: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made_keys, tmp_path / "keys"))
    now = float(NOW)
    keys = KeyRing(folder, lambda: now)
    folder.chmod(0o755)
    now += 31
    checks = list(check_keys(keys, now))
    assert [check.state for check in checks] == ["ok", "warning"]
    assert checks[1].mend == f"chmod 700 {folder}"


def test_a_last_key_that_ends_within_a_day_is_a_warning(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    ending = Timetable(NOW, NOW, NOW, NOW + 80_000, NOW + 90_000, NOW + 90_000)
    write_key(folder, PURPOSES["id-token-sig"], new_key("ES256"), ending)
    found = list(check_keys(KeyRing(folder, lambda: NOW), NOW))
    assert any(check.name == "keys ending" and check.state == "warning" for check in found)
    later = Timetable(NOW + 1, NOW + 1, NOW + 70_000)
    write_key(folder, PURPOSES["id-token-sig"], new_key("ES256"), later)
    assert not any(check.name == "keys ending" for check in check_keys(KeyRing(folder, lambda: NOW), NOW))


def test_an_audit_trail_that_cannot_be_written_is_not_ready(operations: Operations, data: Data) -> None:
    Path(data["audit"]["dir"]).write_text("in the way")
    with pytest.raises(AuditUnavailable):
        operations.audit.record("refused")
    status, _, checks = operations.ready()
    assert (status, checks["audit trail"]["state"]) == (503, "failed")


def test_a_pinned_statement_that_ends_is_a_warning(
    data: Data, made_keys: Path, tmp_path: Path, entity_statement_of: Callable[..., str]
) -> None:
    own = data["connections"]["own"]
    del own["jwks"]
    statement = tmp_path / "own.jwt"
    own |= {"entity_statement": str(statement), "signed_jwks_uri": "https://own.bank.fi/signed-jwks"}
    now = int(time.time())
    for age, state in ((-3600, "warning"), (86_400, "warning"), (40 * 86_400, "ok")):
        statement.write_text(entity_statement_of("https://own.bank.fi", now=now - 7200, lifetime=7200 + age))
        settings = Settings.model_validate(data)
        app = create_app(
            settings,
            keys=KeyRing(made_keys, lambda: NOW),
            store=Holder(FakeStore()),
            audit=AuditTrail(settings.audit.dir, lambda: NOW),
            metrics=Metrics(),
            clock=lambda: now,
        )
        body = app.test_client().get("/readyz").json
        assert body is not None
        (check,) = (check for check in body["checks"] if check["name"] == "entity statement of own")
        assert check["state"] == state, check


def test_metrics_are_in_prometheus_format(operations: Operations) -> None:
    answer = operations.http.get("/metrics")
    assert answer.content_type.startswith("text/plain")
    assert b"# TYPE tunnus_request_seconds histogram" in answer.data


def test_nothing_of_the_second_port_is_cached_or_secret(operations: Operations, made_keys: Path) -> None:
    secrets = [json.loads(path.read_text())["jwk"].get(name) for path in made_keys.iterdir() for name in ("d", "k")]
    for path in ("/livez", "/readyz", "/metrics"):
        answer = operations.http.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert not any(secret in answer.text for secret in secrets if secret)


class TestChecks:
    def test_a_cluster_is_only_well_if_every_node_is(self) -> None:
        nodes = {"a:1": {"aof_enabled": 1, "maxmemory_policy": "noeviction"}, "b:1": {"aof_enabled": 0}}
        store = FakeStore()
        store.answers = nodes
        store.time_told = {"a:1": (NOW, 0)}
        states = {check.name: check.state for check in check_store(store, lambda: NOW)}
        assert states == {"store": "ok", "store persistence": "warning", "store eviction": "warning"}

    def test_a_store_with_another_clock_is_a_warning(self) -> None:
        store = FakeStore()
        store.time_told = (NOW + 60, 500_000)
        (check,) = (check for check in check_store(store, lambda: NOW) if check.name == "store clock")
        assert "60 s" in check.said

    def test_a_real_valkey_as_the_demo_starts_it_is_well(self, valkey_url: str) -> None:
        client = redis.Redis.from_url(valkey_url)
        try:
            assert {check.state for check in check_store(client)} == {"ok"}
        finally:
            client.close()

    def test_a_clock_that_cannot_be_right_fails(self) -> None:
        assert check_clock(0).state == "failed"
        assert check_clock(time.time()).state == "ok"

    @pytest.fixture
    def trail(self, tmp_path: Path) -> Path:
        folder = tmp_path / "audit"
        for _ in range(2):
            trail = AuditTrail(folder, lambda: NOW)
            trail.record("refused", txn="A")
            trail.close()
        return folder

    def test_an_audit_folder_in_order_is_well(self, trail: Path) -> None:
        assert [check.state for check in check_audit_folder(trail, lambda: NOW)] == ["ok", "ok"]

    def test_files_that_were_never_closed_are_a_warning(self, trail: Path) -> None:
        for path in trail.glob("*.jsonl"):
            path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
        assert [check.state for check in check_audit_folder(trail, lambda: NOW)] == ["ok", "warning"]

    def test_a_trail_that_was_tampered_with_fails(self, trail: Path) -> None:
        path = next(iter(trail.glob("*.jsonl")))
        path.write_text(path.read_text().replace('"A"', '"B"'))
        assert [check.state for check in check_audit_folder(trail, lambda: NOW)] == ["ok", "failed"]
