"""Traces of logins: which spans there are, whose they are, that they hold nothing of a person, and that off is off."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from flask import Flask

from broker.app import create_app
from broker.log_fields import FIELDS
from broker.oidc.requests import AuthorizationRequest
from broker.settings import Settings
from broker.store import slotted
from broker.tracing.spans import Tracing
from demo.runner.client import Client
from demo.runner.processes import free_port
from kit import logs
from kit.logs import log_each_request
from tests.harness.broker import PORTAL, Broker, System
from tests.harness.browser import Browser
from tests.harness.span_collector import Collector, Span

pytestmark = pytest.mark.smoke

ROOT = Path(__file__).parents[2]
TRACE, CALLER, LATER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{CALLER}-01"
STEPS = ["authorize", "callback", "token_request", "keys_fetch", "token"]


class Traced:
    """A broker whose logins are traced, and the collector that it sends them to."""

    def __init__(self, broker: Broker, collector: Collector) -> None:
        self.broker, self.collector = broker, collector

    def spans(self) -> list[Span]:
        """What has come since the last time."""
        self.broker.parts.tracing.flush()
        found = self.collector.spans
        self.collector.raw.clear()
        return found

    def logs_in(self, row: str = "nordea", browser: Browser | None = None, **parameters: str) -> dict[str, Any]:
        """A whole login; the claims of its identity token."""
        browser = browser or Browser(self.broker.client)
        return browser.token(browser.start(idp_hint=row, **parameters))


def opened(system: System, endpoint: str) -> Broker:
    """A broker whose logins are traced. endpoint: of the collector."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    config = system.config("telia", "shared") | {"issuer": issuer, "tracing": {"otlp_endpoint": endpoint}}
    system.more_issuers.append((issuer, config))
    app = create_app(Settings.model_validate(config), clock=system.clock)
    system.serve(app, port)
    return Broker(app, Client(issuer, "portal", f"{PORTAL}/callback", system.client_keys), config)


@pytest.fixture(scope="module")
def broker_and_collector(system: System) -> Iterator[Traced]:
    with Collector() as collector:
        broker = opened(system, collector.endpoint)
        published = system.more_issuers[-1]
        yield Traced(broker, collector)
        broker.parts.tracing.close()
        system.more_issuers.remove(published)


@pytest.fixture
def traced(broker_and_collector: Traced, system: System) -> Traced:
    """Nothing of another test in it, and the bank's keys not fetched yet."""
    broker_and_collector.spans()
    for adapter in broker_and_collector.broker.parts.flow.adapters.values():
        adapter._http.breakers.reset()
        adapter._bank_keys._keys = {}
        adapter._bank_keys._fetched_at = None
    system.mock.next("nordea", persona=system.adult()["id"])
    return broker_and_collector


def test_a_login_is_one_trace_with_a_span_for_each_step_and_each_call_to_the_bank(traced: Traced) -> None:
    traced.logs_in()
    spans = traced.spans()
    assert [span.name for span in spans] == STEPS
    by_name = {span.name: span for span in spans}
    assert len({span.trace for span in spans}) == 1
    assert by_name["authorize"].parent == ""
    assert {by_name[name].parent for name in ("callback", "token")} == {by_name["authorize"].id}
    assert {by_name[name].parent for name in ("token_request", "keys_fetch")} == {by_name["callback"].id}
    assert {span.attributes["tunnus.step"] for span in spans} == set(STEPS)
    assert {span.attributes.get("tunnus.provider") for span in spans[1:]} == {"nordea"}
    assert not any(span.failed for span in spans)
    assert all(span.start < span.end for span in spans)
    assert by_name["callback"].start < by_name["token_request"].start < by_name["token_request"].end
    assert by_name["keys_fetch"].end < by_name["callback"].end


def test_a_clients_trace_is_gone_on_with(traced: Traced) -> None:
    traced.logs_in(traceparent=SAMPLED)
    spans = traced.spans()
    assert [span.name for span in spans] == STEPS
    assert {span.trace for span in spans} == {TRACE}
    assert spans[0].parent == CALLER


