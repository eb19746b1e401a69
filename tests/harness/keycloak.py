"""A real Keycloak on 127.0.0.1, from its distribution on Maven: realms are imported, nothing is kept.

Maven keeps what it fetched in its own repository, outside the tree. A start takes half a minute: one for a module.
"""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from http.cookiejar import Cookie
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
from requests.cookies import RequestsCookieJar

from demo.runner.processes import Processes, free_port

VERSION = "26.7.3"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
FETCH_SECONDS, START_SECONDS, SECONDS = 1800, 600, 60
"""For the distribution, once; for a start on a busy machine; for one answer."""


@dataclass(frozen=True, slots=True)
class Keycloak:
    """A running one. url: its address. processes: what it runs in, with its log under the name `keycloak`."""

    url: str
    processes: Processes

    def issuer(self, realm: str) -> str:
        """The issuer of a realm."""
        return f"{self.url}/realms/{realm}"

    def discovery(self, realm: str) -> dict[str, Any]:
        """What a realm says of itself."""
        with browser() as session:
            answer = session.get(f"{self.issuer(realm)}/.well-known/openid-configuration", timeout=SECONDS)
        found: dict[str, Any] = answer.json()
        return found


@contextmanager
def running_keycloak(
    folder: Path, *realms: Mapping[str, Any], environment: Mapping[str, str] | None = None, port: int | None = None
) -> Iterator[Keycloak]:
    """Start one in development mode, its database in memory.

    folder: for its log. realms: as Keycloak exports them; a user's `credentials` may hold a password, and `${NAME}`
    stands for a variable of `environment`. port: where it listens, if a realm must know that beforehand.
    """
    port, management = port or free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    with TemporaryDirectory(prefix="keycloak-") as place, Processes(folder / "keycloak") as processes:
        home = unpacked(Path(place))
        imported = home / "data" / "import"
        imported.mkdir(parents=True)
        for realm in realms:
            (imported / f"{realm['realm']}.json").write_text(json.dumps(realm))
        command = [str(home / "bin" / "kc.sh"), "start-dev", "--db=dev-mem", "--import-realm"]
        command += ["--http-host=127.0.0.1", f"--http-port={port}", f"--hostname={url}", "--health-enabled=true"]
        command += ["--http-management-host=127.0.0.1", f"--http-management-port={management}"]
        processes.start("keycloak", command, environment)
        processes.wait_for("keycloak", f"http://127.0.0.1:{management}/health/ready", START_SECONDS)
        yield Keycloak(url, processes)


def unpacked(folder: Path) -> Path:
    """The distribution in a folder; a start writes into it, so that each has its own."""
    artifact = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:tar.gz"
    command = ["mvn", "--quiet", "--batch-mode", COPY, f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"]
    subprocess.run(command, cwd=folder, check=True, timeout=FETCH_SECONDS)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    archive.unlink()
    return folder / f"keycloak-{VERSION}"


class LoopbackCookies(RequestsCookieJar):
    """Its cookies are `Secure` at 127.0.0.1 without https too: browsers send them there, `http.cookiejar` does not."""

    def set_cookie(self, cookie: Cookie, *args: Any, **kwargs: Any) -> None:
        """Take a cookie as one that goes to http."""
        cookie.secure = False
        super().set_cookie(cookie, *args, **kwargs)


def browser() -> requests.Session:
    """A browser for pages of this machine, Keycloak's among them."""
    session = requests.Session()
    session.trust_env = False
    session.cookies = LoopbackCookies()
    return session


def sign_in(session: requests.Session, page: requests.Response, username: str, password: str) -> requests.Response:
    """Fill in Keycloak's own form on a page; the answer to it, redirects not followed."""
    form = re.search(r'<form[^>]*\bid="kc-form-login"[^>]*\baction="([^"]*)"', page.text)
    assert form is not None, f"no form to sign in with: {page.status_code} {page.url}"
    fields = {"username": username, "password": password}
    return session.post(unescape(form[1]), fields, timeout=SECONDS, allow_redirects=False)
