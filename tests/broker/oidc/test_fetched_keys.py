"""A client that publishes its keys rotates them without us; and nobody can make us fetch more than once a minute."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwe, jws
from joserfc.jwk import ECKey, RSAKey
from werkzeug.test import TestResponse

from broker.oidc import fetched_keys
from broker.oidc.fetched_keys import AGAIN, LONGEST, MOST_WAITING, SCHEDULED, FetchedKeys
from broker.settings.models import ClientSettings
from kit.client_authentication.assertion import SigningKey
from providers.engine.bounded import LONGEST_BODY, BankUnreachable
from tests.broker.oidc.conftest import MakeWorld
from tests.harness.certificates import certificate, context
from tests.harness.engine.bank_server import Peer, Server, answer, served
from tests.harness.fapi import FapiClient
from tests.harness.keys import Clock
from tests.harness.openid_provider import TEXTS, Harness

MEMBERS = {"use": "sig"}


def ec() -> ECKey:
    return ECKey.generate_key("P-256", private=True)


FIRST, SECOND, THIRD = ec(), ec(), ec()


def jwk(key: Any, kid: str, **members: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), **MEMBERS, "kid": kid, **members}


class Publisher:
    """A client's server of keys, and the broker that fetches from it."""

    def __init__(self, server: Server, harness: Harness, counted: list[tuple[str, bool]]) -> None:
        self.server, self.harness, self.counted = server, harness, counted

    def publish(self, *keys: dict[str, Any]) -> None:
        self.answer = answer(json.dumps({"keys": keys}).encode())

    def fetches(self) -> int:
        return len(self.server.requests)

    def token(
        self, key: ECKey, kid: str | None, client_id: str = "rotating", scope: str = "openid profile"
    ) -> TestResponse:
        """A token request of a fresh code, with an assertion of this client."""
        header = {"alg": "ES256"} | ({"kid": kid} if kid else {})
        claims = json.dumps(self.harness.claims(client_id))
        signed = jws.serialize_compact(header, claims, key, algorithms=["ES256"])
        code = self.harness.issue(client_id, scope).code
        return self.harness.token(self.harness.form(code, client_id, client_assertion=signed))

    def taken(self, key: ECKey, kid: str | None) -> bool:
        response = self.token(key, kid)
        assert (response.status_code, response.get_json().get("error")) in {(200, None), (401, "invalid_client")}
        return response.status_code == 200


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1")


def section(uri: str, pem: Path, **values: Any) -> ClientSettings:
    plain = {
        "name": TEXTS,
        "redirect_uris": ["https://rotating.example/callback"],
        "auth_method": "private_key_jwt",
        "sector": "first",
        "home_uri": "https://rotating.example/",
        "scopes": ["openid", "profile"],
        "jwks_uri": uri,
        "jwks_ca_bundle": pem,
    }
    return ClientSettings.model_validate(plain | values)


@pytest.fixture
def publisher(make_world: MakeWorld, pem: Path) -> Iterator[Publisher]:
    holder: list[Publisher] = []

    def script(peer: Peer) -> None:
        while peer.read_request():
            peer.send(holder[0].answer)

    counted: list[tuple[str, bool]] = []
    with served(script, context(pem)) as server:
        client = section(f"{server.url}/jwks.json", pem)
        strict = section(f"{server.url}/jwks.json", pem, profile="fapi2", id_token_alg="ES256")
        clients = {"rotating": client, "strict": strict}
        harness = make_world(clients=clients, count_fetch=lambda *fetch: counted.append(fetch))
        holder.append(Publisher(server, harness, counted))
        holder[0].publish(jwk(FIRST, "one"))
        yield holder[0]
    ended()


def ended() -> None:
    """Wait for what is being fetched."""
    for thread in threading.enumerate():
        if thread.name == "client-keys":
            thread.join(30)


