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
from broker.chooser.live_notices import LiveNotices
from broker.keys import PURPOSES, KeyRing, Timetable, generate_keys, rotation_of
from broker.keys.purposes import STATEMENT_EXCHANGE
from broker.oidc.client_files import WatchedClientFiles
from broker.oidc.fetched_keys import FetchedKeys
from broker.oidc.registered import RegisteredClients
from broker.operations.checks import check_audit_folder, check_clock, check_store
from broker.operations.health import create_app
from broker.operations.key_checks import check_keys, check_statement
from broker.operations.metrics import Metrics
from broker.relying_party import entity_statement
from broker.settings import Settings
from broker.settings.pins import read_entity_statement
from kit.audit.collector import Collector
from kit.keys.key_file import write_key
from kit.keys.rotation import new_key
from kit.keys.watch import ages
from kit.status.page import Status
from providers.engine.bounded import BankUnreachable
from providers.engine.entity_statement import verify_jws
from providers.engine.public_keys import usable_keys
from tests.broker.conftest import NOW
from tests.harness.engine.parts import Seen
from tests.harness.fake_store import FakeStore
from tests.harness.keys import DAY

Data = dict[str, Any]


@dataclass
class Operations:
    """The operations application and what a test bends."""

    http: FlaskClient
    store: FakeStore
    audit: AuditTrail
    keys_folder: Path
    fetched: dict[str, FetchedKeys]

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
    folder = Path(shutil.copytree(made_keys, tmp_path / "keys"))
    return _operations(Settings.model_validate(data), folder)


def _operations(settings: Settings, folder: Path, client: Any = None) -> Operations:
    keys = KeyRing(folder, lambda: NOW)
    audit, store = AuditTrail(settings.audit.dir, lambda: NOW), FakeStore(NOW)
    registered = RegisteredClients(settings, lambda: NOW, lambda *_: None)
    app = create_app(
        settings,
        keys=keys,
        store=Holder(client or store),
        audit=audit,
        heads=Collector(keys, None, lambda: NOW),
        metrics=Metrics(),
        status=lambda: Status((), {}, {}),
        live_notices=LiveNotices({}, Seen(), lambda: NOW),
        registered=registered,
        client_files=WatchedClientFiles(settings, registered),
        clock=lambda: NOW,
    )
    return Operations(app.test_client(), store, audit, folder, registered.fetched)


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


def test_without_an_audit_key_people_identify_and_it_is_a_warning(operations: Operations, data: Data) -> None:
    """As after an upgrade, while older brokers still read the folder of keys."""
    (key,) = operations.keys_folder.glob("audit-sig-*.json")
    key.unlink()
    status, _, checks = _operations(Settings.model_validate(data), operations.keys_folder).ready()
    assert (status, checks["keys in use"]["state"]) == (200, "warning")
    assert "audit-sig ES256" in checks["keys in use"]["said"]


def test_keys_of_a_client_that_cannot_be_fetched_are_a_warning(operations: Operations) -> None:
    def fetch() -> Any:
        raise BankUnreachable("the call failed")

    keys = FetchedKeys("portal", fetch, lambda: NOW, lambda *_: None, lambda run: run())
    operations.fetched["portal"] = keys
    assert operations.ready()[1]["state"] == "ok"
    keys.keys_for("any")
    status, body, checks = operations.ready()
    assert (status, body["state"]) == (200, "warning")
    assert "the call failed" in checks["keys of client portal"]["said"]


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
    (check,) = check_keys(keys, NOW, {})
    assert (check.state, check.said) == ("failed", "no key is in use for id-token-sig RS256, id-token-sig ES256")


def test_a_keys_folder_that_broke_while_running_is_a_warning(made_keys: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made_keys, tmp_path / "keys"))
    now = float(NOW)
    keys = KeyRing(folder, lambda: now)
    folder.chmod(0o755)
    now += 31
    checks = list(check_keys(keys, now, {}))
    assert [check.state for check in checks] == ["ok", "warning"]
    assert checks[1].mend == f"chmod 700 {folder}"