def test_a_clients_header_counts_at_the_token_endpoint_and_a_browsers_nowhere(traced: Traced) -> None:
    browser = Browser(traced.broker.client)
    browser.session.headers["traceparent"] = f"00-{'1' * 32}-{'2' * 16}-01"
    arrival = browser.start(idp_hint="nordea", traceparent=SAMPLED)
    with traced.broker.client.session() as session:
        session.headers["traceparent"] = f"00-{TRACE}-{LATER}-01"
        session.fetch_token(
            f"{traced.broker.client.issuer}/token",
            authorization_response=arrival.url,
            code_verifier=browser.verifier,
        )
    spans = traced.spans()
    assert {span.trace for span in spans} == {TRACE}
    assert (spans[0].parent, spans[-1].name, spans[-1].parent) == (CALLER, "token", LATER)


def test_a_clients_trace_is_kept_where_a_post_is_sent_round(traced: Traced) -> None:
    url = Browser(traced.broker.client).authorize_url(traceparent=SAMPLED)
    answer = requests.post(url, allow_redirects=False, timeout=30)
    there = urljoin(url, answer.headers["Location"])
    (again,) = parse_qs(urlsplit(there).query)["traceparent"]
    requests.get(there, allow_redirects=False, timeout=30)
    first, second = traced.spans()
    assert (first.trace, second.trace) == (TRACE, TRACE)
    assert (first.parent, second.parent, again.split("-")[2]) == (CALLER, first.id, first.id)


NONE = ("", "x", f"00-{'0' * 32}-{CALLER}-01", f"00-{TRACE}-01", "ü" * 50, "%00", SAMPLED * 9)


@pytest.mark.parametrize("sent", NONE)
def test_what_is_no_traceparent_begins_a_trace_of_its_own(traced: Traced, sent: str) -> None:
    traced.logs_in(traceparent=sent)
    spans = traced.spans()
    assert [span.name for span in spans] == STEPS
    assert len({span.trace for span in spans}) == 1
    assert spans[0].trace != TRACE
    assert spans[0].parent == ""


def test_a_client_that_does_not_sample_is_not_traced(traced: Traced) -> None:
    traced.logs_in(traceparent=f"00-{TRACE}-{CALLER}-00")
    assert traced.spans() == []


def test_a_refused_answer_is_a_span_that_failed_and_says_no_more(traced: Traced, system: System) -> None:
    system.mock.clear()
    system.mock.next("nordea", persona=system.adult()["id"], faults=["nonce-invalid"])
    Browser(traced.broker.client).start(idp_hint="nordea")
    assert {span.name: span.failed for span in traced.spans()} == {
        "authorize": False,
        "callback": True,
        "token_request": False,
        "keys_fetch": False,
    }


def test_a_call_that_a_bank_does_not_answer_has_failed_and_one_who_cancels_is_no_failure(
    traced: Traced, system: System
) -> None:
    system.mock.clear()
    system.mock.next("op", outcome="cancel")
    Browser(traced.broker.client).start(idp_hint="op")
    assert [(span.name, span.failed) for span in traced.spans()] == [
        ("authorize", False),
        ("callback", False),
    ]
    system.mock.next("op", persona=system.adult()["id"], faults=["token-connection-reset"])
    Browser(traced.broker.client).start(idp_hint="op")
    failed = {span.name: span.failed for span in traced.spans()}
    assert (failed["token_request"], failed["callback"]) == (True, True)


