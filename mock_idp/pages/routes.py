"""A person at the bank: choosing who they are, cancelling, failing; waiting for the phone of a mobile certificate.

GET  person/<handle>          the page that fits: faces, persons, or the waiting page
POST person/<handle>          what was chosen; ends in the authorization response, or back at the page
"""

from __future__ import annotations

import secrets
from datetime import date

from flask import Blueprint, Response, abort, request

from mock_idp.bank import Bank
from mock_idp.faults import FAULTS
from mock_idp.pages import rendering
from mock_idp.pages.texts import TEXTS
from mock_idp.people.faces import FACES
from mock_idp.people.personas import NotAnAdult, Persona, make_adult, personas
from mock_idp.protocol.http import see_other
from mock_idp.protocol.issuers import find_issuer
from mock_idp.protocol.response import answer_identified, answer_outcome, phone_outcome
from mock_idp.state import FaultUse, Interaction, Outcome

PHONE_SECONDS = 300
_CODE_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


def create_blueprint(bank: Bank) -> Blueprint:
    """The person's pages under each issuer."""
    blueprint = Blueprint("person", __name__, url_prefix="/<realm>/<dialect>/person/<handle>")

    def find(realm: str, dialect: str, handle: str) -> Interaction | None:
        issuer = find_issuer(realm, dialect) or abort(404)
        return bank.memory.interaction(handle, issuer, bank.now())

    @blueprint.get("")
    def page(realm: str, dialect: str, handle: str) -> Response:
        interaction = find(realm, dialect, handle)
        if interaction is None:
            return rendering.gone()
        if interaction.face is None:
            return rendering.choose_face(interaction, request.path)
        if interaction.persona is None:
            return rendering.choose_persona(interaction, interaction.face, request.path, bank.now())
        return _look_at_phone(bank, handle, interaction)

    @blueprint.post("")
    def choose(realm: str, dialect: str, handle: str) -> Response:
        interaction = find(realm, dialect, handle)
        if interaction is None:
            return rendering.gone()
        kind, _, value = request.form.get("do", "").partition(":")
        if kind == "face" and value in FACES and interaction.request.face is None:
            interaction.face = FACES[value]
            return _reload()
        if kind == "cancel" and value in ("", *interaction.request.issuer.dialect.cancelled):
            return _end(bank, handle, "cancel", word=value or None)
        if kind == "fail":
            return _end(bank, handle, "fail")
        if interaction.face is None or kind not in ("persona", "random", "born", "approve"):
            abort(400)
        if kind == "approve":
            return _end(bank, handle, "approve")
        try:
            persona = _chosen(kind, value, bank.now())
        except (NotAnAdult, ValueError):
            words = TEXTS[interaction.request.ui_locale]
            return rendering.choose_persona(
                interaction, interaction.face, request.path, bank.now(), problem=words["not_adult"]
            )
        interaction.persona = persona
        interaction.faults = _chosen_faults(interaction)
        if not interaction.face.mobile:
            return _end(bank, handle, "approve")
        interaction.event_code = "".join(secrets.choice(_CODE_LETTERS) for _ in range(5))
        interaction.started = bank.now()
        return _reload()

    return blueprint


def _chosen(kind: str, value: str, now: float) -> Persona:
    if kind == "random":
        return make_adult(now)
    if kind == "born":
        return make_adult(now, date.fromisoformat(request.form.get("birthdate", "")))
    return personas(now).get(value) or abort(400)


def _chosen_faults(interaction: Interaction) -> tuple[FaultUse, ...]:
    name = request.form.get("fault", "")
    fault = FAULTS.get(name)
    return (FaultUse(name),) if fault and interaction.request.issuer.dialect_name in fault.dialects else ()


def _look_at_phone(bank: Bank, handle: str, interaction: Interaction) -> Response:
    """One look at the waiting page; the holder's scripted deed comes after so many."""
    interaction.polls += 1
    persona = interaction.persona
    phone = persona.phone if persona else None
    left = int(interaction.started + PHONE_SECONDS - bank.now())
    if left <= 0:
        return _end(bank, handle, "time_out")
    if persona and phone and phone.outcome != "time_out" and interaction.polls > phone.polls:
        return _end(bank, handle, phone_outcome(persona))
    return rendering.wait_for_phone(interaction, request.path, left)


def _end(bank: Bank, handle: str, outcome: Outcome, *, word: str | None = None) -> Response:
    """Take the trip, so that only one answer is given, and answer."""
    interaction = bank.memory.end_interaction(handle)
    if interaction is None:
        return rendering.gone()
    verified = interaction.request
    if outcome == "approve" and interaction.persona is not None and interaction.face is not None:
        return answer_identified(bank, verified, interaction.face, interaction.persona, interaction.faults)
    if outcome == "approve":
        abort(400)
    return answer_outcome(bank, verified, outcome, word=word, faults=interaction.faults)


def _reload() -> Response:
    return see_other(request.path)