def test_the_first_assertion_fetches_and_the_next_do_not(publisher: Publisher) -> None:
    assert [publisher.taken(FIRST, "one") for _ in range(3)] == [True] * 3
    assert publisher.fetches() == 1
    assert publisher.counted == [("rotating", True)]
    request = publisher.server.requests[0].lower()
    assert request.startswith(b"get /jwks.json ")
    assert b"cookie" not in request
    assert b"authorization" not in request


def test_a_client_of_fapi_may_publish_its_keys_and_signs_its_requests_by_them(publisher: Publisher) -> None:
    rsa = RSAKey.generate_key(2048)
    publisher.publish(jwk(FIRST, "one"), jwk(rsa, "rsa"))
    client = FapiClient(publisher.harness, "strict")
    by = {"ES256": ({"alg": "ES256", "kid": "one"}, FIRST), "RS256": ({"alg": "RS256", "kid": "rsa"}, rsa)}
    redirect = "https://rotating.example/callback"

    def pushed(assertion: str, request: str | None) -> dict[str, Any]:
        form = client.credentials(client.assertion(*by[assertion]))
        sent = {"request": client.request_object(*by[request], redirect_uri=redirect)} if request else {}
        answer: dict[str, Any] = publisher.harness.browser.post("/par", data=form | sent).get_json()
        return answer

    assert "request_uri" in pushed("ES256", "ES256")
    assert pushed("RS256", None)["error"] == "invalid_client"
    assert pushed("ES256", "RS256")["error"] == "invalid_request_object"


def test_a_key_that_is_new_is_fetched_by_its_kid_and_one_that_went_is_refused(publisher: Publisher) -> None:
    assert publisher.taken(FIRST, "one")
    publisher.publish(jwk(FIRST, "one"), jwk(SECOND, "two"))
    publisher.harness.clock.now += AGAIN
    assert publisher.taken(SECOND, "two")
    assert publisher.taken(FIRST, "one")
    publisher.publish(jwk(SECOND, "two"))
    publisher.harness.clock.now += SCHEDULED
    publisher.taken(SECOND, "two")
    ended()
    assert not publisher.taken(FIRST, "one")


def test_unknown_kids_fetch_once_a_minute_however_many_come(publisher: Publisher) -> None:
    assert publisher.taken(FIRST, "one")
    for number in range(20):
        assert not publisher.taken(THIRD, f"made-up-{number}")
    assert publisher.fetches() == 1
    publisher.harness.clock.now += AGAIN
    for number in range(20):
        assert not publisher.taken(THIRD, f"made-up-{number}")
    assert publisher.fetches() == 2
    assert publisher.taken(FIRST, "one")


def test_the_address_is_looked_at_for_each_fetch(publisher: Publisher) -> None:
    assert publisher.taken(FIRST, "one")
    publisher.harness.clock.now += AGAIN
    assert not publisher.taken(SECOND, "two")
    assert (publisher.fetches(), publisher.server.connections) == (2, 2)


