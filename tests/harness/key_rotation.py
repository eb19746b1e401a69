"""Two brokers, mock banks and clients that cache, and a clock that stands still unless it is moved.

Each request goes to the broker that did not get the last one. Banks keep our signed JWKS for a day, clients our JWKS
for an hour (one kind for a day, which fetches for an unknown `kid`). The commands' own code changes the keys' folder,
as cron would every hour.
"""

from __future__ import annotations

import itertools
import json
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import jwt
import requests
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt as jose

from broker.app import create_app
from broker.keys import PURPOSES, KeyRing, purposes_of, rotation_of
from broker.keys.purposes import CLIENT_CACHE
from broker.relying_party import entity_statement
from broker.settings import Settings
from broker.settings.models import KeysSettings
from demo.portal.client_keys import ClientKeys
from demo.runner.configs import Places, broker_config
from demo.runner.mock_banks import MockBanks
from demo.runner.processes import free_port
from demo.runner.stack import portal_client
from kit.keys.client import CLIENT_PURPOSES
from kit.keys.files import write_private
from kit.keys.folder import Folder, read_folder
from kit.keys.rotation import Rotation, public_set
from mock_idp.app import create_app as create_mock
from mock_idp.bank import Bank
from mock_idp.config import Config as MockConfig
from mock_idp.protocol.issuers import Issuer
from mock_idp.protocol.publication import entity_statement as bank_statement
from tests.harness.keys import Clock
from tests.harness.serving import Served
from tunnus_verifier import Verifier

PORTAL = "http://127.0.0.1:9"
ISSUER_OF_BANK = Issuer("shared", "telia")
SELECTED = ("nordea", "aktia", "op", "mobile-certificate")


class Lost(Exception):
    """A login that did not end with a verified identity token; the text says where."""


@dataclass
class Login:
    """A login under way. at: where the browser goes next."""

    browser: requests.Session
    state: str
    nonce: str
    verifier: str
    at: str


