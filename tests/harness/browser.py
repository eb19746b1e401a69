"""A browser without a screen: it keeps cookies, follows redirects one by one, and stops at a page or at the client."""

from __future__ import annotations

import html
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from demo.runner.client import Client

LONGEST_WAIT = 60.0
"""Seconds that a page may refresh itself."""


@dataclass
class Arrival:
    """Where a walk ended. page: None at the client. way: every address on it."""

    url: str
    page: requests.Response | None
    way: list[str] = field(default_factory=list)

    @property
    def answer(self) -> dict[str, str]:
        """The parameters that the client got."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}

    @property
    def status(self) -> int:
        """Of the page."""
        assert self.page is not None, f"no page, but {self.url}"
        return self.page.status_code

    @property
    def text(self) -> str:
        """The page."""
        assert self.page is not None, f"no page, but {self.url}"
        return self.page.text

    @property
    def title(self) -> str:
        """The page's title."""
        found = re.search(r"<title>(.*?)</title>", self.text, re.DOTALL)
        return html.unescape(" ".join(found[1].split())) if found else ""

    def links(self) -> list[str]:
        """Every link of the page, absolute."""
        found = re.findall(r'<a\b[^>]*\bhref="([^"]*)"', self.text)
        return [urljoin(self.url, html.unescape(link)) for link in found]

    def link(self, part: str) -> str:
        """The first link that holds a part."""
        return next(link for link in self.links() if part in link)


class Browser:
    """One person's browser. rewrite: lets a load balancer send each request elsewhere."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.session = requests.Session()
        self.session.trust_env = False
        self.rewrite: Callable[[str], str] = lambda url: url
        self.tokens: list[str] = []

    def open(self, url: str, *, stop_before: str = "") -> Arrival:
        """Follow redirects to a page, to the client, or to an address that holds `stop_before`."""
        way = []
        for _ in range(15):
            way.append(url)
            page = self.session.get(self.rewrite(url), allow_redirects=False, timeout=40)
            if not page.is_redirect:
                return Arrival(url, page, way)
            url = urljoin(url, page.headers["Location"])
            if url.startswith(self.client.redirect_uri) or (stop_before and stop_before in url):
                return Arrival(url, None, way)
        raise AssertionError(f"redirects without end: {way}")

    def wait_through(self, arrival: Arrival) -> Arrival:
        """Load a page that refreshes itself again, until it leads on. Sooner than it says, so as not to wait long."""
        end = time.monotonic() + LONGEST_WAIT
        while arrival.page is not None and "Refresh" in arrival.page.headers:
            assert time.monotonic() < end, "the page waits without end"
            time.sleep(0.05)
            arrival = self.open(arrival.url)
        return arrival

    def start(self, *, stop_before: str = "", **parameters: str | None) -> Arrival:
        """Start at the client with a fresh authorization request."""
        return self.open(self.authorize_url(**parameters), stop_before=stop_before)

    def authorize_url(self, **parameters: str | None) -> str:
        """An authorization request; a parameter that is None is left out."""
        self.verifier = secrets.token_urlsafe(48)
        self.state, self.nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        values: dict[str, Any] = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uri,
            "scope": self.client.scope,
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": create_s256_code_challenge(self.verifier),
            "code_challenge_method": "S256",
            "ui_locales": "en",
        } | parameters
        wanted = {name: value for name, value in values.items() if value is not None}
        return requests.Request("GET", f"{self.client.issuer}/authorize", params=wanted).prepare().url or ""

    def token(self, arrival: Arrival) -> dict[str, Any]:
        """Exchange the code the client got; return the verified claims of the identity token."""
        assert arrival.page is None, f"{arrival.status} {arrival.title} at {arrival.url}"
        assert arrival.answer.get("state") == self.state
        with self.client.session() as session:
            answer = session.fetch_token(
                f"{self.client.issuer}/token", authorization_response=arrival.url, code_verifier=self.verifier
            )
        self.tokens += [answer["id_token"], answer["access_token"]]
        return self.client.verify(answer["id_token"], self.nonce)
