"""Webhooks against a real HTTP server: what is told, signed how, and what becomes of what is not taken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest
from sqlalchemy import select

from kit.json_service import JsonService, NoAnswer
from kit.serving.ending import Ending
from registration import audit, webhooks
from registration.audit import EVENTS
from registration.cli.mail import run
from registration.database.models import Account, Webhook
from registration.mail.sending import Mailer
from registration.settings.models import WebhookSettings
from registration.webhooks import CLAIM, FIRST_DELAY, GIVEN_UP, TOLD, Pusher
from tests.harness.registration_api import NOW, URL, ApiHarness

FO = "1234567-1"
TELLS_NOTHING = {
    "refused", "email_confirmed", "email_changed", "signed_in", "password_changed", "terms_accepted", "sessions_ended",
    "rights_changed", "administrator_handed_over", "relinked", "exported", "restored", "listed", "customers_imported",
    "audit_pruned", "case_opened", "letters_written", "not_told", "confirmation_sent", "act_asked", "act_refused",
    "caller_asked", "caller_identified", "caller_shown", "caller_not_shown",
    "identified", "rights_reviewed", "numbers_ending", "numbers_suspended", "numbers_back",
}  # fmt: skip


class Receiver(ThreadingHTTPServer):
    """Takes what is pushed; answers the statuses that it was given, then 202."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses: list[int] = []
        self.pushed: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/events"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.pushed.append((self.headers["Content-Type"], body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    server = Receiver()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Told:
    """A receiver of events, and the process that tells it."""

    def __init__(self, api: ApiHarness, server: Receiver, *events: str) -> None:
        self.api, self.server = api, server
        server.statuses, server.pushed = [], []
        settings = api.service.settings.model_copy(update={"webhooks": {"crm": self.hook(server.url, *events)}})
        self.pusher = Pusher(settings, api.database, api.service.keys, api.clock, lambda: 0)
        assert self.pusher.push_due() == 0  # it begins here

    @staticmethod
    def hook(url: str, *events: str) -> WebhookSettings:
        return WebhookSettings.model_validate({"url": url} | ({"events": events} if events else {}))

    def happens(self, event: str, fo_nummer: str | None = FO, **details: str) -> Account:
        found = self.api.staff("/search", {"q": "Aino"}).json["people"]  # type: ignore[index]
        account = found[0]["account_id"]
        with self.api.database.write() as tx:
            now = int(self.api.clock.now)
            audit.record(tx, event, now=now, actor=account, subject=account, fo_nummer=fo_nummer, **details)
            return tx.get_one(Account, account)

    @property
    def tokens(self) -> list[dict[str, Any]]:
        """The claims of what was pushed, verified as a receiver does."""
        keys = jwt.PyJWKSet.from_dict(self.api.browser.get("/jwks").json or {})
        claims = []
        for _, token in self.server.pushed:
            header = jwt.get_unverified_header(token)
            assert header["typ"] == "secevent+jwt"
            checks = {"verify_exp": False, "verify_iat": False}
            key = keys[header["kid"]]
            told = jwt.decode(token, key, ["ES256"], audience=self.server.url, issuer=URL, options=checks)
            claims.append(told)
        return claims

    @property
    def events(self) -> list[str]:
        return [next(iter(claims["events"])).rpartition("/")[2] for claims in self.tokens]


@pytest.fixture
def told(api: ApiHarness, server: Receiver) -> Told:
    api.represents(api.person("Aino"), FO, "100001")
    return Told(api, server)


def test_an_event_is_a_signed_token_that_names_no_person(told: Told) -> None:
    account = told.happens("registered", administrator="yes")
    assert told.pusher.push_due() == 1
    assert told.pusher.push_due() == 0
    (claims,) = told.tokens
    assert told.server.pushed[0][0] == "application/secevent+jwt"
    (facts,) = claims.pop("events").values()
    company = told.api.staff("/search", {"q": FO}).json["companies"][0]  # type: ignore[index]
    company.pop("users")
    assert facts == {"account_id": account.id, "company": company}
    assert re.fullmatch("[0-9a-f]{32}", claims.pop("jti"))
    assert claims == {
        "iss": URL,
        "aud": told.server.url,
        "iat": NOW,
        "toe": NOW,
        "sub_id": {"format": "opaque", "id": account.id},
    }


def test_who_joins_and_leaves_is_told_and_nothing_else(told: Told) -> None:
    for event, details in (
        ("registered", {}),
        ("granted", {"new": "yes"}),
        ("granted", {"new": "no"}),
        ("rights_given", {"new": "yes"}),
        ("rights_given", {"new": "no"}),
        ("case_decided", {"outcome": "granted"}),
        ("case_decided", {"outcome": "granted", "new": "no"}),
        ("case_decided", {"outcome": "refused"}),
        ("rights_changed", {}),
        ("revoked", {"customer_numbers": "all"}),
        ("revoked", {"customer_numbers": "100001"}),
        ("user_removed", {}),
    ):
        told.happens(event, **details)
    told.happens("forgotten", None)
    assert told.pusher.push_due() == 7
    assert told.events == ["registered", "joined", "joined", "joined", "ended", "ended", "ended"]
    assert next(iter(told.tokens[-1]["events"].values()))["company"] is None


def test_every_event_of_the_trail_tells_something_or_is_known_to_tell_nothing() -> None:
    assert set(TOLD) | TELLS_NOTHING == EVENTS
    assert not set(TOLD) & TELLS_NOTHING


