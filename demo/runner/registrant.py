"""Registering as a company's representative, the way a browser does, without one: pages, forms, redirects, cookies."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from demo.runner.client import MOST_REDIRECTS, SECONDS, title_of
from demo.runner.mock_banks import MockBanks

PASSWORD = "Kesäyö-2026!"
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


class NotRegistered(Exception):
    """The way ended at another page than it should. The text says at which."""


@dataclass(frozen=True, slots=True)
class Company:
    """A company as it stands on its electricity bill."""

    name: str
    fo_nummer: str
    customer_number: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page at the end of redirects. url: its own address."""

    url: str
    status: int
    text: str

    @property
    def path(self) -> str:
        """The path of its address."""
        return urlsplit(self.url).path

    @property
    def title(self) -> str:
        """Its title, as it reads."""
        return html.unescape(title_of(self.text))

    @property
    def hidden(self) -> dict[str, str]:
        """What its form sends along, its token too."""
        return {name: html.unescape(value) for name, value in _HIDDEN.findall(self.text)}

    @property
    def csrf_token(self) -> str:
        """The token of its form. Raises NotRegistered if it has no form."""
        if "csrf_token" not in self.hidden:
            raise NotRegistered(f"a page without a form: {self.status} {self.title}")
        return self.hidden["csrf_token"]


class Registrant:
    """One person at registration. persona: of the mock banks, as their control API describes it, None for nobody."""

    def __init__(self, registration: str, mock: MockBanks, persona: Mapping[str, Any] | None = None) -> None:
        self.registration = registration
        self.mock = mock
        self.persona = persona
        self.browser = requests.Session()
        self.browser.trust_env = False

    def get(self, path: str, **query: str) -> Page:
        """Open an address of registration and follow redirects to a page."""
        return self._follow(self.browser.get(self._url(path), params=query, allow_redirects=False, timeout=SECONDS))

    def post(self, path: str, page: Page | None = None, **fields: str) -> Page:
        """Send a form and follow redirects to a page. page: whose hidden fields go along."""
        data = (page.hidden | {"csrf_token": page.csrf_token} if page else {}) | fields
        return self._follow(self.browser.post(self._url(path), data=data, allow_redirects=False, timeout=SECONDS))

    def identify(self, provider: str, purpose: str = "register", **outcome: Any) -> Page:
        """Identify at a provider; outcome: another one than the persona, as MockBanks.next takes it."""
        if not outcome:
            outcome = {"persona": self._known_persona()}
        self.mock.next(provider, **outcome)
        return self.get("/start", idp_hint=provider, purpose=purpose)

    def fill(self, page: Page, company: Company, **fields: str) -> Page:
        """Fill in the form with a company and [Check the details]; fields: others than usual, None leaves one out."""
        usual = {
            "company_name": company.name,
            "fo_nummer": company.fo_nummer,
            "customer_number": company.customer_number,
            "email": "person@example.com",
            "user_name": "person",
            "password": PASSWORD,
            "terms": "y",
            "right": "y",
        }
        return self.post("/form", page, **(usual | fields))

    def register(self, provider: str, company: Company, user_name: str, email: str) -> Page:
        """Register from the first page on; return the page "done". Raises NotRegistered where it ends elsewhere."""
        form = self.expect("/form", self.identify(provider))
        review = self.expect("/review", self.fill(form, company, user_name=user_name, email=email))
        return self.expect("/done", self.post("/review", review))

    def expect(self, path: str, page: Page) -> Page:
        """The page, if it is the one of that path. Raises NotRegistered."""
        if page.path != path or page.status != 200:
            raise NotRegistered(f"not {path}, but {page.path}: {page.status} {page.title}")
        return page

    def _known_persona(self) -> Any:
        if self.persona is None:
            return "random"
        members = ("personal_identity_code", "given_name", "family_name")
        return {name: self.persona[name] for name in members}

    def _follow(self, answer: requests.Response) -> Page:
        url = answer.url
        for _ in range(MOST_REDIRECTS):
            if not answer.is_redirect:
                return Page(url, answer.status_code, answer.text)
            url = urljoin(url, answer.headers["Location"])
            answer = self.browser.get(url, allow_redirects=False, timeout=SECONDS)
        raise NotRegistered("redirects without end")

    def _url(self, path: str) -> str:
        return urljoin(self.registration, path)
