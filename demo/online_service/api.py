"""What the online service asks registration: whose user name and password these are, and what a person may see.

docs/openapi-registration.yaml describes both endpoints. The client proves itself by client_secret_basic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import requests

LEVELS = ("none", "read", "write")
TIMEOUT = (3, 10)
"""Seconds to connect, and for each piece of the answer."""


class Unavailable(Exception):
    """Registration does not answer, or not as it should."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The user name and the password do not belong together; or the person must wait, this many seconds."""

    wait: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who has signed in by password. terms_url: where new terms of use are accepted, None if there are none."""

    sub: str
    given_name: str
    family_name: str
    terms_url: str | None


@dataclass(frozen=True, slots=True)
class Company:
    """What a person may see of a company. levels: by section."""

    fo_nummer: str
    name: str
    customer_numbers: tuple[str, ...]
    administrator: bool
    levels: Mapping[str, str]

    def may(self, section: str, level: str) -> bool:
        """Whether they hold that level in a section, or a higher one; a level we do not know allows nothing."""
        held = self.levels.get(section)
        return held in LEVELS and LEVELS.index(held) >= LEVELS.index(level)


@dataclass(frozen=True, slots=True)
class Rights:
    """A person's companies, as of one answer. etag: to ask whether anything has changed since.

    terms_url: where new terms of use are to be accepted before anything else, None if there are none.
    """

    sub: str
    companies: tuple[Company, ...]
    terms_url: str | None
    etag: str | None = field(default=None, repr=False)


class RegistrationApi:
    """A client of registration's API. url: where this server reaches it."""

    def __init__(self, url: str, client_id: str, secret: str) -> None:
        self._url = url
        # Each is form-urlencoded within the header (RFC 6749 §2.3.1).
        self._credentials = (quote_plus(client_id), quote_plus(secret))

    def sign_in(self, user_name: str, password: str, address: str) -> Person | Refused:
        """Who they are. address: the person's, which registration counts wrong tries by. Raises Unavailable."""
        asked = {"user_name": user_name, "password": password, "address": address}
        answer = self._send("POST", "/api/sign-in", json=asked, auth=self._credentials)
        if answer.status_code == 403:
            return Refused()
        if answer.status_code == 429:
            return Refused(_seconds(answer.headers.get("Retry-After", "")))
        return _person(_body(answer))

    def rights(self, sub: str, id_token: str | None, known: Rights | None) -> Rights:
        """What a person may see now. known: an earlier answer, given again if nothing has changed.

        id_token: of a person who identified; they ask for themselves with it, until it expires. The session here
        lasts longer, so then this client asks for them. Raises Unavailable.
        """
        conditional = {"If-None-Match": known.etag} if known and known.etag else {}
        answer = None
        if id_token is not None:
            bearer = {"Authorization": f"Bearer {id_token}"}
            answer = self._send("GET", "/api/rights", headers=conditional | bearer)
        if answer is None or answer.status_code == 401:
            answer = self._send("GET", "/api/rights", params={"sub": sub}, headers=conditional, auth=self._credentials)
        if answer.status_code == 304 and known is not None:
            return known
        return _rights(_body(answer), sub, answer.headers.get("ETag"))

    def _send(self, method: str, path: str, **more: Any) -> requests.Response:
        """A session for each call: rights are asked for a few times a minute here."""
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy, and no other Authorization header, from the environment
                return session.request(method, self._url + path, timeout=TIMEOUT, allow_redirects=False, **more)
        except requests.RequestException as error:
            raise Unavailable from error


def _body(answer: requests.Response) -> dict[str, Any]:
    if answer.status_code != 200:
        raise Unavailable(f"status {answer.status_code}")
    try:
        body = answer.json()
    except requests.JSONDecodeError as error:
        raise Unavailable from error
    if not isinstance(body, dict):
        raise Unavailable
    return body


def _person(body: Mapping[str, Any]) -> Person:
    try:
        terms_url = None if body["terms_accepted"] is True else str(body["terms_url"])
        return Person(str(body["sub"]), str(body["given_name"]), str(body["family_name"]), terms_url)
    except KeyError as error:
        raise Unavailable from error


def _rights(body: Mapping[str, Any], sub: str, etag: str | None) -> Rights:
    try:
        companies = tuple(
            Company(
                fo_nummer=str(company["fo_nummer"]),
                name=str(company["name"]),
                customer_numbers=tuple(map(str, company["customer_numbers"])),
                administrator=company["administrator"] is True,
                levels=dict(company["sections"]),
            )
            for company in body["companies"]
        )
        terms_url = None if body["terms_accepted"] is True else str(body["terms_url"])
        if body["sub"] != sub:  # another person's rights are never shown
            raise Unavailable
    except (KeyError, TypeError, ValueError) as error:
        raise Unavailable from error
    return Rights(sub, companies, terms_url, etag)


def _seconds(text: str) -> int:
    return min(int(text), 86_400) if text.isascii() and text.isdigit() else 60
