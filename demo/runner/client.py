"""A client of the broker, as any service would write it: Authlib for OAuth, PyJWT to verify the identity token.

`identify` walks one identification the way a browser does, without one: redirects, cookies, no scripts.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import jwt
import requests
from authlib.integrations.requests_client import OAuth2Session

from demo.portal.client_keys import ClientKeys

MOST_REDIRECTS = 12
SECONDS = 30


class NotIdentified(Exception):
    """The way ended elsewhere than at the client with a code. The text says where."""


@dataclass(frozen=True, slots=True)
class Client:
    """One registered client. issuer: the broker's. alg: what its identity tokens are signed with.

    ca: the file of the authority of its https, if the system does not know it.
    """

    issuer: str
    client_id: str
    redirect_uri: str
    keys: ClientKeys
    scope: str = "openid profile"
    alg: str = "ES256"
    ca: str | None = None

    def session(self) -> OAuth2Session:
        """An Authlib session that authenticates by private_key_jwt."""
        session = OAuth2Session(
            self.client_id,
            self.keys.current(),
            scope=self.scope,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="private_key_jwt",
            timeout=SECONDS,
        )
        session.trust_env = False
        session.verify = self.ca or True
        session.register_client_auth_method(self.keys.authentication(f"{self.issuer}/token"))
        return session

    def identify(
        self, browser: requests.Session, *, idp_hint: str | None = None, ui_locales: str = "fi", **more: str
    ) -> dict[str, Any]:
        """Identify a person; return the verified claims of the identity token. Raises NotIdentified.

        browser: keeps the cookies, as a browser would; the mock bank must know beforehand whom to identify.
        """
        nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        wanted = {"nonce": nonce, "ui_locales": ui_locales, **more} | ({"idp_hint": idp_hint} if idp_hint else {})
        with self.session() as session:
            url, state = session.create_authorization_url(f"{self.issuer}/authorize", code_verifier=verifier, **wanted)
            arrived = follow(browser, url, self.redirect_uri)
            answer = parse_qs(urlsplit(arrived).query)
            if answer.get("state") != [state]:
                raise NotIdentified("the answer has another state than the request")
            if answer.get("iss") != [self.issuer]:
                raise NotIdentified("the answer has another iss than the broker's (RFC 9207)")
            if "code" not in answer:
                raise NotIdentified(f"the client got {answer.get('error', ['nothing'])[0]}")
            token = session.fetch_token(f"{self.issuer}/token", code=answer["code"][0], code_verifier=verifier)
        return self.verify(token["id_token"], nonce)

    def verify(self, identity_token: str, nonce: str | None) -> dict[str, Any]:
        """The claims of an identity token, verified by PyJWT. Raises jwt.PyJWTError or NotIdentified.

        nonce: of the request, None if none was sent.
        """
        claims = self.signed(identity_token, "sub", "exp", "iat", "acr", "auth_time")
        if claims.get("nonce") != nonce:
            raise NotIdentified("the identity token holds another nonce")
        return claims

    def signed(self, token: str, *required: str) -> dict[str, Any]:
        """The claims of what the broker signed for this client. Raises jwt.PyJWTError."""
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self.ca or True
            keys = jwt.PyJWKSet.from_dict(session.get(f"{self.issuer}/jwks", timeout=SECONDS).json())
        claims: dict[str, Any] = jwt.decode(
            token,
            keys[jwt.get_unverified_header(token)["kid"]],
            algorithms=[self.alg],
            issuer=self.issuer,
            audience=self.client_id,
            options={"require": ["iss", "aud", *required]},
        )
        return claims


def follow(browser: requests.Session, url: str, redirect_uri: str) -> str:
    """Follow redirects until they lead to the client; return that address. Raises NotIdentified at a page."""
    for _ in range(MOST_REDIRECTS):
        answer = browser.get(url, allow_redirects=False, timeout=SECONDS)
        if not answer.is_redirect:
            raise NotIdentified(f"a page: {answer.status_code} {title_of(answer.text)}")
        url = urljoin(url, answer.headers["Location"])
        if url.startswith(redirect_uri):
            return url
    raise NotIdentified("redirects without end")


def title_of(html: str) -> str:
    """The title of a page, for a message."""
    found = re.search(r"<title>(.*?)</title>", html, re.DOTALL)
    return " ".join(found[1].split()) if found else html[:80]
