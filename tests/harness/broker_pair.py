"""Two brokers on one Valkey that answer a person in turn, and what every page of theirs must be."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import requests

from kit.pages.rendering import SECURITY_HEADERS
from tests.harness.broker import PORTAL, Broker, System
from tests.harness.browser import Arrival, Browser

MINUTE, HOUR = 60, 3600
CALLBACK = "/callback/"
SECONDS = 30.0


@dataclass
class Pair:
    """Two brokers with the same settings. Each request of a browser goes to the one that did not get the last."""

    system: System
    brokers: tuple[Broker, Broker]
    ports: tuple[int, int]

    @property
    def issuer(self) -> str:
        return self.brokers[0].client.issuer

    def browser(self, *, sharing: Browser | None = None) -> Browser:
        """A browser of its own; sharing: another tab of that one."""
        browser = Browser(self.brokers[0].client)
        if sharing is not None:
            browser.session = sharing.session
        turns = itertools.cycle(self.ports)
        browser.rewrite = lambda url: self.at(url, next(turns))
        return browser

    def at(self, url: str, port: int) -> str:
        """The same address at one of the two."""
        return url.replace(self.issuer, f"http://127.0.0.1:{port}", 1) if url.startswith(self.issuer) else url

    def everybody(self, faces: str = "*") -> None:
        """The bank identifies one person, as often as asked."""
        self.system.mock.next(faces, persona=self.system.adult()["id"], times=0)

    def tokens_asked(self) -> int:
        """How often a code was posted to a bank."""
        return sum(sent["kind"] == "token" for sent in self.system.mock.requests())


def page(arrival: Arrival, status: int, title: str) -> Arrival:
    """What every page must be: of that status, with the headers, and nothing of the client in its address."""
    assert arrival.page is not None, f"no page, but {arrival.url}"
    assert (arrival.status, title in arrival.title) == (status, True), f"{arrival.status} {arrival.title}"
    headers = arrival.page.headers
    assert {name: headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert urlsplit(arrival.url).query in ("", "ui_locales=fi", "ui_locales=sv", "ui_locales=en")
    return arrival


def chooser(arrival: Arrival, notice: str = "Choose how to identify yourself") -> Arrival:
    shown = page(arrival, 200, notice)
    assert notice != "Choose how to identify yourself" or 'class="notice"' not in shown.text
    return shown


def goes_back(browser: Browser, arrival: Arrival, error: str = "access_denied") -> None:
    """The page has a way back, and it tells the client, with its state and our issuer (RFC 9207)."""
    back = browser.open(arrival.link("/return/"))
    assert back.answer == {"error": error, "state": browser.state, "iss": browser.client.issuer}


def identified(browser: Browser, arrival: Arrival, provider: str) -> None:
    assert browser.token(arrival)["idp"] == provider


def transaction_of(arrival: Arrival) -> str:
    return urlsplit(arrival.url).path.split("/")[2]


def problem_of(shown: Arrival) -> str:
    """The address of the problem page of a chooser's transaction."""
    return urljoin(shown.url, f"/problem/{transaction_of(shown)}")


def goes_home(browser: Browser, arrival: Arrival) -> None:
    """The page's way back, in another browser than the one that began: the client's home page, and nothing more."""
    assert browser.open(arrival.link("/return/"), stop_before=PORTAL).url == PORTAL


def ask(url: str, cookies: dict[str, str]) -> str:
    """Where one request is sent on to."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, cookies=cookies, allow_redirects=False, timeout=SECONDS)
    assert answer.status_code == 303
    return answer.headers["Location"]