def test_many_at_once_fetch_once(publisher: Publisher) -> None:
    made = threading.Barrier(MOST_WAITING)
    keys = publisher.harness.op.registered.fetched["rotating"]
    found: list[int] = []

    def ask() -> None:
        made.wait()
        found.append(len(keys.keys_for("one")))

    threads = [threading.Thread(target=ask) for _ in range(MOST_WAITING)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (publisher.fetches(), found) == (1, [1] * MOST_WAITING)


def test_a_set_that_is_at_hand_is_refreshed_behind_ones_back(publisher: Publisher) -> None:
    assert publisher.taken(FIRST, "one")
    publisher.harness.clock.now += SCHEDULED - 1
    assert publisher.taken(FIRST, "one")
    assert publisher.fetches() == 1
    publisher.harness.clock.now += 1
    assert publisher.taken(FIRST, "one")
    ended()
    assert publisher.fetches() == 2


def test_the_last_good_set_serves_a_day_and_no_longer(publisher: Publisher, caplog: pytest.LogCaptureFixture) -> None:
    assert publisher.taken(FIRST, "one")
    publisher.answer = answer(b"", "503 No")
    with caplog.at_level(logging.INFO, "tunnus.keys"):
        for _ in range(3):
            publisher.harness.clock.now += LONGEST // 3 - 1
            assert publisher.taken(FIRST, "one")
            ended()
        publisher.harness.clock.now += 3
        assert not publisher.taken(FIRST, "one")
        assert publisher.harness.op.registered.fetched["rotating"].failure == "it was answered with status 503"
        publisher.publish(jwk(FIRST, "one"))
        publisher.harness.clock.now += AGAIN
        assert publisher.taken(FIRST, "one")
    told = [record.getMessage() for record in caplog.records]
    assert (told.count("client_keys_not_fetched"), told.count("client_keys_fetched_again")) == (1, 1)
    assert publisher.counted.count(("rotating", False)) >= 3


def redirected(publisher: Publisher) -> bytes:
    return answer(b"", "302 Found", f"Location: {publisher.server.url}/jwks.json")


GOOD = [jwk(FIRST, "one")]
UNUSABLE: dict[str, bytes | Callable[[Publisher], bytes]] = {
    "status": answer(json.dumps({"keys": GOOD}).encode(), "404 Not Found"),
    "redirect": redirected,
    "not json": answer(b"{"),
    "no object": answer(json.dumps(GOOD).encode()),
    "no keys": answer(b"{}"),
    "a member twice": answer(b'{"keys": [], "keys": ' + json.dumps(GOOD).encode() + b"}"),
    "keys no list": answer(json.dumps({"keys": {"0": GOOD[0]}}).encode()),
    "too many keys": answer(json.dumps({"keys": GOOD + [{}] * 50}).encode()),
    "too long": answer(json.dumps({"keys": GOOD, "x": "x" * LONGEST_BODY}).encode()),
    "a kid twice": answer(json.dumps({"keys": [*GOOD, jwk(SECOND, "one")]}).encode()),
    "its private half": answer(json.dumps({"keys": [FIRST.as_dict(private=True) | {"kid": "one"}]}).encode()),
    "to encrypt to": answer(json.dumps({"keys": [jwk(FIRST, "one", use="enc")]}).encode()),
    "without kid": answer(json.dumps({"keys": [{**FIRST.as_dict(private=False), "use": "sig", "kid": None}]}).encode()),
    "of another algorithm": answer(json.dumps({"keys": [jwk(FIRST, "one", alg="ES512")]}).encode()),
    "a symmetric key": answer(json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "one"}]}).encode()),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_cannot_be_used_lets_nobody_in(publisher: Publisher, name: str) -> None:
    bad = UNUSABLE[name]
    publisher.answer = bad if isinstance(bad, bytes) else bad(publisher)
    assert not publisher.taken(FIRST, "one")
    assert publisher.fetches() == 1
    assert publisher.counted == [("rotating", False)]


