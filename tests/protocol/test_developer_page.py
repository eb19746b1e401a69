"""The developer page: why requests were refused, a login tried and told claim by claim; and no way around anything."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc.jwk import RSAKey

from broker.app import Parts, create_app
from broker.audit import AuditUnavailable, find
from broker.log_fields import FIELDS
from broker.operations.developer.routes import COOKIE
from broker.operations.developer.tries import Try
from broker.settings import Settings
from broker.store import StoreUnavailable
from demo.runner.client import Client
from demo.runner.processes import free_port
from kit.logs import JsonFormatter
from kit.status.page import BY_A_PROXY
from tests.harness.broker import PORTAL, System
from tests.harness.browser import Arrival, Browser
from tests.harness.page_rules import check_page
from tests.protocol.test_canary import dump_of

WHO = ("given_name", "family_name", "personal_identity_code")


@dataclass
class Desk:
    """A broker with the page, and where that is."""

    system: System
    parts: Parts
    client: Client
    page: str

    def browser(self) -> Browser:
        return Browser(self.client)

    def form(self, browser: Browser, client: str = "portal") -> tuple[requests.Response, dict[str, str]]:
        """A client's page, and what its form would send."""
        shown = browser.session.get(f"{self.page}/developer/clients/{client}", timeout=30)
        check_page(shown.text, "en")
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', shown.text))
        return shown, {name: html.unescape(value) for name, value in fields.items()}

    def begin(self, browser: Browser, client: str = "portal", scope: str = "openid profile") -> str:
        """Where the form's button leads."""
        _, fields = self.form(browser, client)
        return str(self.post(browser, client, fields | {"scope": scope}).headers["Location"])

    def post(self, browser: Browser, client: str, fields: dict[str, str]) -> requests.Response:
        url = f"{self.page}/developer/clients/{client}"
        return browser.session.post(url, data=fields, allow_redirects=False, timeout=30)

    def identified(self, browser: Browser, **wanted: str) -> Arrival:
        """A login that is tried, up to what the page shows of it; the bank identifies."""
        self.system.mock.next("nordea", persona=self.system.adult()["id"])
        chooser = browser.open(self.begin(browser, **wanted))
        return browser.open(chooser.link("/nordea"))

    def code(self, browser: Browser, **wanted: str) -> str:
        """The address that the broker sends the browser to, not opened yet."""
        self.system.mock.next("nordea", persona=self.system.adult()["id"])
        chooser = browser.open(self.begin(browser, **wanted))
        return browser.open(chooser.link("/nordea"), stop_before="/developer/answer").url


@pytest.fixture(scope="module")
def made(system: System) -> Iterator[Desk]:
    port, second = free_port(), free_port()
    issuer, page = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{second}"
    config = system.config("telia", "shared") | {"issuer": issuer}
    config["server"]["developer_page"] = page
    portal = config["clients"]["portal"]
    enc = {**RSAKey.generate_key(2048).as_dict(private=False), "kid": "enc", "use": "enc"}
    coded = {"jwks": [*portal["jwks"], enc], "scopes": ["openid", "profile", "personal_identity_code"]}
    config["clients"]["coded"] = deepcopy(portal) | coded
    system.more_issuers.append((issuer, config))
    app = create_app(Settings.model_validate(config), clock=system.clock)
    parts: Parts = app.extensions["tunnus"]
    system.serve(app, port)
    system.serve(parts.operations, second)
    yield Desk(system, parts, Client(issuer, "portal", f"{PORTAL}/callback", system.client_keys), page)
    system.more_issuers.remove((issuer, config))


@pytest.fixture
def desk(made: Desk) -> Desk:
    made.system.reset()
    return made


