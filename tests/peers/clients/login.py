"""A client library signs a person in, run by the code of its page of docs/clients."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

from demo.runner.client import SECONDS, title_of
from demo.runner.configs import broker_config
from demo.runner.mock_banks import MockBanks
from demo.runner.processes import Processes, free_port
from demo.runner.stack import Stack
from kit.client_authentication.secret import hash_secret
from tests.demo.running import CONTRACT, running_stack
from tests.peers.clients.pages import ClientPage

HERE = Path(__file__).resolve().parent
PEERS = HERE.parent
SECRET = "a secret of 32 characters or more"
"""What every client of these tests authenticates with."""
BUILD_SECONDS = 1800
"""A peer that is built, its parts fetched first, may take so long."""


@dataclass(frozen=True, slots=True)
class Framework:
    """How the client of one page is run.

    start, before: commands; `{port}`, `{app}` and `{folder}` stand for the client's port, address and files.
    login: where a person signs in. shows: under which names the client's page then says `sub` and, if it does, `name`.
    """

    page: str
    start: Sequence[str]
    login: str = "/login"
    shows: Sequence[str] = ("sub", "name")
    before: Sequence[Sequence[str]] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Running:
    """A broker that knows every page's client. apps: the address of each."""

    stack: Stack
    apps: Mapping[str, str]


@contextmanager
def running_broker(folder: Path, stack_state: Path, frameworks: Sequence[Framework]) -> Iterator[Running]:
    """A broker and the mock banks, for the clients of these pages."""
    with running_stack(folder, stack_state) as stack:
        apps = {framework.page: f"http://127.0.0.1:{free_port()}" for framework in frameworks}
        config = broker_config(*CONTRACT, stack.places)
        for page, app in apps.items():
            config["clients"] |= ClientPage.read(page).clients(app, hash_secret(SECRET))
        stack.start_broker(config)
        yield Running(stack, apps)


def log_in(framework: Framework, running: Running, browser: requests.Session, folder: Path) -> None:
    """Run the client and sign a person in; the client must know who it was."""
    stack, app = running.stack, running.apps[framework.page]
    port = app.rpartition(":")[2]
    ClientPage.read(framework.page).write(folder, app, stack.places.issuer)
    (folder / "node_modules").symlink_to(PEERS / "node_modules")
    environment = {"CLIENT_SECRET": SECRET, "APP_SECRET_KEY": "of these tests, and nobody else knows it"}
    environment |= {"PORT": port, **framework.environment}

    def filled(command: Sequence[str]) -> list[str]:
        return [part.format(port=port, app=app, folder=folder) for part in command]

    person = expect_person(stack)
    with Processes(folder / "processes") as processes:
        for command in framework.before:
            subprocess.run(
                filled(command), cwd=folder, env={**os.environ, **environment}, check=True, timeout=BUILD_SECONDS
            )
        processes.start("client", filled(framework.start), environment, folder)
        processes.wait_for("client", app + framework.login)
        page = identified(browser, app + framework.login)
        assert page.headers.get("Content-Type", "").startswith("application/json"), (
            f"{page.url}: {page.status_code} {title_of(page.text)}\n{processes.tail('client', 40)}"
        )
    claims: dict[str, Any] = page.json()
    sub, *name = (claims[shown] for shown in framework.shows)
    assert name in ([], [f"{person['given_name']} {person['family_name']}"])
    assert len(sub) > 20


def expect_person(stack: Stack) -> dict[str, Any]:
    """Whom Nordea's mock identifies next."""
    mock = MockBanks(stack.places.mock)
    person = mock.people()[0]
    mock.next("nordea", persona=person["id"])
    return person


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