def test_a_last_key_that_ends_within_a_day_is_a_warning(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    ending = Timetable(NOW, NOW, NOW, NOW + 80_000, NOW + 90_000, NOW + 90_000)
    write_key(folder, PURPOSES["id-token-sig"], new_key("ES256"), ending)
    found = list(check_keys(KeyRing(folder, lambda: NOW), NOW, {}))
    assert any(check.name == "keys ending" and check.state == "warning" for check in found)
    later = Timetable(NOW + 1, NOW + 1, NOW + 70_000)
    write_key(folder, PURPOSES["id-token-sig"], new_key("ES256"), later)
    assert not any(check.name == "keys ending" for check in check_keys(KeyRing(folder, lambda: NOW), NOW, {}))


def test_a_key_that_its_age_calls_to_be_replaced_is_a_warning_and_in_the_metrics(made_keys: Path) -> None:
    keys, day = KeyRing(made_keys, lambda: NOW + 30 * DAY), NOW + 30 * DAY
    every = {"rp-sig": 30, "store": 60}
    in_use, check = check_keys(keys, day, every)
    assert in_use.said == "every purpose has a key in use; rp-sig is to be replaced within 0 days"
    assert (check.name, check.state, "rp-sig" in check.said) == ("keys ending", "warning", True)
    metrics = Metrics()
    metrics.watch_keys(lambda: ages(keys.status(), every, day))
    shown = metrics.render().decode()
    assert 'tunnus_key_days_left{alg="RS256",purpose="rp-sig"} 0.0' in shown
    assert 'tunnus_key_days_left{alg="A256GCM",purpose="store"} 30.0' in shown
    assert 'tunnus_key_days_left{alg="RS256",purpose="entity"} +Inf' in shown
    assert 'tunnus_key_age_days{alg="RS256",purpose="entity"} 30.0' in shown


def test_banks_that_encrypt_to_a_lost_key_are_not_ready(made_keys: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made_keys, tmp_path / "keys"))
    next(iter(folder.glob("rp-enc-*"))).unlink()
    generate_keys(folder, NOW + 60, purposes=("rp-enc",))
    (check,) = (check for check in check_keys(KeyRing(folder, lambda: NOW + 61), NOW + 61, {}) if check.state != "ok")
    assert (check.name, check.state) == ("rp-enc key", "failed")
    assert "rotate --emergency rp-enc" in str(check.mend)


