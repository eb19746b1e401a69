"""The version before this one beside it, over one store and one database: what is begun at one ends at the other."""

from __future__ import annotations

import io
import operator
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from urllib.parse import urlsplit

import jwt
import pytest
import requests
import tomli_w
from requests.adapters import HTTPAdapter

from demo.runner.registrant import Registrant
from tests.harness.browser import Browser
from tests.harness.fleet import Fleet, start
from tests.harness.process import ROOT, ServiceProcess, environment
from tests.harness.registration import TESTISAHKO

pytestmark = [pytest.mark.drill, pytest.mark.timeout(900)]

BEFORE = ROOT / "tests" / "versions" / "before"
LOGIN = ("/choose/", "/identify/", "/callback/", "/token", "/userinfo")
REGISTERING = ("GET /callback", "GET /form", "POST /form", "GET /review", "POST /review", "GET /done")


class Turn(HTTPAdapter):
    """Sends requests to one process until one that begins with a text, and from that on to another."""

    def __init__(self, first: ServiceProcess, then: ServiceProcess, at: str) -> None:
        super().__init__()
        self._process, self._then, self._at = first, then, at
        self.turned = False

    def send(self, request: requests.PreparedRequest, **how: object) -> requests.Response:  # type: ignore[override]
        public = urlsplit(request.url or "")
        if any(sent.startswith(self._at) for sent in (public.path, f"{request.method} {public.path}")):
            self._process, self.turned = self._then, True
        request.headers["X-Forwarded-For"] = "127.0.0.1"
        request.url = public._replace(scheme="http", netloc=f"127.0.0.1:{self._process.port}").geturl()
        answer = super().send(request, **how)  # type: ignore[arg-type]
        answer.url = request.url = public.geturl()
        return answer


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of the version before."""
    named = next(line for line in BEFORE.read_text().split("\n") if line and not line.startswith("#"))
    made = subprocess.run(["git", "archive", named], cwd=ROOT, capture_output=True, check=False)
    assert made.returncode == 0, f"this clone has no {named}; git fetch --unshallow: {made.stderr.decode()}"
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def broker_keys(broker_keys: Path, tmp_path: Path) -> Path:
    """As the version before has made them, before `tunnus keys init` adds a purpose that it does not know."""
    return Path(shutil.copytree(broker_keys, tmp_path / "keys", ignore=shutil.ignore_patterns("audit-sig-*")))


@pytest.fixture
def fleet(make_fleet: Callable[..., Fleet], before: Path) -> Fleet:
    """First of each the version before, then this one, brought up as in an upgrade; each asks the other's broker."""
    made = make_fleet("no proxy", roots=(before, ROOT), asks=(1, 0))
    for added in (made.harness.folder / "keys").glob("*-sig-*"):
        added.unlink()
    old, new = zip(made.brokers, made.registrations, strict=True)
    for name, process in zip(("broker", "registration"), old, strict=True):
        leave_out_new_keys(name, process.file, before)
    migrate = [sys.executable, "-m", "registration", "migrate", "--config", str(made.registrations[0].file)]
    subprocess.run(migrate, cwd=before, env=environment(before), check=True)
    start(old)
    made.prepare_database()
    start(new)
    return made


def leave_out_new_keys(name: str, file: Path, root: Path) -> None:
    """Take out of a configuration what that version says is no key of its own."""
    command = [sys.executable, "-m", name, "check", "--config", str(file)]
    told = subprocess.run(command, cwd=root, env=environment(root), capture_output=True, text=True, check=False)
    config = tomllib.loads(file.read_text())
    for path in re.findall(r"^ *(\S+)\n *is not a key of this table", told.stdout + told.stderr, re.MULTILINE):
        *tables, key = path.split(".")
        del reduce(operator.getitem, tables, config)[key]
    file.write_text(tomli_w.dumps(config))


def both_ways(of: Sequence[ServiceProcess]) -> Iterator[tuple[ServiceProcess, ServiceProcess]]:
    """From the old one to the new, and back."""
    return iter([(of[0], of[1]), (of[1], of[0])])


def test_a_login_that_is_begun_at_one_version_ends_at_the_other(fleet: Fleet) -> None:
    fleet.harness.mock.next("*", persona=fleet.harness.system.adult()["id"], times=0)
    subjects = set()
    for first, then in both_ways(fleet.brokers):
        for at in LOGIN:
            turn = Turn(first, then, at)
            browser = Browser(fleet.client())
            browser.session.mount(fleet.proxy.broker, turn)
            chooser = browser.start()
            subjects.add(identified(browser, browser.open(chooser.link("/op")).url, turn)["sub"])
            assert turn.turned, at
    assert len(subjects) == 1


def identified(browser: Browser, arrived: str, turn: Turn) -> dict[str, str]:
    """What the identity token says; `/userinfo` says the same."""
    client = browser.client
    with client.session() as session:
        session.mount(client.issuer, turn)
        given = session.fetch_token(
            f"{client.issuer}/token", authorization_response=arrived, code_verifier=browser.verifier
        )
        told = session.get(f"{client.issuer}/userinfo").json()
    keys = jwt.PyJWKSet.from_dict(browser.session.get(f"{client.issuer}/jwks").json())
    key = keys[jwt.get_unverified_header(given["id_token"])["kid"]]
    claims = jwt.decode(given["id_token"], key, [client.alg], audience=client.client_id, issuer=client.issuer)
    assert told["sub"] == claims["sub"]
    return claims


def test_a_registration_that_is_begun_at_one_version_ends_at_the_other(fleet: Fleet) -> None:
    names = []
    for first, then in both_ways(fleet.registrations):
        for at in REGISTERING:
            turn = Turn(first, then, at)
            person = visitor(fleet, turn)
            names.append(f"person{len(names)}")
            person.register("nordea", TESTISAHKO, names[-1], f"{names[-1]}@example.com")
            assert turn.turned, at
            for other in (first, then):  # and signs in at either
                again = visitor(fleet, Turn(other, other, "/"), person.persona)
                again.expect("/rights", again.identify("nordea", purpose="sign-in"))
    assert fleet.accounts() == set(names)


def visitor(fleet: Fleet, turn: Turn, persona: object = None) -> Registrant:
    """A person at registration; at the broker, any."""
    mock = fleet.harness.mock
    person = Registrant(fleet.proxy.registration, mock, persona or mock.made_adult())  # type: ignore[arg-type]
    person.browser.mount(fleet.proxy.registration, turn)
    person.browser.mount(fleet.proxy.broker, Turn(fleet.brokers[0], fleet.brokers[1], "/callback/"))
    return person
