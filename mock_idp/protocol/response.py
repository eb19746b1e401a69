"""The authorization response: back to the relying party with a code, or with an error (RFC 6749 §4.1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from flask import Response

from mock_idp.bank import Bank
from mock_idp.faults import FAULTS
from mock_idp.faults.model import CODE_BYTES, Answering, Fault, Parameters
from mock_idp.people.faces import FACES, Face
from mock_idp.people.personas import Persona, default_persona
from mock_idp.protocol.http import see_other
from mock_idp.protocol.issuers import Issuer
from mock_idp.state import CODE_SECONDS, ArmedFault, AuthorizationRequest, FaultUse, Login, Outcome, Scripted

_SCRIPTED_DEFAULT = "nordea"


def in_force(uses: Sequence[FaultUse]) -> list[tuple[Fault, dict[str, float]]]:
    """The faults in use, each with all its options."""
    return [(FAULTS[use.name], {**FAULTS[use.name].options, **use.parameters}) for use in uses]


def redirect_to(redirect_uri: str, parameters: Parameters) -> Response:
    """303 to a redirect URI with these parameters."""
    separator = "&" if "?" in redirect_uri else "?"
    return see_other(redirect_uri + separator + urlencode(parameters))


def issuer_parameter(bank: Bank, issuer: Issuer) -> Parameters:
    """`iss` (RFC 9207), where the dialect advertises it."""
    return [("iss", issuer.url(bank.config))] if issuer.dialect.iss_parameter else []


def answer_error(
    bank: Bank, request: AuthorizationRequest, error: str, description: str, faults: Sequence[FaultUse] = ()
) -> Response:
    """Send the person back with an error."""
    parameters = [("error", error), ("error_description", description), ("state", request.state)]
    return _answer(bank, request, parameters + issuer_parameter(bank, request.issuer), faults)


def answer_outcome(
    bank: Bank,
    request: AuthorizationRequest,
    outcome: Outcome,
    *,
    word: str | None = None,
    faults: Sequence[FaultUse] = (),
) -> Response:
    """Send the person back after cancelling, failing or timing out; word: which of the dialect's words to use."""
    dialect = request.issuer.dialect
    if outcome == "cancel":
        return answer_error(bank, request, word or dialect.cancelled[0], "user cancel", faults)
    if outcome == "time_out":
        return answer_error(bank, request, dialect.timed_out, "the person did not answer in time", faults)
    return answer_error(bank, request, dialect.failed, "identification failed", faults)


def answer_identified(
    bank: Bank, request: AuthorizationRequest, face: Face, persona: Persona, faults: Sequence[FaultUse] = ()
) -> Response:
    """Send the identified person back with a code."""
    now = bank.now()
    length = max([fault.code_bytes for fault, _ in in_force(faults)], default=CODE_BYTES)
    login = Login(request, face, persona, int(now), tuple(faults), now + CODE_SECONDS)
    parameters = [("code", bank.memory.issue_code(login, length)), ("state", request.state)]
    return _answer(bank, request, parameters + issuer_parameter(bank, request.issuer), faults)


def answer_scripted(bank: Bank, request: AuthorizationRequest, scripted: Scripted) -> Response:
    """Answer as the script says, without a page."""
    chosen = scripted.provider if scripted.provider != "*" else _SCRIPTED_DEFAULT
    face = request.face or FACES[chosen]
    persona = scripted.persona or default_persona(face.id, bank.now())
    outcome = scripted.outcome
    if outcome == "approve" and persona.phone is not None and persona.phone.outcome != "approve":
        outcome = phone_outcome(persona)
    if outcome != "approve":
        return answer_outcome(bank, request, outcome, faults=scripted.faults)
    return answer_identified(bank, request, face, persona, scripted.faults)


def phone_outcome(persona: Persona) -> Outcome:
    """What comes of a mobile certificate's holder: FiCom's faults 401, 208, 101 and 105 end as these."""
    what = persona.phone.outcome if persona.phone else "approve"
    if what in ("wrong_spam_code", "unknown_number"):
        return "fail"
    return "cancel" if what == "cancel" else "time_out" if what == "time_out" else "approve"


def _answer(bank: Bank, request: AuthorizationRequest, parameters: Parameters, uses: Sequence[FaultUse]) -> Response:
    for fault, options in in_force(uses):
        if fault.key_set:
            kid = bank.keys.stranger(fault.signs_with or "fresh").kid
            if fault.keeps_kid:
                kid = bank.keys.of(request.issuer).current.kid
            with bank.memory.guard:
                bank.memory.jwks_faults[request.issuer] = ArmedFault(FaultUse(fault.name, options), kid)
        if fault.response:
            bent = fault.response(parameters, Answering(bank, request, options))
            if isinstance(bent, Response):
                return bent
            parameters = bent
    return redirect_to(request.redirect_uri, parameters)