def claims_in(text: str) -> dict[str, list[str]]:
    """The rows of the table of claims: name, then value, what it is and what was checked."""
    body = text.partition("<h2>Claims</h2>")[2]
    rows = re.findall(r"<tr>\s*<th scope=\"row\">(\w+)</th>(.*?)</tr>", body, re.DOTALL)
    return {name: [html.unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", cells)] for name, cells in rows}


def test_a_login_that_is_tried_shows_the_token_that_the_client_would_get(desk: Desk) -> None:
    browser, theirs = desk.browser(), desk.browser()
    shown = desk.identified(browser)
    check_page(shown.text, "en")
    assert (shown.status, "The identity token, verified" in shown.text) == (200, True)
    told = claims_in(shown.text)
    desk.system.mock.next("nordea", persona=desk.system.adult()["id"])
    token = theirs.token(theirs.start(idp_hint="nordea"))
    assert token.keys() == told.keys()
    for name in ("iss", "sub", "aud", "acr", "idp", "given_name", "family_name", "birthdate"):
        assert told[name][0] == str(token[name]), name
    assert {told[name][2].partition(":")[0] for name in ("iss", "aud", "exp", "nonce", "at_hash", "acr")} == {"yes"}
    assert desk.system.adult()["personal_identity_code"] not in shown.text
    assert "eyJ" not in shown.text, "no token leaves"


def test_the_trail_tells_that_a_token_was_shown(desk: Desk) -> None:
    told = claims_in(desk.identified(desk.browser()).text)
    (story,) = find(desk.parts.settings.audit.dir, told["txn"][0])
    (record,) = (record for _, _, record in story.records if record["event"] == "handed_over")
    assert (record["client"], record["reason"]) == ("portal", "shown on the developer page")
    assert record["sub"] == told["sub"][0]


def test_what_the_trail_cannot_tell_is_not_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = desk.browser()
    address = desk.code(browser)

    def cannot(*_arguments: Any, **_facts: Any) -> None:
        raise AuditUnavailable("the disk is full")

    monkeypatch.setattr(desk.parts.audit, "record", cannot)
    shown = browser.open(address)
    assert (shown.status, claims_in(shown.text)) == (503, {})


def test_a_code_is_used_once(desk: Desk) -> None:
    browser = desk.browser()
    address = desk.code(browser)
    assert browser.open(address).status == 200
    again = browser.open(address)
    assert (again.status, "cannot be used" in again.text) == (400, True)


def test_of_a_token_that_is_encrypted_to_the_client_the_header_alone_is_shown(desk: Desk) -> None:
    shown = desk.identified(desk.browser(), client="coded", scope="openid profile personal_identity_code")
    check_page(shown.text, "en")
    assert (shown.status, "no key that opens it" in shown.text) == (200, True)
    assert ("RSA-OAEP-256" in shown.text, claims_in(shown.text)) == (True, {})
    for name in WHO:
        assert desk.system.adult()[name] not in shown.text, name


def test_an_error_is_shown_as_the_client_would_get_it(desk: Desk) -> None:
    desk.system.mock.next("nordea", outcome="cancel")
    browser = desk.browser()
    cancelled = browser.open(browser.open(desk.begin(browser)).link("/nordea"))
    shown = browser.open(cancelled.link("/return/"))
    assert (shown.status, "the error access_denied" in shown.text) == (400, True)


def test_nothing_of_a_person_or_a_login_is_stored_or_logged(desk: Desk) -> None:
    lines: list[str] = []

    class Capture(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name.split(".")[0] in ("tunnus", "broker", "providers", "waitress", "werkzeug"):
                lines.append(self.format(record))

    handler = Capture(logging.DEBUG)
    handler.setFormatter(JsonFormatter(FIELDS))
    logging.getLogger().addHandler(handler)
    try:
        browser = desk.browser()
        address = desk.code(browser)
        told = claims_in(browser.open(address).text)
    finally:
        logging.getLogger().removeHandler(handler)
    secret = browser.session.cookies.get_dict()[COOKIE]
    sent = {values[0] for name, values in parse_qs(urlsplit(address).query).items() if name in ("code", "state")}
    assert len(sent) == 2
    wanted = {desk.system.adult()[name] for name in WHO} | sent | {secret, told["nonce"][0]}
    trail = "".join(file.read_text() for file in desk.parts.settings.audit.dir.glob("*.jsonl"))
    stored = b"\n".join(dump_of(client) for client in desk.system.store.clients()).decode("latin-1")
    for place, text in {"log": "\n".join(lines), "trail": trail, "store": stored}.items():
        assert {value for value in wanted if value in text} == set(), place


# No way around anything.


def test_no_request_may_name_the_pages_address(desk: Desk) -> None:
    browser = desk.browser()
    refused = browser.start(redirect_uri=f"{desk.page}/developer/answer")
    assert (refused.status, refused.page is not None) == (400, True)


def test_a_code_that_the_client_got_is_neither_taken_nor_used_up(desk: Desk) -> None:
    browser = desk.browser()
    desk.form(browser)
    tried = Try.new(browser.session.cookies.get_dict()[COOKIE])
    desk.system.mock.next("nordea", persona=desk.system.adult()["id"])
    arrival = browser.start(idp_hint="nordea")
    query = {"code": arrival.answer["code"], "state": tried.state}
    shown = browser.session.get(f"{desk.page}/developer/answer", params=query, timeout=30)
    assert (shown.status_code, claims_in(shown.text)) == (400, {})
    assert browser.token(arrival)["idp"] == "nordea"


def test_an_answer_is_taken_only_by_the_browser_that_began(desk: Desk) -> None:
    browser, other = desk.browser(), desk.browser()
    address = desk.code(browser)
    desk.form(other)
    for stranger in (other, desk.browser()):
        shown = stranger.open(address)
        assert (shown.status, "no login begun here" in shown.text) == (400, True)
    # Nor with another try's state, although that is of this browser.
    code = parse_qs(urlsplit(address).query)["code"][0]
    another = Try.new(browser.session.cookies.get_dict()[COOKIE])
    swapped = f"{desk.page}/developer/answer?code={code}&state={another.state}"
    assert browser.open(swapped).status == 400
    assert browser.open(address).status == 200


@pytest.mark.parametrize("token", [None, "", "made-up", "other"])
def test_nobody_elses_form_begins_a_login(desk: Desk, token: str | None) -> None:
    browser, other = desk.browser(), desk.browser()
    desk.form(browser)
    if token == "other":
        token = desk.form(other)[1]["token"]
    fields = {"scope": "openid profile"} | ({"token": token} if token is not None else {})
    assert desk.post(browser, "portal", fields).status_code == 403
    assert desk.post(desk.browser(), "portal", desk.form(browser)[1]).status_code == 403, "without its cookie"


@pytest.mark.parametrize(
    ("client", "scope"), [("portal", "openid personal_identity_code"), ("portal", ""), ("none", "openid")]
)
def test_it_asks_for_nothing_that_the_client_may_not(desk: Desk, client: str, scope: str) -> None:
    browser = desk.browser()
    fields = desk.form(browser)[1] | {"scope": scope}
    assert desk.post(browser, client, fields).status_code == 400


def test_it_is_shown_under_its_own_name_and_through_no_proxy(desk: Desk) -> None:
    port = desk.parts.operations.test_client()
    for path in ("", "/clients/portal", "/answer"):
        url = f"/developer{path}"
        assert port.get(url, base_url=desk.page).status_code != 403
        assert port.get(url, base_url="http://evil.example").status_code == 403, path
        for name in BY_A_PROXY:
            assert port.get(url, base_url=desk.page, headers={name: "192.0.2.1"}).status_code == 403, (path, name)
    assert requests.get(f"{desk.client.issuer}/developer", timeout=30).status_code == 404


def test_it_is_there_only_if_it_is_asked_for(desk: Desk) -> None:
    parts = desk.system.broker().parts
    assert parts.operations.test_client().get("/developer").status_code == 404
    assert parts.flow.op.clients["portal"].developer_uri is None


# What was refused.


def test_refused_requests_are_told_with_the_mend(desk: Desk) -> None:
    browser = desk.browser()
    browser.start(code_challenge=None, code_challenge_method=None)
    browser.start(client_id="no-such-client")
    shown, _ = desk.form(browser)
    assert "code_challenge is required: send the SHA-256" in shown.text
    clients = browser.session.get(f"{desk.page}/developer", timeout=30)
    check_page(clients.text, "en")
    assert "client_id sent: no-such-client" in clients.text
    assert "register it as [clients.&lt;client_id&gt;]" in clients.text
    assert "script-src" not in clients.headers["Content-Security-Policy"]
    assert clients.headers["Cache-Control"] == "no-store"


def test_a_client_that_is_not_there_is_told(desk: Desk) -> None:
    assert requests.get(f"{desk.page}/developer/clients/none", timeout=30).status_code == 404


def test_a_store_that_is_away_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(_key: Any) -> Any:
        raise StoreUnavailable("away")

    monkeypatch.setattr(desk.parts.store, "recent", cannot)
    shown = requests.get(f"{desk.page}/developer", timeout=30)
    assert (shown.status_code, "cannot be done now" in shown.text) == (503, True)