def test_what_is_not_taken_waits_longer_each_time_and_comes_again_as_the_same(told: Told) -> None:
    told.happens("registered")
    told.happens("user_removed")
    told.server.statuses = [500, 400]
    assert told.pusher.push_due() == 0
    assert told.pusher.push_due() == 0, "it rests"
    assert len(told.server.pushed) == 1
    told.api.clock.now += FIRST_DELAY
    assert told.pusher.push_due() == 0
    told.api.clock.now += FIRST_DELAY
    assert told.pusher.push_due() == 0, "twice as long"
    told.api.clock.now += FIRST_DELAY
    assert told.pusher.push_due() == 2
    assert told.events == ["registered"] * 3 + ["ended"]
    assert len({claims["jti"] for claims in told.tokens}) == 2
    assert {claims["toe"] for claims in told.tokens} == {NOW}


def test_what_is_not_taken_for_a_week_is_given_up(told: Told) -> None:
    told.happens("registered")
    told.api.clock.now += GIVEN_UP
    told.happens("user_removed")
    told.server.statuses = [400]
    assert told.pusher.push_due() == 1
    assert told.events == ["registered", "ended"]


def test_a_receiver_that_is_away_is_no_hindrance_for_another(told: Told) -> None:
    hooks = {"away": Told.hook("http://127.0.0.1:9/"), "crm": Told.hook(told.server.url)}
    settings = told.pusher.settings.model_copy(update={"webhooks": hooks})
    pusher = Pusher(settings, told.api.database, told.api.service.keys, told.api.clock, lambda: 0)
    pusher.push_due()
    told.happens("registered")
    assert pusher.push_due() == 1
    with told.api.database.read() as tx:
        assert webhooks.oldest(tx, hooks, NOW + 60) == 60
        assert tx.get_one(Webhook, "away").tries == 1


def test_only_the_events_that_were_asked_for_are_told(api: ApiHarness, server: Receiver) -> None:
    api.represents(api.person("Aino"), FO, "100001")
    told = Told(api, server, "ended")
    for event in ("registered", "user_removed"):
        told.happens(event)
    assert told.pusher.push_due() == 1
    assert told.events == ["ended"]


def test_what_was_rolled_back_is_not_told(told: Told) -> None:
    def fails() -> None:
        with told.api.database.write() as tx:
            audit.record(tx, "registered", now=NOW, actor="x", subject="x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert told.pusher.push_due() == 0


def test_two_senders_tell_it_once(told: Told) -> None:
    told.happens("registered")
    row = told.pusher._claimed("crm")
    assert row is not None
    assert told.pusher.push_due() == 0
    assert told.pusher._push(row, lambda: False) == 1
    assert len(told.server.pushed) == 1


def test_of_two_senders_that_look_at_the_same_moment_one_tells_it(told: Told, monkeypatch: Any) -> None:
    told.happens("registered")
    write = told.api.database.write

    def after_another() -> Any:
        monkeypatch.undo()
        assert told.pusher._claimed("crm") is not None
        return write()

    monkeypatch.setattr(told.api.database, "write", after_another)
    assert told.pusher._claimed("crm") is None


def test_a_sender_that_was_held_up_for_as_long_as_its_claim_tells_nothing(told: Told) -> None:
    told.happens("registered")
    row = told.pusher._claimed("crm")
    assert row is not None
    told.api.clock.now += CLAIM
    assert told.pusher._push(row, lambda: False) == 0
    assert told.server.pushed == []
    assert told.pusher.push_due() == 1


def test_records_that_tell_nothing_do_not_pile_up_before_a_receiver(told: Told, monkeypatch: Any) -> None:
    monkeypatch.setattr(webhooks, "FAR", 3)
    for _ in range(3):
        told.happens("rights_changed")
    told.pusher.push_due()
    with told.api.database.read() as tx:
        assert tx.scalar(select(Webhook.seq)) == 3


def test_a_private_address_is_not_connected_to_unless_it_is_allowed(server: Receiver) -> None:
    server.pushed = []
    with pytest.raises(NoAnswer, match="its address is not connected to"):
        JsonService(5, 100, allowed=frozenset({"public"})).push(server.url, b"x", "text/plain")
    assert server.pushed == []
    allowed = JsonService(5, 100, allowed=frozenset({"this machine"}))
    assert allowed.push(server.url, b"x", "text/plain")[0] == 202


def test_the_process_that_sends_mail_tells_webhooks_too(told: Told) -> None:
    told.happens("registered")
    stop = Ending()
    service = told.api.service
    mailer = Mailer(service.settings, told.api.database, service.keys, service.pages, told.api.clock)
    run(mailer, stop, wait=lambda _: stop.ask(), also=told.pusher.push_due)
    assert told.events == ["registered"]


def test_the_keys_are_published_for_an_hour_and_hold_nothing_private(api_on_sqlite: ApiHarness) -> None:
    answered = api_on_sqlite.browser.get("/jwks")
    assert answered.headers["Cache-Control"] == "public, max-age=3600"
    (key,) = (answered.json or {})["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_the_example_of_the_documentation_verifies_what_is_pushed(told: Told) -> None:
    told.happens("registered")
    told.pusher.push_due()
    text = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code
    names: dict[str, Any] = {}
    exec(code[1], names)  # noqa: S102 - our own documentation
    keys = told.api.browser.get("/jwks").json or {}
    (_, token) = told.server.pushed[0]
    verified = names["verified"](token, keys, issuer=URL, audience=told.server.url)
    assert verified["jti"] == told.tokens[0]["jti"]
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    with pytest.raises(jwt.InvalidTokenError):
        names["verified"](forged, keys, issuer=URL, audience=told.server.url)
    with pytest.raises(jwt.InvalidTokenError):
        names["verified"](token, keys, issuer=URL, audience="https://another.example.com/")
