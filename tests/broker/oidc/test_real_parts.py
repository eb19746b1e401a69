"""The same with nothing in the place of anything: the key ring's keys, and a real Valkey with sealed values."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from joserfc import jws

from broker.audit import AuditUnavailable
from broker.keys import KeyRing
from broker.settings.store import StoreSettings
from broker.store import Key, RedisStore, connect
from tests.broker.oidc.conftest import MakeWorld
from tests.harness.openid_provider import Harness, person
from tests.harness.store_records import RECORDS, newer_broker, written


@pytest.fixture
def real(make_world: MakeWorld, broker_keys: Path, valkey_url: str) -> Harness:
    ring = KeyRing(broker_keys, time.time)
    harness = make_world(store=RedisStore(connect(StoreSettings(url=valkey_url)), ring), keys=ring)
    harness.clock.now = time.time()
    return harness


@pytest.mark.parametrize(("client_id", "alg"), [("portal", "ES256"), ("wide", "RS256")])
def test_a_code_becomes_a_token_that_verifies_and_a_userinfo_answer(real: Harness, client_id: str, alg: str) -> None:
    answer = real.token(real.form(real.issue(client_id).code, client_id)).get_json()
    assert jws.extract_compact(answer["id_token"].encode()).headers()["alg"] == alg
    assert real.verified(answer["id_token"], client_id)["sub"] == real.op.subject(client_id, person())
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    assert real.browser.get("/userinfo", headers=headers).get_json()["name"] == "Nordea Demo"


def test_a_second_use_of_a_code_ends_the_access_token(real: Harness) -> None:
    code = real.issue().code
    answer = real.token(real.form(code)).get_json()
    assert real.token(real.form(code)).get_json()["error"] == "invalid_grant"
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    assert real.browser.get("/userinfo", headers=headers).status_code == 401


def test_an_assertion_serves_once(real: Harness) -> None:
    signed = real.sign(real.claims(jti="once"))
    assert real.token(real.form(real.issue().code, client_assertion=signed)).status_code == 200
    assert real.token(real.form(real.issue().code, client_assertion=signed)).status_code == 401


def test_a_request_that_failed_is_answered_by_another_broker_once(
    real: Harness, make_world: MakeWorld, broker_keys: Path, valkey_url: str
) -> None:
    ring = KeyRing(broker_keys, time.time)
    other = make_world(store=RedisStore(connect(StoreSettings(url=valkey_url)), ring), keys=ring)
    other.clock.now = real.clock.now
    form = real.form(real.issue().code)
    real.audit_failure = AuditUnavailable("No space left on device")
    assert [real.token(form).status_code for _ in range(3)] == [503, 503, 503]
    assert other.token(form).status_code == 200
    assert real.token(real.form(form["code"])).get_json()["error"] == "invalid_grant"
    assert (real.handed_over, len(other.handed_over)) == ([], 1)


def test_a_code_of_a_newer_broker_is_not_used_up_by_an_older_one(
    real: Harness, make_world: MakeWorld, broker_keys: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = KeyRing(broker_keys, time.time)
    newer = make_world(store=RedisStore(connect(StoreSettings(url=valkey_url)), ring), keys=ring)
    newer.clock.now = real.clock.now
    with newer_broker(monkeypatch):
        form = newer.form(newer.issue().code)
    assert [real.token(form).status_code for _ in range(2)] == [503, 503]
    with newer_broker(monkeypatch):
        assert newer.token(form).status_code == 200
    assert (real.handed_over, len(newer.handed_over)) == ([], 1)


def test_a_token_request_leaves_in_the_store_what_the_samples_say(real: Harness, broker_keys: Path) -> None:
    store = real.op.store
    assert isinstance(store, RedisStore)
    before = set(store.client.scan_iter(count=1000))
    code = real.issue().code
    assert [real.token(real.form(code)).status_code for _ in range(2)] == [200, 400]
    found: dict[str, set[tuple[str, ...]]] = {}
    for name in set(store.client.scan_iter(count=1000)) - before:
        kind = name.decode().rsplit(":", 2)[1]
        record = json.loads(KeyRing(broker_keys, time.time).unseal(name.decode(), store.client.get(name)))
        found.setdefault(kind, set()).add(tuple(sorted(record.keys() - {"format"})))
    assert found.keys() >= {"jti", "used-code", "token"}
    for kind, members in found.items():
        assert members <= {tuple(sorted(written(record))) for record in RECORDS[kind]}


def test_a_list_in_the_store_keeps_its_newest_values(real: Harness) -> None:
    key = Key("refused", "", f"list-{time.time()}")
    for number in range(5):
        real.store.push(key, {"number": number}, most=3, ttl=60)
    assert [value["number"] for value in real.store.recent(key)] == [4, 3, 2]
