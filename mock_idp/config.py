"""What the mock banks need to know, frozen; from options, environment variables or a test."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests

FETCH_TIMEOUT = 10.0
FETCH_LIMIT = 1_000_000
_COMPACT_JWS = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


class FetchFailed(Exception):
    """Something of the relying party could not be read; the text says what and why."""


def fetch(source: str, ca_bundle: Path | None = None) -> bytes:
    """Read a relying party's file or URL; at most 1 MB within 10 seconds. Raises FetchFailed.

    source: may be the document itself, a compact JWS, for who can give an environment and no file. ca_bundle: the
    certificate authorities to trust, instead of the usual ones.
    """
    if _COMPACT_JWS.fullmatch(source):
        return source.encode()
    if urlsplit(source).scheme not in ("http", "https"):
        try:
            return Path(source).read_bytes()
        except OSError as error:
            raise FetchFailed(f"{source} cannot be read: {error.strerror}") from error
    try:
        with requests.Session() as session:
            session.trust_env = False
            session.verify = str(ca_bundle) if ca_bundle else True
            answer = session.get(source, timeout=FETCH_TIMEOUT, allow_redirects=False)
    except requests.exceptions.SSLError as error:
        mend = "name its authority with --rp-ca-bundle"
        raise FetchFailed(f"{source} has a certificate that is not trusted; {mend}") from error
    except (requests.RequestException, OSError) as error:
        raise FetchFailed(f"{source} cannot be fetched: {type(error).__name__}") from error
    if answer.status_code != 200:
        raise FetchFailed(f"{source} answered with status {answer.status_code}")
    if len(answer.content) > FETCH_LIMIT:
        raise FetchFailed(f"{source} is larger than {FETCH_LIMIT} bytes")
    return answer.content


def named(source: str) -> str:
    """How a message names where something came from: a document that was given itself is not repeated."""
    return "the JWT that was given" if _COMPACT_JWS.fullmatch(source) else source


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the mock banks.

    base_url: what browsers see, without a trailing slash. back_url: where the relying party reaches the token
    and key endpoints (default: the same). relying_party: its entity statement, or the file or URL of it.
    relying_party_signed_jwks_uri: instead of the address in that statement. service_names: the agreed
    `ftn_spname` values; empty means that only the form of the name is checked. require_pkce: where PKCE is
    advertised, a request without it is refused. control: the control API is served. clock: seconds since the epoch.
    """

    base_url: str
    state_dir: Path
    relying_party: str | None = None
    back_url: str | None = None
    relying_party_signed_jwks_uri: str | None = None
    client_id: str = "tunnus"
    service_names: frozenset[str] = frozenset()
    require_pkce: bool = True
    control: bool = True
    clock: Callable[[], float] = field(default=time.time)
    fetch: Callable[[str], bytes] = field(default=fetch)

    @property
    def back(self) -> str:
        """Base address of the token and key endpoints."""
        return self.back_url or self.base_url