def test_what_else_real_clients_publish_stands_beside_the_key_in_use(publisher: Publisher) -> None:
    others = [
        {"kty": "OKP", "crv": "X25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "x"},
        {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": "p521"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "short"},
        {"kty": "RSA", "n": "u" * 1500, "e": "AQAB", "kid": "huge"},
        "no key",
        None,
    ]
    publisher.publish(*others, jwk(FIRST, "one", alg="ES256", x5t=None))  # type: ignore[arg-type]
    assert publisher.taken(FIRST, "one")
    assert len(publisher.harness.op.registered.fetched["rotating"].keys_for("one")) == 1


def test_another_clients_keys_are_not_this_ones(publisher: Publisher) -> None:
    signed = publisher.harness.sign(publisher.harness.claims("rotating"))
    code = publisher.harness.issue("rotating").code
    response = publisher.harness.token(publisher.harness.form(code, "rotating", client_assertion=signed))
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")
    assert publisher.token(FIRST, "one", "wide").status_code == 401


def test_an_assertion_without_a_kid_goes_by_what_is_at_hand(publisher: Publisher) -> None:
    assert publisher.taken(FIRST, None)
    assert not publisher.taken(SECOND, None)
    assert publisher.fetches() == 1


@pytest.mark.parametrize("sent", ["nothing", "a byte now and then"])
def test_nobody_waits_longer_than_the_bound(
    make_world: MakeWorld, pem: Path, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetched_keys, "SECONDS", 0.2)
    left = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        if sent == "nothing":
            if peer.read_request() == b"":  # it has gone before the server's own time was up
                left.set()
            return
        try:
            peer.drip(answer(json.dumps({"keys": GOOD}).encode())[:60])
        except OSError:
            left.set()
            raise

    with served(script, context(pem)) as server:
        harness = make_world(clients={"rotating": section(f"{server.url}/jwks", pem)})
        publisher = Publisher(server, harness, [])
        assert not publisher.taken(FIRST, "one")
        assert left.wait(15)
        ended()
        assert harness.op.registered.fetched["rotating"].failure is not None


def test_the_key_to_encrypt_to_is_never_fetched(make_world: MakeWorld, pem: Path) -> None:
    enc = RSAKey.generate_key(2048, private=True)
    theirs = RSAKey.generate_key(2048, private=True)
    configured = {"keys": [jwk(enc, "encrypt-to-me", use="enc")]}
    published = answer(json.dumps({"keys": [*GOOD, jwk(theirs, "encrypt-to-me", use="enc")]}).encode())

    def script(peer: Peer) -> None:
        while peer.read_request():
            peer.send(published)

    with served(script, context(pem)) as server:
        scopes = ["openid", "personal_identity_code"]
        client = section(f"{server.url}/jwks", pem, jwks=configured, scopes=scopes)
        publisher = Publisher(server, make_world(clients={"rotating": client}), [])
        token = publisher.token(FIRST, "one", scope="openid personal_identity_code").get_json()["id_token"]
        assert jwe.decrypt_compact(token, enc, algorithms=["RSA-OAEP-256", "A256GCM", "A128CBC-HS256"]).plaintext
        ended()


class Held:
    """One client's keys whose fetches run when the test says so."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.begun: list[Callable[[], None]] = []
        self.answer: tuple[SigningKey, ...] | Exception = BankUnreachable("the call failed")
        self.counted: list[bool] = []
        self.keys = FetchedKeys(
            "rotating", self.fetch, self.clock, lambda _, whole: self.counted.append(whole), self.begun.append
        )

    def fetch(self) -> tuple[SigningKey, ...]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_not_everybody_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetched_keys, "SECONDS", 60.0)
    held = Held()
    waiting = [threading.Thread(target=held.keys.keys_for, args=("one",)) for _ in range(MOST_WAITING)]
    for thread in waiting:
        thread.start()
    while not held.begun or held.keys._waiting._value:
        threading.Event().wait(0.001)
    assert held.keys.keys_for("one") == ()
    assert held.keys.keys_for("another") == ()
    assert len(held.begun) == 1
    held.begun.pop()()
    for thread in waiting:
        thread.join(30)
    assert not any(thread.is_alive() for thread in waiting)


def test_a_fetch_that_takes_long_is_not_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetched_keys, "SECONDS", 0.0)
    held = Held()
    for _ in range(3):
        held.keys.keys_for("one")
        held.clock.now += AGAIN
    assert len(held.begun) == 1


def test_without_a_thread_to_spare_a_client_is_refused_and_tried_again_later() -> None:
    held = Held()

    def none_left(_: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    held.keys._in_background = none_left
    assert held.keys.keys_for("one") == ()
    assert (held.keys.failure, held.counted) == ("no thread could be started", [False])
    held.clock.now += AGAIN
    held.keys.keys_for("one")
    assert held.counted == [False, False]


def test_a_clock_that_went_back_does_not_stop_fetching(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetched_keys, "SECONDS", 0.0)
    held = Held()
    held.keys.keys_for("one")
    held.begun.pop()()
    held.clock.now -= 10 * LONGEST
    held.keys.keys_for("one")
    assert len(held.begun) == 1
