"""One identification from begin to finish, with every provider, against a bank that answers over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from joserfc.jwk import RSAKey

from kit.keys.roca import has_roca_fingerprint
from providers.connection import Connection, SignedJwks
from providers.engine import entity_statement
from providers.engine.adapter import OidcAdapter
from providers.engine.breaker import FAILURES_TO_OPEN
from providers.engine.http import BankHttp
from providers.errors import (
    Cancelled,
    IdentificationError,
    IntegrityError,
    ProviderFailed,
    RelyingPartyRejected,
    Step,
    Unavailable,
)
from providers.model import Attempt, Begun, Provider, VerifiedClaims
from providers.registry import PROVIDERS
from tests.harness.engine.bank import Bank
from tests.harness.engine.jose import at_hash, payload_of, public
from tests.harness.engine.parts import (
    CODE,
    ENTITY_ID,
    JWKS_URI,
    NOW,
    STATE,
    TOKEN_ENDPOINT,
    Clock,
    MemoryKeys,
    Seen,
    make_attempt,
    make_connection,
    make_request,
    message,
)


def token_response(bank: Bank, connection: Connection, **changes: Any) -> dict[str, Any]:
    """What a token endpoint answers."""
    claims = {"at_hash": at_hash("access")} | changes
    return {"access_token": "access", "token_type": "Bearer", "id_token": bank.id_token(connection, **claims)}


@pytest.fixture
def net() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def signed(bank: Bank) -> SignedJwks:
    return SignedJwks(JWKS_URI, ENTITY_ID, (public(bank.entity),))


Make = Callable[..., OidcAdapter]


@pytest.fixture
def make(keys: MemoryKeys, seen: Seen, clock: Clock, bank: Bank) -> Make:
    def adapter(
        dialect: str = "ftn", providers: dict[str, Provider] | None = None, places: int = 4, **changes: Any
    ) -> OidcAdapter:
        connection = make_connection(dialect, **({"jwks": bank.pinned()} | changes))
        http = BankHttp(connection, places, seen, place_seconds=0.01)
        return OidcAdapter(
            connection, PROVIDERS if providers is None else providers, keys, http, seen, clock, has_roca_fingerprint
        )

    return adapter


def refused(kind: type[IdentificationError], step: Step, claim: str | None, act: Callable[[], object]) -> None:
    with pytest.raises(kind) as caught:
        act()
    assert (type(caught.value), caught.value.step, caught.value.claim) == (kind, step, claim)


@pytest.mark.parametrize("dialect", ["ftn", "telia", "isb"])
@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=list(PROVIDERS))
def test_every_provider_identifies_in_every_dialect(
    net: responses.RequestsMock, make: Make, bank: Bank, signed: SignedJwks, provider: Provider, dialect: str
) -> None:
    adapter = make(dialect, selectors={provider.id: f"mock-{provider.id}"}, jwks=signed, pkce=True)
    begun: Begun = adapter.begin(make_request(provider))
    asked = payload_of(parse_qs(urlsplit(begun.step.url).query)["request"][0])
    amr = [f"https://bank.example/op/saml2/names/ac/mock-{provider.id}"] if dialect == "telia" else None
    answer = bank.token_response(adapter.connection, nonce=asked["nonce"], amr=amr)
    net.get(JWKS_URI, body=bank.signed_jwks(), content_type="application/jwk-set+jwt")
    net.post(TOKEN_ENDPOINT, json=answer)
    identity = adapter.finish(message(state=STATE, code="the-code"), STATE, begun.attempt, NOW)
    assert identity.identifier is not None
    assert (identity.identifier.value, identity.name) == (CODE, "Aino Olivia von Testi")
    assert identity.provider == provider.id
    assert identity.provider_known == ("confirmed" if dialect == "telia" else "chosen")
    form = parse_qs(str(net.calls[0].request.body))
    assert form["code_verifier"] == [begun.attempt.private["code_verifier"]]
    assert form["code"] == ["the-code"]


def test_the_bank_is_asked_nothing_before_the_response_holds(net: responses.RequestsMock, make: Make) -> None:
    adapter = make(iss_parameter=True)
    act = adapter.finish
    attempt = make_attempt()
    refused(IntegrityError, Step.RESPONSE, "iss", lambda: act(message(state=STATE, code="x"), STATE, attempt, NOW))
    cancelled = message(state=STATE, error="access_denied", iss=adapter.connection.issuer)
    refused(Cancelled, Step.RESPONSE, None, lambda: act(cancelled, STATE, attempt, NOW))
    assert not net.calls


@pytest.mark.parametrize(
    ("attempt", "handle"),
    [(make_attempt(connection="another"), STATE), (make_attempt(), "cd" * 32)],
)
def test_an_answer_to_another_attempt_or_connection_is_refused(make: Make, attempt: Attempt, handle: str) -> None:
    answer = message(state=STATE, code="x")
    refused(IntegrityError, Step.RESPONSE, "state", lambda: make().finish(answer, handle, attempt, NOW))


def test_a_provider_that_is_served_no_more_is_our_own_matter(make: Make) -> None:
    adapter, attempt = make(providers={}), make_attempt(provider="aktia")
    answer = message(state=STATE, code="x")
    refused(RelyingPartyRejected, Step.RESPONSE, None, lambda: adapter.finish(answer, STATE, attempt, NOW))


def test_a_code_is_posted_once_whatever_follows(net: responses.RequestsMock, make: Make, bank: Bank) -> None:
    adapter = make()
    net.post(TOKEN_ENDPOINT, json=bank.token_response(adapter.connection, nonce="another"))
    answer = message(state=STATE, code="x")
    refused(IntegrityError, Step.ID_TOKEN, "nonce", lambda: adapter.finish(answer, STATE, make_attempt(), NOW))
    net.replace(responses.POST, TOKEN_ENDPOINT, status=503)
    refused(Unavailable, Step.TOKEN_EXCHANGE, None, lambda: adapter.finish(answer, STATE, make_attempt(), NOW))
    assert len(net.calls) == 2


def test_a_new_key_under_the_same_kid_costs_one_fetch_and_no_second_post(
    net: responses.RequestsMock, make: Make, bank: Bank, next_key: RSAKey, signed: SignedJwks
) -> None:
    adapter, kid = make(jwks=signed), str(bank.signing.kid)
    answer = message(state=STATE, code="x")
    net.get(JWKS_URI, body=bank.signed_jwks())
    net.post(TOKEN_ENDPOINT, json=bank.token_response(adapter.connection))
    adapter.finish(answer, STATE, make_attempt(), NOW)
    net.replace(responses.GET, JWKS_URI, body=bank.signed_jwks(keys=[public(next_key, kid=kid)]))
    id_token = bank.jwe(bank.jws(bank.claims(adapter.connection), next_key))
    net.replace(responses.POST, TOKEN_ENDPOINT, json={"token_type": "Bearer", "id_token": id_token})
    assert adapter.finish(answer, STATE, make_attempt(), NOW).evidence.signing_kid == kid
    assert [call.request.method for call in net.calls] == ["POST", "GET"] * 2
    forged = bank.jwe(bank.jws(bank.claims(adapter.connection), bank.attacker))
    net.replace(responses.POST, TOKEN_ENDPOINT, json={"token_type": "Bearer", "id_token": forged})
    refused(IntegrityError, Step.ID_TOKEN, "signature", lambda: adapter.finish(answer, STATE, make_attempt(), NOW))
    assert [call.request.method for call in net.calls] == ["POST", "GET"] * 3


def test_a_bank_with_no_place_left_is_unavailable(net: responses.RequestsMock, make: Make) -> None:
    adapter = make(places=1)
    answer = message(state=STATE, code="x")
    with adapter._http.identification():
        refused(Unavailable, Step.TOKEN_EXCHANGE, None, lambda: adapter.finish(answer, STATE, make_attempt(), NOW))
    assert not net.calls


NO_ANSWERS: dict[str, tuple[int, str, str | bytes]] = {
    "503": (503, "application/json", "{}"),
    "500 with HTML": (500, "text/html", "<h1>oops"),
    "HTML": (200, "text/html", "<h1>Maintenance"),
    "HTML that says it is JSON": (200, "application/json", "<h1>Maintenance"),
    "text": (200, "text/plain", '{"id_token": "x"}'),
    "nothing": (200, "application/json", ""),
    "a list": (200, "application/json", "[]"),
    "an empty object": (200, "application/json", "{}"),
    "a page of a firewall": (403, "text/html", "<h1>Forbidden"),
    "4xx without an error": (404, "application/json", "{}"),
    "a redirect": (302, "text/html", ""),
    "too many requests": (429, "application/json", '{"error": "slow_down"}'),
    "a word for it": (400, "application/json", '{"error": "temporarily_unavailable"}'),
}
ANSWERS: dict[str, tuple[int, str, str | bytes]] = {
    "an error about the code": (400, "application/json", '{"error": "invalid_grant"}'),
    "an error about us": (401, "application/json", '{"error": "invalid_client"}'),
    "an error nobody knows": (400, "application/json", '{"error": "teapot"}'),
    "a token that does not hold": (200, "application/json", '{"id_token": "x", "token_type": "Bearer"}'),
    "tokens and an error": (200, "application/json", '{"id_token": "x", "error": "y"}'),
}


@pytest.mark.parametrize("row", NO_ANSWERS | ANSWERS)
def test_a_bank_that_fails_gets_no_new_starts_and_an_answer_of_any_kind_is_none_of_that(
    net: responses.RequestsMock, make: Make, row: str
) -> None:
    adapter = make()
    status, content_type, body = (NO_ANSWERS | ANSWERS)[row]
    net.post(TOKEN_ENDPOINT, status=status, content_type=content_type, body=body)
    for _ in range(FAILURES_TO_OPEN):
        assert adapter.usable_for("op")
        with pytest.raises(IdentificationError):
            adapter.finish(message(state=STATE, code="x"), STATE, make_attempt(provider="op"), NOW)
    assert adapter.usable_for("op") == (row in ANSWERS)
    assert adapter.usable_for("nordea")
    if row in NO_ANSWERS:
        with pytest.raises(Unavailable):
            adapter.begin(make_request(PROVIDERS["op"]))
    adapter.begin(make_request(PROVIDERS["nordea"]))


def test_who_has_confirmed_is_tried_while_the_breaker_is_open_and_an_answer_closes_it(
    net: responses.RequestsMock, make: Make, bank: Bank
) -> None:
    adapter = make(providers={"op": PROVIDERS["op"]})
    for _ in range(FAILURES_TO_OPEN):
        adapter._http.breakers.failed(None)
    assert not adapter.usable
    net.post(TOKEN_ENDPOINT, json=bank.token_response(adapter.connection))
    identity = adapter.finish(message(state=STATE, code="x"), STATE, make_attempt(provider="op"), NOW)
    assert identity.provider == "op"
    assert adapter.usable


def test_the_failures_of_a_connection_with_one_provider_are_its_own(net: responses.RequestsMock, make: Make) -> None:
    adapter = make(providers={"op": PROVIDERS["op"]})
    net.post(TOKEN_ENDPOINT, status=503)
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(Unavailable):
            adapter.finish(message(state=STATE, code="x"), STATE, make_attempt(provider="op"), NOW)
    assert not adapter.usable


def test_a_used_code_at_isb_is_not_taken_for_our_own_mistake(net: responses.RequestsMock, make: Make) -> None:
    adapter = make("isb")
    answer, attempt = message(state=STATE, code="x"), make_attempt()
    net.post(TOKEN_ENDPOINT, json={"error": "invalid_request", "error_description": "Invalid%20grant"}, status=400)
    refused(ProviderFailed, Step.TOKEN_EXCHANGE, "error", lambda: adapter.finish(answer, STATE, attempt, NOW))
    other = {"error": "invalid_request", "error_description": "parameter%20validation%20failed"}
    net.replace(responses.POST, TOKEN_ENDPOINT, json=other, status=400)
    refused(RelyingPartyRejected, Step.TOKEN_EXCHANGE, "error", lambda: adapter.finish(answer, STATE, attempt, NOW))


def test_names_are_demanded_only_where_they_were_asked_for(net: responses.RequestsMock, make: Make, bank: Bank) -> None:
    adapter = make("isb")
    nameless = {"given_name": None, "family_name": None, "name": None}
    for profile in (True, False):
        begun = adapter.begin(make_request(PROVIDERS["op"], profile=profile))
        nonce = begun.attempt.private["nonce"]
        net.upsert(
            responses.POST, TOKEN_ENDPOINT, json=bank.token_response(adapter.connection, nonce=nonce, **nameless)
        )

        def finish(attempt: Attempt = begun.attempt) -> Any:
            return adapter.finish(message(state=STATE, code="x"), STATE, attempt, NOW)

        if profile:
            refused(IntegrityError, Step.NORMALISE, "name", finish)
        else:
            assert finish().name == ""


def test_an_attempt_survives_json(net: responses.RequestsMock, make: Make, bank: Bank) -> None:
    adapter = make()
    attempt = adapter.begin(make_request(None)).attempt
    kept = replace(attempt, private=json.loads(json.dumps(attempt.private)))
    net.post(TOKEN_ENDPOINT, json=bank.token_response(adapter.connection, nonce=attempt.private["nonce"]))
    assert adapter.finish(message(state=STATE, code="x"), STATE, kept, NOW).provider_known == "unknown"


def test_a_providers_hook_runs_after_the_checks(net: responses.RequestsMock, make: Make, bank: Bank) -> None:
    seen: list[VerifiedClaims] = []

    def adjust(claims: VerifiedClaims) -> VerifiedClaims:
        seen.append(claims)
        return VerifiedClaims({**claims, "urn:oid:2.5.4.4": "Adjusted"})

    hooked = replace(PROVIDERS["aktia"], adjust=adjust)
    adapter, attempt = make(providers={"aktia": hooked}), make_attempt(provider="aktia")
    answer = message(state=STATE, code="x")
    net.post(TOKEN_ENDPOINT, json=bank.token_response(adapter.connection, nonce="another"))
    refused(IntegrityError, Step.ID_TOKEN, "nonce", lambda: adapter.finish(answer, STATE, attempt, NOW))
    assert not seen
    net.replace(responses.POST, TOKEN_ENDPOINT, json=bank.token_response(adapter.connection))
    assert adapter.finish(answer, STATE, attempt, NOW).family_name == "Adjusted"
    assert len(seen) == 1


def test_unknown_claims_are_counted_and_dropped(
    net: responses.RequestsMock, make: Make, bank: Bank, seen: Seen
) -> None:
    adapter = make("telia")
    known = {"session_index": "s", "bank-tupasid": "t", "urn:oid:1.2.246.22": "11223344D", "azp": "tunnus"}
    net.post(TOKEN_ENDPOINT, json=bank.token_response(adapter.connection, **known))
    adapter.finish(message(state=STATE, code="x"), STATE, make_attempt(), NOW)
    assert seen.count("unknown_claims") == 0
    net.replace(responses.POST, TOKEN_ENDPOINT, json=bank.token_response(adapter.connection, **known, x=1, y=2))
    adapter.finish(message(state=STATE, code="x"), STATE, make_attempt(), NOW)
    assert seen.events == [("unknown_claims", {"connection": "bank", "count": 2})]


class _Bank(BaseHTTPRequestHandler):
    """A bank that keeps its connections; the server counts them."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        self._answer(self.server.jwks, "application/jwk-set+jwt")  # type: ignore[attr-defined]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(self.server.token, "application/json")  # type: ignore[attr-defined]

    def _answer(self, body: str, content_type: str) -> None:
        self.server.paths.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_args: object) -> None:
        """Nothing."""


@pytest.fixture
def served() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bank)
    server.connections, server.paths = 0, []  # type: ignore[attr-defined]
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_steady_state_opens_no_connection_fetches_no_keys_and_imports_none(
    served: Any, make: Make, bank: Bank, signed: SignedJwks, keys: MemoryKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = f"http://127.0.0.1:{served.server_address[1]}"
    adapter = make(jwks=replace(signed, uri=f"{base}/jwks"), token_endpoint=f"{base}/token")
    served.jwks = bank.signed_jwks()
    served.token = json.dumps(bank.token_response(adapter.connection))

    def identify() -> None:
        adapter.finish(message(state=STATE, code="x"), STATE, make_attempt(), NOW)

    identify()
    imports: list[object] = []
    plain = RSAKey.import_key
    monkeypatch.setattr(RSAKey, "import_key", lambda *args, **options: imports.append(args) or plain(*args, **options))
    monkeypatch.setattr(entity_statement, "usable_keys", lambda *args: imports.append(args))
    before, keys.signed = served.connections, 0
    for _ in range(20):
        identify()
    assert served.connections == before == 1
    assert served.paths == ["/token", "/jwks"] + ["/token"] * 20
    assert (imports, keys.signed) == ([], 20)
    adapter._http._session.close()
