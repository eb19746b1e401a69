"""The developer page: clients, one of them with refused requests, and what came of a login that was tried."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

from joserfc.jwk import RSAKey
from werkzeug.wrappers import Response

from broker.app import Parts, create_app
from broker.oidc.codes import AuthorizationCode, new_secret
from broker.oidc.refused import RefusedRequests
from broker.operations.developer.routes import COOKIE
from broker.operations.developer.tries import Try
from broker.settings import Settings
from broker.store import new_slot
from tests.gallery.state import Draw
from tests.harness.broker_pages import SETTINGS, texts
from tests.harness.memory_store import MemoryStore

PAGE = "http://127.0.0.1:9000"
SECRET = "of-a-browser"
CLAIMS = {
    "sub": "Yk1wWmVJc0F3d1RrVzB4bG1yQ0pUc2Z4a0g0b2hXb2Q",
    "auth_time": 1_795_599_990,
    "acr": "http://ftn.ficora.fi/2017/loatest2",
    "amr": ["urn:oid:1.2.246.575.1.3"],
    "idp": "s-banken",
    "txn": "K7QF2M4AK7QF2M4AK7QF2M4AK7",
    "given_name": "Anna-Kaisa Maria",
    "family_name": "Testaaja-Esimerkkiläinen",
    "name": "Anna-Kaisa Maria Testaaja-Esimerkkiläinen",
    "birthdate": "1981-04-28",
}


def developer_draws(keys: Path, folder: Path, now: int) -> dict[str, Draw]:
    """Each state of the page. keys: a folder of keys in use. folder: for the audit trail."""
    folder.mkdir()
    data = deepcopy(SETTINGS) | {"keys": {"dir": str(keys)}, "audit": {"dir": str(folder)}}
    data["server"] = {"developer_page": PAGE}
    portal = data["clients"]["portal"]
    enc = RSAKey.generate_key(2048).as_dict(private=False) | {"kid": "portal-enc", "use": "enc"}
    scopes = ["openid", "profile", "personal_identity_code"]
    data["clients"]["a-client-with-a-long-name-of-forty-marks"] = portal | {
        "name": texts("Energiayhtiöiden yhteinen mittaustietojen raportointipalvelu"),
        "jwks": {"keys": [*portal["jwks"]["keys"], enc]},
        "scopes": scopes,
        "redirect_uris": [
            f"https://raportointi.example.fi/a/rather/long/way/to/come/back/to/number-{n}" for n in (1, 2)
        ],
    }
    parts: Parts = create_app(Settings.model_validate(data), clock=lambda: now).extensions["tunnus"]
    store = parts.flow.op.store = MemoryStore(lambda: now)
    refused = RefusedRequests(store, lambda: now, lambda **_: None)
    for error, reason in (
        ("invalid_request", "code_challenge is required: send the SHA-256 of the code_verifier in base64url"),
        ("invalid_scope", "scope must hold openid, and nothing that the client's scopes in our configuration lack"),
        (None, "redirect_uri is not registered: it must equal one of the client's redirect_uris in every character"),
    ):
        address = "https://raportointi.example.fi/a/rather/long/way/that/is/not/registered?with=a-parameter"
        refused.add(
            reason,
            client="a-client-with-a-long-name-of-forty-marks",
            sent_client_id="a-client-with-a-long-name-of-forty-marks",
            sent_redirect_uri=address,
            error=error,
            reference=None if error else "K7QF2M4AK7QF2M4AK7QF2M4AK7",
        )
    reason = "client_id is not known: register it as [clients.<client_id>] in the configuration"
    refused.add(reason, client=None, sent_client_id="f" * 64, sent_redirect_uri=None, reference="M4AK7QF2" * 3)

    def page(path: str) -> Draw:
        return lambda _locale: _get(parts, path)

    def token(client: str, scope: str, **claims: str) -> Draw:
        return lambda _locale: _get(parts, _answer(parts, client, scope, CLAIMS | claims, now))

    long, whole = "a-client-with-a-long-name-of-forty-marks", " ".join(scopes)
    error = f"/developer/answer?state={Try.new(SECRET).state}&error=access_denied"
    return {
        "developer, clients": page("/developer"),
        "developer, client": page("/developer/clients/portal"),
        "developer, client with refused requests": page(f"/developer/clients/{long}"),
        "developer, token": token("portal", "openid profile"),
        "developer, token with a claim that does not hold": token(long, "openid profile", acr="of-another-environment"),
        "developer, token that is encrypted": token(long, whole, personal_identity_code="280481-957X"),
        "developer, error": page(error),
        "developer, code that was used": page(error.replace("error=access_denied", "code=used")),
    }


def _answer(parts: Parts, client: str, scope: str, claims: dict[str, object], now: int) -> str:
    tried, code, address = Try.new(SECRET), new_secret(new_slot()), f"{PAGE}/developer/answer"
    record = AuthorizationCode(client, address, scope, tried.nonce, tried.code_challenge, claims, now)
    parts.flow.op.store.put(record.entry(code))
    return f"/developer/answer?state={tried.state}&code={code}"


def _get(parts: Parts, path: str) -> Response:
    browser = parts.operations.test_client()
    browser.set_cookie(COOKIE, SECRET, domain="127.0.0.1", path="/developer")
    return browser.get(path, base_url=PAGE)
