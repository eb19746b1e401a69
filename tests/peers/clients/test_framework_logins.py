"""Real client libraries log in the way docs/clients tells: by the pages' own code and part of our configuration."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from demo.runner.client import SECONDS, title_of
from demo.runner.configs import broker_config
from demo.runner.mock_banks import MockBanks
from demo.runner.processes import Processes, free_port
from demo.runner.stack import Stack
from kit.client_authentication.secret import hash_secret
from tests.demo.running import CONTRACT, running_stack
from tests.peers.clients.pages import ClientPage

pytestmark = pytest.mark.peers

PEERS = Path(__file__).resolve().parents[1]
PYTHON = PEERS / ".venv" / "bin" / "python"
SECRET = "a secret of 32 characters or more"
"""What every client of these tests authenticates with."""


@dataclass(frozen=True, slots=True)
class Framework:
    """How the client of one page is run. start: a command; `{port}` is its port. login: where a person signs in."""

    page: str
    start: Sequence[str]
    login: str = "/login"
    before: Sequence[Sequence[str]] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


FLASK = (str(PYTHON), "-m", "flask", "--app", "app", "run", "--port", "{port}")
DJANGO = (str(PYTHON), "-m", "django", "runserver", "--noreload", "127.0.0.1:{port}")
DJANGO_TABLES = ((str(PYTHON), "-m", "django", "migrate", "--verbosity", "0"),)
DJANGO_SETTINGS = {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": "."}

NODE = ("node", "app.mjs")
NODE_MODE = {"NODE_ENV": "development"}

FRAMEWORKS = (
    Framework("authlib-flask", FLASK),
    Framework("flask-pyoidc", FLASK),
    *(
        Framework(page, DJANGO, "/me", DJANGO_TABLES, DJANGO_SETTINGS)
        for page in ("mozilla-django-oidc", "django-allauth", "social-auth")
    ),
    *(
        Framework(page, NODE, environment=NODE_MODE)
        for page in ("express-openid-connect", "openid-client", "passport", "auth-js")
    ),
)


@dataclass(frozen=True, slots=True)
class Running:
    """A broker that knows every page's client. apps: the address of each."""

    stack: Stack
    apps: Mapping[str, str]


@pytest.fixture(scope="module")
def running(bank_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_stack(tmp_path_factory.mktemp("clients"), bank_keys) as stack:
        apps = {framework.page: f"http://127.0.0.1:{free_port()}" for framework in FRAMEWORKS}
        config = broker_config(*CONTRACT, stack.places)
        for page, app in apps.items():
            config["clients"] |= ClientPage.read(page).clients(app, hash_secret(SECRET))
        stack.start_broker(config)
        yield Running(stack, apps)


def identified(browser: requests.Session, url: str) -> requests.Response:
    """The client's page at the end of the way that begins at a URL.

    The client may show a button first; at the broker the person chooses Nordea.
    """
    answer = browser.get(url, timeout=SECONDS)
    for _ in range(3):
        if link := re.search(r'href="([^"]*/identify/[^"]*/nordea)"', answer.text):
            answer = browser.get(urljoin(answer.url, link[1]), timeout=SECONDS)
        elif form := re.search(r"<form\b.*?</form>", answer.text, re.DOTALL):
            answer = submitted(browser, answer.url, form[0])
    return answer


def submitted(browser: requests.Session, url: str, form: str) -> requests.Response:
    """The answer to a form whose button was pressed."""
    action = re.search(r'<form[^>]*\baction="([^"]*)"', form)
    assert action is not None
    tags = re.findall(r'<input[^>]*\btype="hidden"[^>]*>', form)
    fields = {name[1]: value[1] for tag in tags if (name := _NAME.search(tag)) and (value := _VALUE.search(tag))}
    return browser.post(urljoin(url, unescape(action[1])), fields, timeout=SECONDS)


_NAME, _VALUE = re.compile(r'\bname="([^"]*)"'), re.compile(r'\bvalue="([^"]*)"')


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda framework: framework.page)
def test_a_client_connects_as_its_page_tells(
    framework: Framework, running: Running, browser: requests.Session, tmp_path: Path
) -> None:
    stack, app = running.stack, running.apps[framework.page]
    ClientPage.read(framework.page).write(tmp_path, app, stack.places.issuer)
    (tmp_path / "node_modules").symlink_to(PEERS / "node_modules")
    environment = {"CLIENT_SECRET": SECRET, "APP_SECRET_KEY": "of these tests, and nobody else knows it"}
    environment |= {"PORT": app.rpartition(":")[2], **framework.environment}
    mock = MockBanks(stack.places.mock)
    person = mock.people()[0]
    mock.next("nordea", persona=person["id"])
    with Processes(tmp_path / "processes") as processes:
        for command in framework.before:
            subprocess.run(command, cwd=tmp_path, env={**os.environ, **environment}, check=True, timeout=SECONDS)
        start = [part.format(port=app.rpartition(":")[2]) for part in framework.start]
        processes.start("client", start, environment, tmp_path)
        processes.wait_for("client", app + framework.login)
        page = identified(browser, app + framework.login)
        assert page.headers["Content-Type"].startswith("application/json"), (
            f"{page.url}: {page.status_code} {title_of(page.text)}\n{processes.tail('client', 40)}"
        )
    claims: dict[str, Any] = page.json()
    assert claims["name"] == f"{person['given_name']} {person['family_name']}"
    assert len(claims["sub"]) > 20
