"""Customer service as staff meet it: the employer's provider of the demo, registration behind it, all over HTTP."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import requests
from flask import Flask

from customer_service.app import create_app
from customer_service.keys import PURPOSES, Keys
from customer_service.settings import Settings
from demo.employer.app import create_app as create_employer
from demo.employer.provider import Client
from demo.runner.processes import free_port
from kit.keys.rotation import Rotation
from registration.app import create_app as create_registration
from registration.database import migrate
from registration.settings import Settings as RegistrationSettings
from tests.harness import registration_api
from tests.harness.registration_api import ApiHarness, configuration
from tests.harness.registration_keys import make_keys
from tests.harness.serving import Served
from tunnus_verifier.testing.mint import TokenMint

SECONDS = 30
MAIJA, SVEN, SAGA, AARNE, OILI = "maija", "sven", "saga", "aarne", "oili"
"""The demo's staff: an agent, two supervisors, an auditor, and one who has no role."""
BRAND = {
    "name": {"fi": "Esimerkkienergia", "sv": "Exempelenergi", "en": "Example Energy"},
    "customer_service": {"phone": "+358 9 000 0000", "email": "service@example.com"},
}
ROLES = {"agent": ["customer-service"], "supervisor": ["customer-service-leads"], "auditor": ["internal-audit"]}


class Clock:
    """The time as it is, and some seconds more: the employer's provider goes by the time as it is."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Registration(ApiHarness):
    """Registration's API, on a clock that runs."""

    def begin(self) -> ApiHarness:
        """A test begins."""
        self.browser = self.app.test_client()
        return self


@dataclass
class Page:
    """A page that a browser has got. path: its address."""

    path: str
    status: int
    text: str
    headers: Any = field(repr=False)

    @property
    def title(self) -> str:
        """Its heading."""
        return _plain(re.findall(r"(?s)<h1>(.*?)</h1>", self.text)[0])

    @property
    def words(self) -> str:
        """All its text, in one line."""
        return _plain(self.text.partition("<main")[2])

    @property
    def csrf_token(self) -> str:
        """Of its form."""
        return re.findall(r'name="csrf_token" value="([^"]+)"', self.text)[0]

    @property
    def errors(self) -> list[str]:
        """What is said at fields, and above."""
        return [_plain(one) for one in re.findall(r'(?s)<p class="(?:error|summary-text)"[^>]*>(.*?)</p>', self.text)]

    def values(self, name: str) -> list[str]:
        """What stands in a field: of an input, a text area or a list that is chosen from."""
        inputs = re.findall(rf'<input[^>]* name="{name}" value="([^"]*)"', self.text)
        areas = re.findall(rf'(?s)<textarea[^>]* name="{name}"[^>]*>\n?(.*?)</textarea>', self.text)
        lists = re.findall(rf'(?s)<select[^>]* name="{name}"[^>]*>(.*?)</select>', self.text)
        chosen = [one for text in lists for one in re.findall(r'<option value="([^"]*)" selected', text)]
        return [html.unescape(one) for one in [*inputs, *areas, *chosen]]

    def link(self, text: str) -> str:
        """The address of a link."""
        found = re.findall(r'(?s)<a [^>]*href="([^"]+)"[^>]*>(.*?)</a>', self.text)
        return next(html.unescape(url) for url, name in found if text in _plain(name))

    def has_link(self, text: str) -> bool:
        """Whether it has one."""
        return any(text in _plain(name) for name in re.findall(r"(?s)<a [^>]*>(.*?)</a>", self.text))


