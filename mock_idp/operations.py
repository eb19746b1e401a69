"""What real brokers publish about their state: OP's embedded UI API, Telia's maintenance text; and traps.

Sources: OP Identity Service Broker API §6, §15; Telia integration guide §1.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from mock_idp.bank import Bank
from mock_idp.faults import slow
from mock_idp.people.faces import FACES, Face
from mock_idp.protocol.issuers import SHARED, Issuer
from mock_idp.state import Disturbance

_INFO = {
    "fi": ("Testipankkien tunnistusvälitys.", "Henkilötunnuksesi ja nimesi välitetään palveluun.", "Tietosuoja"),
    "sv": ("Testbankernas identifieringsförmedling.", "Din personbeteckning och ditt namn förmedlas.", "Dataskydd"),
    "en": (
        "Identification brokered by the test banks.",
        "Your personal identity code and name are forwarded.",
        "Privacy",
    ),
}

Bend = Callable[[Bank, Response], Response]
NOTICE_FAULTS: Mapping[str, Bend] = {
    "hang": lambda bank, whole: slow.hang(bank, {"seconds": 60}),
    "drip": lambda bank, whole: slow.drip(bank, {"seconds": 60, "pause": 1}, whole.data, str(whole.mimetype)),
    "oversized": lambda bank, whole: slow.oversized({"bytes": 2_000_000}, whole.data, b"", str(whole.mimetype)),
    "truncated": lambda bank, whole: slow.truncated(whole.data, str(whole.mimetype)),
    "status-500": lambda bank, whole: Response(whole.data, 500, mimetype=str(whole.mimetype)),
    "html": lambda bank, whole: Response("<h1>Maintenance</h1>", mimetype="text/html"),
    "not-json": lambda bank, whole: Response("{", mimetype="application/json"),
    "redirect": lambda bank, whole: Response(
        status=302, headers={"Location": f"{bank.config.base_url}/attacker/notices"}
    ),
}
"""How the notices can be bent, until a reset."""


def _published(bank: Bank, whole: Response) -> Response:
    """The notices, bent by the fault in force; each fetch is counted."""
    with bank.memory.guard:
        fault = bank.memory.notice_fault
        bank.memory.notice_fetches += 1
    return NOTICE_FAULTS[fault](bank, whole) if fault else whole


def disturbance_of(bank: Bank, provider: str | None = None) -> Disturbance | None:
    """The notice in force for a provider, or for all."""
    with bank.memory.guard:
        notices = bank.memory.disturbances
        return notices.get(provider or "*") or notices.get("*") or next(iter(notices.values()), None)


def embedded_ui(bank: Bank, language: str) -> dict[str, Any]:
    """OP's list of identity providers and the texts that must be shown."""
    provider_info, consent, privacy = _INFO[language]
    listed = [face for face in FACES.values() if face.id not in bank.memory.unlisted]
    answer: dict[str, Any] = {
        "identityProviders": [_listed(bank, face, language) for face in listed],
        "isbProviderInfo": provider_info,
        "isbConsent": consent,
        "privacyNoticeText": privacy,
        "privacyNoticeLink": f"{bank.config.base_url}/privacy",
    }
    if notice := disturbance_of(bank):
        answer["disturbanceInfo"] = {
            "header": notice.header.get(language, ""),
            "text": notice.text.get(language, ""),
        }
    return answer


def _listed(bank: Bank, face: Face, language: str) -> dict[str, str]:
    return {
        "name": face.names[language],
        "imageUrl": f"{bank.config.base_url}/faces/{face.id}.svg",
        "ftn_idp_id": face.ftn_idp_id,
    }


def create_blueprint(bank: Bank) -> Blueprint:
    """`/api/embedded-ui/`, `/resource/maintenance.txt`, logos, and endpoints nobody should ever call."""
    blueprint = Blueprint("operations", __name__)

    @blueprint.get("/shared/isb/api/embedded-ui/<client_id>")
    def embedded(client_id: str) -> Response:
        language = request.args.get("lang", "fi")
        if client_id != bank.config.client_id or language not in _INFO:
            abort(404)
        return _published(bank, jsonify(embedded_ui(bank, language)))

    @blueprint.get("/shared/telia/resource/maintenance.txt")
    def maintenance() -> Response:
        notice = disturbance_of(bank)
        texts = [notice.text.get(language, "") for language in _INFO] if notice else []
        return _published(bank, Response("|".join(texts), mimetype="text/plain"))

    @blueprint.get("/faces/<provider>.svg")
    def logo(provider: str) -> Response:
        face = FACES.get(provider) or abort(404)
        letter = face.names["fi"][0]
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
            '<rect width="64" height="64" rx="8" fill="#555"/>'
            '<text x="32" y="42" font-size="30" fill="#fff" text-anchor="middle" font-family="sans-serif">'
            f"{letter}</text></svg>"
        )
        return Response(svg, mimetype="image/svg+xml")

    @blueprint.get("/privacy")
    def privacy() -> Response:
        return Response("The test banks keep what they are sent in memory until they stop.\n", mimetype="text/plain")

    @blueprint.route("/attacker/<what>", methods=["GET", "POST"])
    def attacker(what: str) -> Response:
        """Where faults point: a relying party that comes here fell for one, and that is recorded."""
        bank.memory.capture(
            {
                "kind": "attacker",
                "time": bank.now(),
                "issuer": Issuer(SHARED, "ftn").url(bank.config),
                "provider": None,
                "dialect": None,
                "violations": [{"rule": "attacker", "detail": f"{what} was fetched from an attacker", "error": ""}],
                "warnings": [],
            }
        )
        return jsonify(keys=[bank.keys.stranger().public(use="sig", alg="RS256")])

    return blueprint