class TestOurStatement:
    """What banks know of our entity key, by the statement that they were given."""

    @pytest.fixture
    def settings(self, data: Data, made_keys: Path, tmp_path: Path) -> Settings:
        data["relying_party"]["entity_statement"] = str(tmp_path / "ours.jwt")
        settings = Settings.model_validate(data)
        statement = entity_statement(settings, KeyRing(made_keys, lambda: NOW), NOW)
        (tmp_path / "ours.jwt").write_text(statement)
        return settings

    @pytest.fixture
    def folder(self, made_keys: Path, tmp_path: Path) -> Path:
        return Path(shutil.copytree(made_keys, tmp_path / "keys"))

    def check(self, settings: Settings, folder: Path, now: int = NOW) -> tuple[str, str]:
        (check,) = check_statement(settings, KeyRing(folder, lambda: now), now)
        assert (check.mend is None) == (check.state == "ok")
        return check.state, check.said

    def test_a_whole_one_is_well(self, settings: Settings, folder: Path) -> None:
        assert self.check(settings, folder)[0] == "ok"

    def test_the_next_key_is_missed_in_time_and_the_key_in_use_at_once(self, settings: Settings, folder: Path) -> None:
        rotation_of(folder, 2048).rotate(["entity"], NOW)
        state, said = self.check(settings, folder)
        assert (state, "lacks the entity key that signs from" in said) == ("warning", True)
        assert self.check(settings, folder, NOW + STATEMENT_EXCHANGE)[0] == "failed"
        file = settings.relying_party.entity_statement
        assert file is not None
        old = read_entity_statement(file, NOW).keys
        file.write_text(entity_statement(settings, KeyRing(folder, lambda: NOW + 1), NOW + 1))
        # A bank takes it by the key that it knows, and then knows both.
        new = verify_jws(file.read_text(), usable_keys(old), types=("entity-statement+jwt",), typed=True)
        assert len(new["jwks"]["keys"]) == 2
        assert self.check(settings, folder, NOW + STATEMENT_EXCHANGE)[0] == "ok"

    def test_its_end_is_told_sixty_days_before(self, settings: Settings, folder: Path) -> None:
        end = NOW + settings.relying_party.statement_lifetime
        assert self.check(settings, folder, end - 61 * DAY)[0] == "ok"
        assert "it ends" in self.check(settings, folder, end - 59 * DAY)[1]

    def test_a_connection_that_it_does_not_name_is_told(self, settings: Settings, folder: Path, data: Data) -> None:
        data["connections"]["another"] = data["connections"]["own"]
        state, said = self.check(Settings.model_validate(data), folder)
        assert (state, "/callback/another" in said) == ("warning", True)

    def test_one_that_cannot_be_read_is_told(self, settings: Settings, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "ours.jwt").write_text("e.y.J")
        assert self.check(settings, folder) == ("warning", "cannot be read: it does not verify")


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
        registered = RegisteredClients(settings, lambda: NOW, lambda *_: None)
        app = create_app(
            settings,
            keys=KeyRing(made_keys, lambda: NOW),
            store=Holder(FakeStore(NOW)),
            audit=AuditTrail(settings.audit.dir, lambda: NOW),
            heads=Collector(KeyRing(made_keys, lambda: NOW), None, lambda: NOW),
            metrics=Metrics(),
            status=lambda: Status((), {}, {}),
            live_notices=LiveNotices({}, Seen(), lambda: NOW),
            registered=registered,
            client_files=WatchedClientFiles(settings, registered),
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


def test_what_is_checked_stands_in_the_metrics_as_it_is_now(operations: Operations) -> None:
    assert 'tunnus_check{check="store"} 0.0' in operations.http.get("/metrics").text
    operations.store.down = True
    assert 'tunnus_check{check="store"} 2.0' in operations.http.get("/metrics").text


def test_nothing_of_the_second_port_is_cached_or_secret(operations: Operations, made_keys: Path) -> None:
    secrets = [
        json.loads(path.read_text())["jwk"].get(name) for path in made_keys.glob("*.json") for name in ("d", "k")
    ]
    for path in ("/livez", "/readyz", "/metrics"):
        answer = operations.http.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert not any(secret in answer.text for secret in secrets if secret)


def test_readiness_demands_the_replicas_that_the_settings_do(data: Data, made_keys: Path, valkey_url: str) -> None:
    data["store"] |= {"url": valkey_url, "durable_replicas": 1}
    with redis.Redis.from_url(valkey_url) as client:
        status, _, checks = _operations(Settings.model_validate(data), made_keys, client).ready()
    assert (status, checks["store durability"]["state"]) == (503, "failed")


class TestChecks:
    def test_a_cluster_is_only_well_if_every_node_is(self) -> None:
        nodes = {"a:1": {"aof_enabled": 1, "maxmemory_policy": "noeviction"}, "b:1": {"aof_enabled": 0}}
        store = FakeStore(NOW)
        store.answers = nodes
        store.time_told = {"a:1": (NOW, 0)}
        states = {check.name: check.state for check in check_store(store, lambda: NOW)}
        assert states == {"store": "ok", "store persistence": "warning", "store eviction": "warning"}

    def test_a_store_with_another_clock_is_a_warning(self) -> None:
        store = FakeStore(NOW)
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