class HourlyClient:
    """A service that takes identity tokens, keeps our JWKS for an hour and never fetches for an unknown `kid`."""

    def __init__(self, rotation: RotatingSystem) -> None:
        self._rotation = rotation
        self._keys: dict[str, Any] = {}
        self._until = 0.0

    def forget(self) -> None:
        """Its cache has ended."""
        self._until = 0.0

    def verify(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims. Raises KeyError for an unknown key, jwt.PyJWTError."""
        now = self._rotation.clock.now
        if now >= self._until:
            fetched = jwt.PyJWKSet.from_dict(json.loads(self._rotation.fetch("/jwks")))
            self._keys = {str(key.key_id): key for key in fetched.keys}
            self._until = now + CLIENT_CACHE
        key = self._keys[jwt.get_unverified_header(token)["kid"]]
        options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=["ES256"], options=options)
        if claims["nonce"] != nonce:
            raise Lost("another nonce")
        return claims


class RotatingSystem:
    """The whole of it. begin: seconds since the epoch, when the clock starts. pkcs11: of the brokers' settings."""

    def __init__(self, folder: Path, valkey_url: str, begin: int, pkcs11: dict[str, Any] | None = None) -> None:
        self.clock = Clock(begin)
        self.folder, self.keys = folder, folder / "keys"
        self.client_folder, self.client_file = folder / "portal-keys", folder / "portal.jwks.json"
        self.log: Counter[str] = Counter()
        keys = KeysSettings.model_validate({"dir": self.keys, "pkcs11": pkcs11})
        self.rotation = rotation_of(self.keys, 2048, purposes_of(keys))
        self.rotation.init(begin)
        self.client_rotation = Rotation(self.client_folder, CLIENT_PURPOSES)
        self.client_rotation.init(begin)
        self._publish_client_keys()
        self.client_keys = ClientKeys.read(self.client_folder, self.clock)
        self.ports, mock_port = (free_port(), free_port()), free_port()
        self.issuer = f"http://127.0.0.1:{self.ports[0]}"
        self._served: dict[int, Served] = {}
        self._turn = itertools.cycle(self.ports)
        self.statement = ""
        self.jwks_fetched_at: list[float] = []
        mock = f"http://127.0.0.1:{mock_port}"
        banks = MockConfig(
            base_url=mock,
            state_dir=folder / "mock",
            relying_party="statement",
            relying_party_signed_jwks_uri="signed-jwks",
            fetch=self._publish,
            clock=self.clock,
        )
        app = create_mock(banks)
        self.bank: Bank = app.extensions["mock_idp"]
        self._served[mock_port] = Served(app, mock_port)
        places = Places(
            issuer=self.issuer,
            port=self.ports[0],
            operations_port=9,
            mock=mock,
            state=folder,
            store_url=valkey_url,
            clients={"portal": portal_client(PORTAL, self.client_keys) | {"jwks": str(self.client_file)}},
        )
        self.pin = folder / "entity-statements" / f"{ISSUER_OF_BANK.name}.jwt"
        self.pin.parent.mkdir()
        self.pin.write_text(bank_statement(self.bank, ISSUER_OF_BANK))
        config = broker_config("telia", "shared", places) | {"keys": keys.model_dump(exclude_none=True)}
        self.settings = Settings.model_validate(config)
        self.make_statement()
        for port in self.ports:
            self.restart(port)
        self.banks = MockBanks(mock)
        self.banks.next("*", persona=self.banks.people()[0]["id"], times=0)
        self._http = requests.Session()
        self._http.trust_env = False
        self.hourly = HourlyClient(self)
        self.daily = Verifier(
            self.issuer,
            "portal",
            algorithms=("ES256",),
            insecure_http=True,
            fetch=lambda url: self.fetch(urlsplit(url).path),
            clock=self.clock,
            monotonic=self.clock,
        )

    def __enter__(self) -> RotatingSystem:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()
        self.bank.stopping.set()
        for served in self._served.values():
            served.close()

    def restart(self, port: int) -> None:
        """Start one of the two brokers, ending the one that ran there."""
        if port in self._served:
            self._served.pop(port).close()
        self._served[port] = Served(create_app(self.settings, clock=self.clock), port)

    def ready(self) -> dict[str, str]:
        """The checks of `/readyz` that concern keys, by name."""
        app = self._served[self.ports[0]].app
        checks = app.extensions["tunnus"].operations.test_client().get("/readyz").json["checks"]
        return {check["name"]: check["state"] for check in checks if "key" in check["name"]}

    def make_statement(self) -> None:
        """What `tunnus entity-statement` prints now: for the banks to take, when they are told to."""
        self.statement = entity_statement(
            self.settings, KeyRing.of(self.settings.keys, self.clock), int(self.clock.now)
        )

    def give_statement(self) -> None:
        """The banks take our next statement, by the keys of the one that they have."""
        self.make_statement()
        self.bank.relying_party.take_next_statement(self.clock.now)

    def fetch(self, path: str) -> bytes:
        """A public document of the broker whose turn it is."""
        answer = self._http.get(f"http://127.0.0.1:{next(self._turn)}{path}", timeout=30)
        answer.raise_for_status()
        return answer.content

    def every_hour(self, every: dict[str, int]) -> None:
        """What cron does: the broker's keys, the client's, and the client's public set for the broker."""
        now = int(self.clock.now)
        for rotation, days in ((self.rotation, every), (self.client_rotation, {"client": 14})):
            self.log["keys made"] += len(rotation.rotate(rotation.due(days, now), now))
            self.log["keys removed"] += len(rotation.retire(now))
        self._publish_client_keys()

    def changes(self) -> Iterator[int]:
        """When the timetable of any key changes something, in the future."""
        for folder, purposes in ((self.keys, PURPOSES), (self.client_folder, CLIENT_PURPOSES)):
            for key in self._read(folder, purposes).keys:
                change = key.timetable.change_after(key.purpose, self.clock.now)
                if change is not None:
                    yield change[0]

    def begin(self, number: int) -> Login:
        """A person starts at the client and is sent to the bank."""
        state, nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        query = {
            "response_type": "code",
            "client_id": "portal",
            "redirect_uri": f"{PORTAL}/callback",
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
            "idp_hint": SELECTED[number % len(SELECTED)],
        }
        browser = requests.Session()
        browser.trust_env = False
        login = Login(browser, state, nonce, verifier, f"{self.issuer}/authorize?{urlencode(query)}")
        self._walk(login, "/authorize?", "/shared/telia/authorize")
        return login

    def come_back(self, login: Login) -> None:
        """The bank identifies them, and they are back at the client."""
        self._walk(login, "/shared/telia/authorize", PORTAL)

    def finish(self, login: Login) -> None:
        """The client exchanges its code; both kinds of service verify the token."""
        answer = {name: values[0] for name, values in parse_qs(urlsplit(login.at).query).items()}
        if answer.get("state") != login.state or "code" not in answer:
            raise Lost(f"the client got {answer.get('error')}")
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": f"{PORTAL}/callback",
            "code_verifier": login.verifier,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self._assertion(),
        }
        response = self._http.post(f"http://127.0.0.1:{next(self._turn)}/token", data=form, timeout=30)
        if response.status_code != 200:
            raise Lost(f"token: {response.status_code} {response.text[:200]}")
        token = response.json()["id_token"]
        try:
            assert self.hourly.verify(token, login.nonce)["sub"] == self.daily.verify(token, nonce=login.nonce).sub
        except KeyError as error:
            raise Lost(f"a client does not know the key {error}") from error
        login.browser.close()

    def login(self, number: int = 0) -> None:
        """A whole login in one moment. Raises Lost."""
        login = self.begin(number)
        self.come_back(login)
        self.finish(login)

    def rotate_signing_key_of_bank(self) -> None:
        """The bank signs with a new key from now on, beside the old ones; the broker meets an unknown `kid`."""
        self.bank.keys.rotate(ISSUER_OF_BANK, "overlap")
        self.log["bank's signing keys"] += 1

    def next_statement_of_bank(self) -> str:
        """The bank announces its next entity key, or signs with the one that was announced; its statement now."""
        self.bank.keys.rotate_entity(ISSUER_OF_BANK)
        self.log["bank's statements"] += 1
        return bank_statement(self.bank, ISSUER_OF_BANK)

    def _walk(self, login: Login, first: str, last: str) -> None:
        if first not in login.at:
            raise Lost(f"not at {first}")
        for _ in range(8):
            url = login.at
            if url.startswith(self.issuer):
                url = f"http://127.0.0.1:{next(self._turn)}{url.removeprefix(self.issuer)}"
            answer = login.browser.get(url, allow_redirects=False, timeout=30)
            if not answer.is_redirect:
                raise Lost(f"a page: {answer.status_code} at {urlsplit(url).path}")
            login.at = urljoin(login.at, answer.headers["Location"])
            if last in login.at.partition("?")[0]:
                return
        raise Lost("redirects without end")

    def _assertion(self) -> str:
        key, now = self.client_keys.current(), int(self.clock.now)
        claims = {"iss": "portal", "sub": "portal", "aud": self.issuer, "iat": now, "exp": now + 60}
        return jose.encode({"alg": "ES256", "kid": key.kid}, claims | {"jti": secrets.token_hex(16)}, key)

    def _publish_client_keys(self) -> None:
        keys = public_set(self.client_folder, CLIENT_PURPOSES, "client", self.clock.now)
        text = json.dumps({"keys": keys})
        if not self.client_file.exists() or self.client_file.read_text() != text:
            write_private(self.client_file, text)

    def _publish(self, source: str) -> bytes:
        """What the banks fetch of us: the statement that they were given, and the signed JWKS."""
        if source == "statement":
            return self.statement.encode()
        self.jwks_fetched_at.append(self.clock.now)
        return self.fetch("/signed-jwks")

    def _read(self, folder: Path, purposes: Any) -> Folder:
        self._parsed: dict[Path, Folder] = getattr(self, "_parsed", {})
        self._parsed[folder] = read_folder(folder, purposes, self._parsed.get(folder))
        return self._parsed[folder]
