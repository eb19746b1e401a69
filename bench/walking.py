"""Logins as a browser and a client make them, at little cost: they share the machine with what is measured.

A thread keeps its connections, as a proxy in front would; a login has cookies of its own.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from threading import local
from types import MappingProxyType
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from authlib.oauth2.rfc7523.assertion import private_key_jwt_sign
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from demo.runner.client import Client, NotIdentified

MOST_REDIRECTS = 12
SECONDS = 60
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
HEADERS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "fi-FI,fi;q=0.8,sv;q=0.5,en;q=0.3",
    "Accept-Encoding": "gzip, deflate",
}
"""As a browser sends them."""


class _Connections(dict[str, HTTPConnection]):
    """A thread's connections by host, which end with it."""

    def __del__(self) -> None:
        for connection in self.values():
            connection.close()


_kept = local()


@dataclass
class Login:
    """One login. seconds: in requests to the subject, with the bank's answers to it; not in the browser's at the bank.

    headers: more than a browser's usual ones.
    """

    subject: str
    headers: Mapping[str, str]
    seconds: float = 0.0
    cookies: dict[tuple[str, str], str] = field(default_factory=dict)

    def ask(
        self, method: str, url: str, form: str | None = None, headers: dict[str, str] | None = None
    ) -> HTTPResponse:
        """One request, its answer read whole; the body is in `body`."""
        parts = urlsplit(url)
        cookie = "; ".join(f"{name}={value}" for (host, name), value in self.cookies.items() if host == parts.netloc)
        sent = {**HEADERS, **({"Cookie": cookie} if cookie else {}), **self.headers, **(headers or {})}
        begun = time.perf_counter()
        answer = _exchange(
            parts.netloc, method, f"{parts.path}?{parts.query}" if parts.query else parts.path, form, sent
        )
        if parts.netloc == self.subject:
            self.seconds += time.perf_counter() - begun
        for header in answer.headers.get_all("Set-Cookie", []):
            name, _, value = header.partition(";")[0].partition("=")
            self.cookies[parts.netloc, name] = value
            if not value:
                del self.cookies[parts.netloc, name]
        return answer


def _exchange(host: str, method: str, target: str, form: str | None, headers: dict[str, str]) -> HTTPResponse:
    connections: _Connections = _kept.__dict__.setdefault("connections", _Connections())
    for connection in (connections.get(host), HTTPConnection(host, timeout=SECONDS)):
        if connection is None:
            continue
        try:
            connection.request(method, target, form, headers)
            answer = connection.getresponse()
        except RemoteDisconnected:  # it was closed for nobody had used it; whoever is new is not closed
            continue
        except TimeoutError as error:
            connections.pop(host, None)
            connection.close()
            raise NotIdentified(f"{host} does not answer") from error
        connections[host] = connection
        answer.body = answer.read()  # type: ignore[attr-defined]
        return answer
    raise NotIdentified(f"{host} closes new connections")


def identify(client: Client, headers: Mapping[str, str] = MappingProxyType({})) -> float:
    """One whole login and its token, which nobody verifies; the seconds it took (`Login`). Raises NotIdentified.

    headers: more of them, of the browser and of the client.
    """
    login, verifier = Login(urlsplit(client.issuer).netloc, headers), secrets.token_urlsafe(48)
    wanted = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": client.scope,
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
        "idp_hint": "nordea",
    }
    url = f"{client.issuer}/authorize?{urlencode(wanted)}"
    for _ in range(MOST_REDIRECTS):
        answer = login.ask("GET", url)
        if "Location" not in answer.headers:
            raise NotIdentified(f"{answer.status} at {urlsplit(url).path}: {answer.body[:300]!r}")  # type: ignore[attr-defined]
        url = urljoin(url, answer.headers["Location"])
        if url.startswith(client.redirect_uri):
            break
    found = parse_qs(urlsplit(url).query)
    if "code" not in found:
        raise NotIdentified(f"the client got {found.get('error', ['nothing'])[0]}")
    key = client.keys.current()
    form = {
        "grant_type": "authorization_code",
        "code": found["code"][0],
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier,
        "client_id": client.client_id,
        "client_assertion_type": ASSERTION,
        "client_assertion": private_key_jwt_sign(
            key,
            client_id=client.client_id,
            token_endpoint=f"{client.issuer}/token",
            alg="ES256",
            header={"kid": key.kid},
            expires_in=300,
        ),
    }
    as_client = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    answer = login.ask("POST", f"{client.issuer}/token", urlencode(form), as_client)
    if answer.status != 200 or "id_token" not in json.loads(answer.body):  # type: ignore[attr-defined]
        raise NotIdentified(f"{answer.status} for the code: {answer.body[:300]!r}")  # type: ignore[attr-defined]
    return login.seconds


class Load:
    """So many people at a time, who keep their connections from one block to the next."""

    def __init__(self, at_a_time: int) -> None:
        self.at_a_time = at_a_time
        self._pool = ThreadPoolExecutor(at_a_time)

    def logins(self, client: Client, count: int) -> tuple[Sequence[float], float]:
        """Seconds of each login that came to a token, sorted, and of all together."""

        def one(_number: int) -> float | None:
            with suppress(NotIdentified):
                return identify(client)
            return None

        begun = time.perf_counter()
        each = sorted(seconds for seconds in self._pool.map(one, range(count)) if seconds is not None)
        return each, time.perf_counter() - begun
