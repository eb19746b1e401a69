"""A client of the broker by any of the profiles: pushes, signs, proves and reads what each asks for, by joserfc.

`demo/runner/client.py` is the plain client, by Authlib, which ships nothing for RFC 9126, RFC 9449 and JARM.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests
from authlib.oauth2.rfc7523.assertion import private_key_jwt_sign
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt as jose
from joserfc.jwk import ECKey

from demo.runner.certificate import forwarded_certificate
from demo.runner.client import MOST_REDIRECTS, SECONDS, Client, NotIdentified, title_of
from demo.runner.profiles import CERTIFICATE_HEADER, SECRET, Profile

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Begun:
    """A login under way. url: for the browser. wanted: the parameters, wherever they went. found: discovery."""

    url: str
    wanted: Mapping[str, str]
    verifier: str = field(repr=False)
    found: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finished:
    """Who it was, by verified claims; and what came with it."""

    claims: dict[str, Any]
    token_type: str
    scope: str


@dataclass
class ProfileClient:
    """client: with its profile's name as client_id. nonce: the broker's last for proofs."""

    client: Client
    profile: Profile
    server: requests.Session
    proof_key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    certificate: str = field(default_factory=forwarded_certificate)
    nonce: str | None = None

    def identify(self, browser: requests.Session, *, idp_hint: str) -> dict[str, Any]:
        """Identify a person; return the verified claims of the identity token. Raises NotIdentified.

        browser: keeps the cookies; the mock bank must know beforehand whom to identify.
        """
        begun = self.begin(idp_hint=idp_hint)
        return self.finish(begun, arrived(browser, begun.url, self.client.redirect_uri)).claims

    def begin(self, **more: str) -> Begun:
        """Make a request, and push it where the profile wants that. more: further parameters. Raises NotIdentified."""
        found = self._get(f"{self.client.issuer}/.well-known/openid-configuration").json()
        verifier = secrets.token_urlsafe(48)
        wanted = self._parameters(verifier) | more
        url = f"{found['authorization_endpoint']}?{urlencode(self._sent(found, wanted))}"
        return Begun(url, wanted, verifier, found)

    def finish(self, begun: Begun, response: Mapping[str, str]) -> Finished:
        """Take what came to the redirect URI to its end. Raises NotIdentified, or what PyJWT and joserfc raise.

        What the profile promises is looked at, too: a token that is bound is of no use without what it is bound to.
        """
        answer = self._read(response)
        if answer.get("state") != begun.wanted["state"]:
            raise NotIdentified("the answer has another state than the request")
        if answer.get("iss") != self.client.issuer:
            raise NotIdentified("the answer has another iss than the broker's (RFC 9207)")
        if "code" not in answer:
            raise NotIdentified(f"the client got {answer.get('error')}: {answer.get('error_description')}")
        form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": self.client.redirect_uri}
        if "code_challenge" in begun.wanted:
            form["code_verifier"] = begun.verifier
        token = self._post(begun.found["token_endpoint"], form).json()
        claims = self.client.verify(token["id_token"], begun.wanted.get("nonce"))
        self._look_at_userinfo(begun.found["userinfo_endpoint"], token, claims["sub"])
        return Finished(claims, token["token_type"], token["scope"])

    def _parameters(self, verifier: str) -> dict[str, str]:
        wanted = {
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uri,
            "response_type": "code",
            "scope": self.client.scope,
            "state": secrets.token_urlsafe(24),
        }
        if "nonce" not in self.profile.leaves_out:
            wanted["nonce"] = secrets.token_urlsafe(24)
        if "pkce" not in self.profile.leaves_out:
            challenge = create_s256_code_challenge(verifier)
            wanted |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        if self.profile.response_mode:
            wanted["response_mode"] = self.profile.response_mode
        return wanted

    def _sent(self, found: Mapping[str, Any], wanted: dict[str, str]) -> dict[str, str]:
        """What the browser brings to `/authorize`."""
        if not self.profile.pushed:
            return wanted
        form = {"request": self._request_object(wanted)} if self.profile.signed else wanted
        pushed = self._post(found["pushed_authorization_request_endpoint"], form).json()
        return {"client_id": self.client.client_id, "request_uri": pushed["request_uri"]}

    def _request_object(self, wanted: Mapping[str, str]) -> str:
        key, now = self.client.keys.current(), int(time.time())
        own = {"iss": self.client.client_id, "aud": self.client.issuer, "nbf": now, "exp": now + 300}
        header = {"alg": "ES256", "kid": key.kid, "typ": "oauth-authz-req+jwt"}
        return jose.encode(header, {**wanted, **own}, key)

    def _read(self, answer: Mapping[str, str]) -> Mapping[str, Any]:
        """An authorization response; a signed one (JARM) is verified first."""
        if self.profile.response_mode != "jwt":
            return answer
        return self.client.signed(answer["response"])

    def _look_at_userinfo(self, url: str, token: Mapping[str, Any], sub: str) -> None:
        """`/userinfo` knows the person, and tells nobody who lacks what the token is bound to."""
        scheme, access_token = token["token_type"], token["access_token"]
        authorization = {"Authorization": f"{scheme} {access_token}"}
        if self.profile.bound and self.server.get(url, headers=authorization, timeout=SECONDS).status_code != 401:
            raise NotIdentified("an access token that is bound was taken without what it is bound to")
        if (scheme == "DPoP") is not (self.profile.bound == "dpop"):
            raise NotIdentified(f"the access token is of another type than the profile's: {scheme}")
        said = self._get(url, authorization | self._binding("GET", url, access_token))
        signed = said.headers["Content-Type"] == "application/jwt"
        if signed is not bool(self.profile.section.get("signed_userinfo")):
            raise NotIdentified("/userinfo is signed where it must not be, or is not where it must")
        if (self.client.signed(said.text) if signed else said.json())["sub"] != sub:
            raise NotIdentified("/userinfo knows another person than the identity token")

    def _get(self, url: str, headers: Mapping[str, str] | None = None) -> requests.Response:
        return _good(self.server.get(url, headers=headers, timeout=SECONDS))

    def _post(self, url: str, form: Mapping[str, str]) -> requests.Response:
        """A request that the client authenticates; once more with the broker's nonce if it asks for it (RFC 9449)."""
        basic = (self.client.client_id, SECRET) if self.profile.by_secret == "client_secret_basic" else None
        for _ in range(2):
            sent = {**form, **self._credentials()}
            answer = self.server.post(url, sent, headers=self._binding("POST", url), auth=basic, timeout=SECONDS)
            self.nonce = answer.headers.get("DPoP-Nonce", self.nonce)
            if _error(answer) != "use_dpop_nonce":
                break
        return _good(answer)

    def _credentials(self) -> dict[str, str]:
        if self.profile.by_secret == "client_secret_basic":
            return {}
        if self.profile.by_secret == "client_secret_post":
            return {"client_id": self.client.client_id, "client_secret": SECRET}
        key = self.client.keys.current()
        signed: str = private_key_jwt_sign(
            key,
            client_id=self.client.client_id,
            token_endpoint=self.client.issuer,  # becomes `aud`, which FAPI 2.0 wants to be the issuer
            alg="ES256",
            header={"kid": key.kid},
            expires_in=60,
        )
        return {"client_id": self.client.client_id, "client_assertion_type": ASSERTION, "client_assertion": signed}

    def _binding(self, method: str, url: str, access_token: str | None = None) -> dict[str, str]:
        """The header of what a token is bound by: a proof, or the certificate as a proxy hands it on."""
        if self.profile.bound == "mtls":
            return {CERTIFICATE_HEADER: self.certificate}
        if self.profile.bound is None:
            return {}
        claims: dict[str, Any] = {"jti": secrets.token_hex(16), "htm": method, "htu": url, "iat": int(time.time())}
        if self.nonce:
            claims["nonce"] = self.nonce
        if access_token:
            digest = hashlib.sha256(access_token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": self.proof_key.as_dict(private=False)}
        return {"DPoP": jose.encode(header, claims, self.proof_key)}


def arrived(browser: requests.Session, url: str, redirect_uri: str) -> dict[str, str]:
    """What comes to the client in the end, by a redirect or a form. Raises NotIdentified at another page."""
    for _ in range(MOST_REDIRECTS):
        answer = browser.get(url, allow_redirects=False, timeout=SECONDS)
        if not answer.is_redirect:
            return _posted(answer, redirect_uri)
        url = urljoin(url, answer.headers["Location"])
        if url.startswith(redirect_uri):
            return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    raise NotIdentified("redirects without end")


def _posted(page: requests.Response, redirect_uri: str) -> dict[str, str]:
    form = re.search(r'<form[^>]* method="post" action="([^"]+)">(.*?)</form>', page.text, re.DOTALL)
    if form is None or unescape(form[1]) != redirect_uri:
        raise NotIdentified(f"a page: {page.status_code} {title_of(page.text)}")
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[2])
    return {unescape(name): unescape(value) for name, value in fields}


def _good(answer: requests.Response) -> requests.Response:
    if not answer.ok:
        raise NotIdentified(f"{urlsplit(answer.url).path}: {answer.status_code} {_error(answer)}")
    return answer


def _error(answer: requests.Response) -> str | None:
    if not answer.headers.get("Content-Type", "").startswith("application/json"):
        return None
    error = answer.json().get("error")
    return str(error) if error else None
