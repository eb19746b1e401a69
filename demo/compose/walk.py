"""Walk the demo from outside, as a browser does: through the portal's own buttons, and through the broker's chooser.

It is told no address but the portal's and the mock banks': everything else it finds in pages and redirects. The
mock banks are told beforehand whom to identify. Exit status 0 only if the portal shows that person each time.
"""

from __future__ import annotations

import sys
import time
import unicodedata
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import click
import requests

from demo.runner.configs import PROVIDERS
from demo.runner.mock_banks import MockBanks
from demo.runner.registration_proof import Places, register_company
from demo.runner.services import companies

SECONDS = 30
REACHED = "identity"
"""The portal's page that shows an identity."""


class WrongWay(Exception):
    """What a browser met is not what the demo promises. The text says where."""


class Page(HTMLParser):
    """What a person finds on a page: where its links lead, and the terms of its lists with what they say."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__()
        self.url = answer.url
        self.links: list[str] = []
        self.terms: dict[str, str] = {}
        self._in: str | None = None
        self._term = ""
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link, or that a term begins."""
        if tag == "a" and (href := dict(attrs).get("href")):
            self.links.append(urljoin(self.url, href))
        if tag in ("dt", "dd"):
            self._in = tag

    def handle_endtag(self, tag: str) -> None:
        """Note that a term ends."""
        if tag in ("dt", "dd"):
            self._in = None

    def handle_data(self, data: str) -> None:
        """Note a term, or what is said of it."""
        if self._in == "dt":
            self._term = data.strip()
        if self._in == "dd":
            self.terms[self._term] = self.terms.get(self._term, "") + data.strip()

    def link(self, ending: str) -> str:
        """The one link that ends so. Raises WrongWay."""
        found = {link for link in self.links if link.endswith(ending)}
        if len(found) != 1:
            raise WrongWay(f"{len(found)} links at {self.url} end with {ending}")
        return found.pop()


def fresh_browser() -> requests.Session:
    """A browser that has been nowhere."""
    browser = requests.Session()
    browser.trust_env = False
    return browser


def visit(browser: requests.Session, url: str) -> Page:
    """Open a page, redirects included. Raises WrongWay if it is an error, or leads off this machine."""
    answer = browser.get(url, timeout=SECONDS)
    for step in (*answer.history, answer):
        if urlsplit(step.url).hostname != "127.0.0.1":
            raise WrongWay(f"a browser was sent to {urlsplit(step.url).netloc}")
    if answer.status_code != 200:
        raise WrongWay(f"status {answer.status_code} at {urlsplit(answer.url)._replace(query='').geturl()}")
    return Page(answer)


def walk(portal: str, mock: MockBanks, provider: str, persona: Mapping[str, Any], *, by_chooser: bool) -> None:
    """Identify a persona. by_chooser: the bank is chosen on the broker's page. Raises WrongWay."""
    mock.next(provider, persona=persona["id"])
    with fresh_browser() as browser:
        start = visit(browser, f"{portal}/")
        if by_chooser:
            page = visit(browser, visit(browser, start.link("/start")).link(f"/{provider}"))
        else:
            page = visit(browser, start.link(f"/start?idp_hint={provider}"))
    if page.url != f"{portal}/{REACHED}":
        raise WrongWay(f"it ended at {urlsplit(page.url)._replace(query='').geturl()}")
    wanted = {
        "given_name": unicodedata.normalize("NFC", persona["given_name"]),
        "family_name": unicodedata.normalize("NFC", persona["family_name"]),
        "birthdate": persona["birthdate"],
        "idp": provider,
    }
    wrong = [name for name, value in wanted.items() if page.terms.get(name) != value]
    wrong += [name for name in ("sub", "txn") if not page.terms.get(name)]
    if wrong:
        raise WrongWay(f"the portal shows another {', '.join(wrong)}")


def walk_all(portal: str, mock: MockBanks) -> int:
    """Every button, and the chooser once; a line for each. Return how many went wrong."""
    persona = mock.people()[0]
    wrong = 0
    for provider, by_chooser in [*((name, False) for name in PROVIDERS), (PROVIDERS[0], True)]:
        begun, said = time.monotonic(), "ok"
        try:
            walk(portal, mock, provider, persona, by_chooser=by_chooser)
        except (WrongWay, requests.RequestException) as error:
            said, wrong = str(error), wrong + 1
        way = "chooser" if by_chooser else "button"
        print(f"{provider:<20} {way:<8} {(time.monotonic() - begun) * 1000:5.0f} ms  {said}", flush=True)
    return wrong


def walk_registration(places: Places, mock: MockBanks) -> int:
    """One registration, to the online service; a line for it. Return 1 if it went wrong."""
    begun = time.monotonic()
    problem = register_company(places, mock, companies()[-1])
    print(f"{'registration':<29} {(time.monotonic() - begun) * 1000:5.0f} ms  {problem or 'ok'}", flush=True)
    return int(problem is not None)


@click.command()
@click.option("--portal", default="http://127.0.0.1:8003", show_default=True, help="The portal's address.")
@click.option("--mock", default="http://127.0.0.1:8002", show_default=True, help="The mock banks' address.")
@click.option("--registration", default="http://127.0.0.1:8001", show_default=True, help="Registration's address.")
@click.option("--online-service", default="http://127.0.0.1:8004", show_default=True, help="The online service's.")
@click.option("--mailbox", default="http://127.0.0.1:8025", show_default=True, help="The address of caught e-mail.")
def main(portal: str, mock: str, registration: str, online_service: str, mailbox: str) -> None:
    """Walk a running demo from outside."""
    banks = MockBanks(mock.rstrip("/"))
    try:
        wrong = walk_all(portal.rstrip("/"), banks)
        wrong += walk_registration(Places(registration, online_service, mailbox), banks)
    except requests.ConnectionError as error:
        raise click.ClickException(f"nothing answers at {mock}; start the demo: docker compose up") from error
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