def test_nothing_of_a_person_or_of_a_secret_is_in_a_span(traced: Traced, system: System) -> None:
    person, browser = system.adult(), Browser(traced.broker.client)
    claims = traced.logs_in(browser=browser, traceparent=SAMPLED)
    system.mock.next("nordea", persona=person["id"], faults=["nonce-invalid"])
    Browser(traced.broker.client).start(idp_hint="nordea")
    traced.broker.parts.tracing.flush()
    messages, raw = traced.collector.messages, b"".join(traced.collector.raw)
    assert traced.spans()
    providers, seen = {*traced.broker.config["providers"]}, 0
    for message in messages:
        for resource in message.resource_spans:
            names = {held.key for held in resource.resource.attributes}
            assert names <= {"service.name", "service.instance.id"} | {
                f"telemetry.sdk.{name}" for name in ("name", "language", "version")
            }
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                seen += 1
                held = {one.key: one.value.string_value for one in span.attributes}
                assert held.keys() <= {"tunnus.step", "tunnus.provider"}
                assert held["tunnus.step"] == span.name
                assert span.name in STEPS
                assert held.get("tunnus.provider", "nordea") in providers
                assert (len(span.events), len(span.links), span.trace_state, span.status.message) == (0, 0, "", "")
    assert seen == 8  # of the second login the bank's keys were known
    secrets = [person[name] for name in ("personal_identity_code", "given_name", "family_name")]
    secrets += [claims["sub"], claims["txn"], browser.state, browser.nonce, *browser.tokens]
    secrets += list(browser.session.cookies.get_dict().values())
    assert [secret for secret in secrets if secret not in {"en"} and secret.encode() in raw] == []


def test_what_is_no_id_of_a_row_is_no_attribute_whatever_the_log_is_told() -> None:
    app = Flask("rows")
    log_each_request(app, FIELDS, lambda *_: None)

    @app.get("/callback/<row>", endpoint="flow.receive")
    def receive(row: str) -> str:
        logs.add(provider=row)
        return row

    with Collector() as collector:
        tracing = Tracing(collector.endpoint, {"nordea"})
        tracing.trace_requests(app)
        for row in ("nordea", "Maija"):
            app.test_client().get(f"/callback/{row}")
        tracing.close()
        assert [span.attributes.get("tunnus.provider") for span in collector.spans] == ["nordea", None]
        assert b"Maija" not in b"".join(collector.raw)


def test_a_collector_that_is_away_hinders_nobody(system: System) -> None:
    broker = opened(system, f"http://127.0.0.1:{free_port()}/v1/traces")
    system.mock.next("nordea", persona=system.adult()["id"])
    assert Traced(broker, None).logs_in()["idp"] == "nordea"  # type: ignore[arg-type]
    broker.parts.tracing.close()


class TestOff:
    """As it is unless the configuration asks for traces."""

    def test_a_broker_needs_no_package_and_imports_nothing_that_traces(self, system: System) -> None:
        code = (
            "import json, sys; sys.modules['opentelemetry'] = None; "  # as if it were not installed
            "from broker.app import create_app; from broker.settings import Settings; "
            "app = create_app(Settings.model_validate(json.load(sys.stdin))); "
            "assert app.extensions['tunnus'].tracing is None; "
            "print([name for name in sys.modules if name.startswith(('opentelemetry.', 'broker.tracing.'))])"
        )
        config, command = json.dumps(system.config("telia", "shared")), [sys.executable, "-c", code]
        done = subprocess.run(command, input=config, capture_output=True, text=True, cwd=ROOT, timeout=100)
        assert (done.stdout, done.stderr) == ("[]\n", "")

    def test_no_request_has_a_hook_more_and_nothing_more_is_kept(self, system: System, traced: Traced) -> None:
        plain = system.broker("telia", "shared")
        for name in ("before_request_funcs", "after_request_funcs"):
            usual, more = (len(getattr(broker.app, name)[None]) for broker in (plain, traced.broker))
            assert more == usual + 1
        assert all(adapter._http._traced is None for adapter in plain.parts.flow.adapters.values())
        browser = Browser(plain.client)
        transaction = browser.start(traceparent=SAMPLED).url.rsplit("/", 1)[1]
        (value,) = plain.parts.store.get(slotted("transaction", transaction))
        assert "traceparent" not in value["request"]
        system.mock.next("nordea", persona=system.adult()["id"])
        code = browser.start(idp_hint="nordea", traceparent=SAMPLED).answer["code"]
        (value,) = plain.parts.store.get(slotted("code", code))
        assert "traceparent" not in value

    def test_a_record_with_a_trace_is_read_by_a_broker_that_traces_nothing(self) -> None:
        kept = AuthorizationRequest("portal", "http://127.0.0.1:9/callback", "openid", traceparent=SAMPLED)
        assert AuthorizationRequest.from_json(kept.to_json()) == kept