def _plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@dataclass
class StaffBrowser:
    """A browser of a member of staff. url: of customer service."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        self.session.headers["Accept-Language"] = "en"

    def get(self, path: str, **query: str) -> Page:
        """Open an address and follow redirects within customer service."""
        return self._page(self.session.get(self._url(path), params=query, allow_redirects=False, timeout=SECONDS))

    def post(self, path: str, page: Page | None = None, **fields: Any) -> Page:
        """Send a form. page: whose token goes along."""
        data = ({"csrf_token": page.csrf_token} if page else {}) | fields
        return self._page(self.session.post(self._url(path), data=data, allow_redirects=False, timeout=SECONDS))

    def sign_in(self, person: str, to: str = "/service") -> Page:
        """Sign in at the employer's provider, and come to a page."""
        return self.get(self.answered(person, to))

    def answered(self, person: str, to: str = "/service") -> str:
        """Sign in as far as to the address that leads back from the employer's provider."""
        url = self._url("/service/sign-in")
        asked = self.session.get(url, params={"to": to}, allow_redirects=False, timeout=SECONDS)
        data = {"person": person}
        answer = self.session.post(asked.headers["Location"], data=data, allow_redirects=False, timeout=SECONDS)
        return str(answer.headers["Location"])

    def search(self, text: str) -> Page:
        """Search for something."""
        return self.post("/service/search", self.get("/service"), q=text)

    def fill(self, path: str, **fields: Any) -> Page:
        """Fill in an act's form; with a reason, unless told otherwise."""
        return self.post(path, self.get(path), **({"reason": "asked_by_phone", "text": "Called back"} | fields))

    def do(self, path: str, **fields: Any) -> Page:
        """The same, and confirm it on the page after it."""
        page = self.fill(path, **fields)
        assert (page.path[:16], page.status) == ("/service/drafts/", 200), page.words
        return self.post(page.path, page)

    def _url(self, path: str) -> str:
        return path if path.startswith("http") else self.url + path

    def _page(self, response: requests.Response) -> Page:
        for _ in range(5):
            to = response.headers.get("Location")
            if to is None:
                break
            response = self.session.get(self._url(to), allow_redirects=False, timeout=SECONDS)
        return Page(urlsplit(response.url).path, response.status_code, response.text, response.headers)


@dataclass
class StaffHarness:
    """Customer service with all that it meets. site: its application; change it by `open_site`."""

    url: str
    clock: Clock
    registration: Registration
    served: Served
    issuer: str
    folder: Path
    config: dict[str, Any] = field(repr=False)
    site: Flask = field(init=False)

    def open_site(self, change: Callable[[dict[str, Any]], None] = lambda config: None) -> Flask:
        """Customer service anew, as after a restart. change: of its configuration."""
        config = deepcopy(self.config)
        change(config)
        self.site = self.served.app = create_app(Settings.model_validate(config), clock=self.clock)
        self.served._server.application = self.site
        return self.site

    def browser(self) -> StaffBrowser:
        """A browser in which nobody is signed in."""
        return StaffBrowser(self.url)

    def staff(self, person: str = MAIJA) -> StaffBrowser:
        """A browser in which a member of staff is signed in."""
        browser = self.browser()
        page = browser.sign_in(person)
        assert page.status in (200, 403), page.words
        return browser

    @contextmanager
    def registration_down(self) -> Iterator[None]:
        """Meanwhile registration does not answer."""
        service = self.site.extensions["customer_service"].registration
        with mock.patch.object(service, "_base", f"http://127.0.0.1:{free_port()}"):
            yield


@contextmanager
def open_staff_harness(folder: Path, database_url: str) -> Iterator[StaffHarness]:
    """All of it; ended with the context."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict("os.environ", AUTHLIB_INSECURE_TRANSPORT="1"))
        clock = Clock()
        Rotation(folder / "keys", PURPOSES).init(0)
        make_keys(folder / "registration-keys", 0)
        jwks = {"keys": [Keys(folder / "keys").public_jwk]}
        settings = configuration(database_url, folder / "registration-keys", "http://127.0.0.1:9")
        clients = settings["api"]["clients"]
        clients["customer-service"] = clients["customer-service"] | {"jwks": jwks}
        app = create_registration(RegistrationSettings.model_validate(settings), clock=clock)
        registration = Registration(app, clock, TokenMint("http://127.0.0.1:9", "registration"))  # type: ignore[arg-type]
        migrate.upgrade(registration.database)
        port, employer_port, registration_port = free_port(), free_port(), free_port()
        url, issuer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{employer_port}"
        client = Client("customer-service", f"{url}/service/callback", f"{url}/service", jwks)
        for served_app, at in ((app, registration_port), (create_employer(issuer, client), employer_port)):
            stack.callback(Served(served_app, at).close)
        config: dict[str, Any] = {
            "environment": "test",
            "url": url,
            "keys": {"dir": str(folder / "keys")},
            "brand": BRAND,
            "sign_in": {"issuer": issuer, "id_token_algs": ["ES256"], "roles": ROLES},
            "registration": {"url": registration_api.URL, "back_url": f"http://127.0.0.1:{registration_port}"},
        }
        first = create_app(Settings.model_validate(config), clock=clock)
        served = Served(first, port)
        stack.callback(served.close)
        harness = StaffHarness(url, clock, registration, served, issuer, folder, config)
        harness.open_site()
        yield harness


def code_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
