"""The control API: script the next outcome, look at what was sent, rotate keys, move the clock, start anew.

Described in docs/openapi-mock-idp.yaml. Everything is JSON; a request that cannot be read is answered 400 with
what is wrong and what is allowed, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from mock_idp.bank import Bank
from mock_idp.control.requests import (
    Invalid,
    read_disturbance,
    read_filters,
    read_issuers,
    read_notice_fault,
    read_offset,
    read_scripted,
)
from mock_idp.faults import FAULTS
from mock_idp.operations import NOTICE_FAULTS
from mock_idp.people.faces import FACES
from mock_idp.people.personas import Persona, make_adult, personas
from mock_idp.protocol.dialects import DIALECTS
from mock_idp.protocol.id_token import person_claims


def _body() -> dict[str, Any]:
    """The JSON object of the body, whatever its Content-Type: curl calls it a form, unless it is told.

    Not from a web page: one of another site could send a form without being asked, JSON it could not.
    """
    if not request.is_json and "Origin" in request.headers:
        raise Invalid("a web page must send the body as application/json")
    value = request.get_json(silent=True, force=True)
    if not isinstance(value, dict):
        raise Invalid("the body must be a JSON object")
    return value


def describe(persona: Persona) -> dict[str, Any]:
    """A persona for scripts: the claims each dialect sends (all names asked for), and the refusal it should meet."""
    return {
        "id": persona.id,
        "title": persona.title,
        "personal_identity_code": persona.personal_identity_code,
        "given_name": persona.given_name,
        "family_name": persona.family_name,
        "birthdate": persona.born,
        "providers": list(persona.faces or FACES),
        "expected_code": persona.expected_code,
        "expected_step": persona.expected_step,
        "claims": {name: person_claims(persona, dialect, profile=True) for name, dialect in DIALECTS.items()},
    }


def _matches(record: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    for name in ("kind", "provider", "dialect", "issuer"):
        if name in wanted and record[name] != wanted[name]:
            return False
    return "violations" not in wanted or bool(record["violations"])


def create_blueprint(bank: Bank) -> Blueprint:
    """Everything under `/control`."""
    blueprint = Blueprint("control", __name__, url_prefix="/control")
    memory = bank.memory

    @blueprint.errorhandler(Invalid)
    def invalid(error: Invalid) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    @blueprint.post("/next")
    def enqueue() -> Response:
        scripted = read_scripted(_body(), bank.now())
        with memory.guard:
            memory.queue.append(scripted)
            waiting = len(memory.queue)
        return jsonify(queued=waiting, persona=describe(scripted.persona) if scripted.persona else None)

    @blueprint.get("/next")
    def queue() -> Response:
        with memory.guard:
            waiting = list(memory.queue)
        return jsonify(
            queue=[
                {
                    "provider": scripted.provider,
                    "dialect": scripted.dialect,
                    "shape": scripted.shape,
                    "outcome": scripted.outcome,
                    "persona": scripted.persona.id if scripted.persona else None,
                    "faults": [use.name for use in scripted.faults],
                    "times": scripted.times,
                }
                for scripted in waiting
            ]
        )

    @blueprint.delete("/next")
    def empty_queue() -> Response:
        with memory.guard:
            memory.queue.clear()
        return jsonify(queued=0)

    @blueprint.get("/requests")
    def requests() -> Response:
        wanted = read_filters(request.args.to_dict())
        return jsonify(requests=[r for r in memory.captured_requests() if _matches(r, wanted)])

    @blueprint.delete("/requests")
    def forget_requests() -> Response:
        with memory.guard:
            memory.captured.clear()
        return jsonify(requests=[])

    @blueprint.get("/faults")
    def faults() -> Response:
        return jsonify(faults=[fault.to_json() for fault in FAULTS.values()])

    @blueprint.post("/adults")
    def make_one() -> Response:
        return jsonify(describe(make_adult(bank.now())))

    @blueprint.get("/personas")
    def list_personas() -> Response:
        return jsonify(personas=[describe(persona) for persona in personas(bank.now()).values()])

    @blueprint.post("/rotate")
    def rotate() -> Response:
        body = _body()
        kind = body.get("kind", "overlap")
        if kind not in ("overlap", "replace"):
            raise Invalid("kind must be overlap or replace")
        rotated = {}
        for issuer in read_issuers(body):
            keys = bank.keys.rotate(issuer, kind)
            rotated[issuer.url(bank.config)] = {
                "kid": keys.current.kid,
                "published": [key.kid for key in keys.signing],
            }
        return jsonify(rotated=rotated)

    @blueprint.post("/clock")
    def clock() -> Response:
        memory.clock_offset = read_offset(_body())
        return jsonify(offset=memory.clock_offset, now=bank.now())

    @blueprint.post("/disturbance")
    def disturbance() -> Response:
        provider, notice, unlisted = read_disturbance(_body())
        with memory.guard:
            if notice is not None:
                memory.disturbances[provider] = notice
            else:
                memory.disturbances.pop(provider, None)
            if unlisted is not None:
                memory.unlisted = unlisted
        return jsonify(disturbances=sorted(memory.disturbances), unlisted=sorted(memory.unlisted))

    @blueprint.post("/notices")
    def bend_notices() -> Response:
        memory.notice_fault = read_notice_fault(_body(), NOTICE_FAULTS)
        return jsonify(fault=memory.notice_fault, fetches=memory.notice_fetches)

    @blueprint.get("/notices")
    def notices() -> Response:
        return jsonify(fault=memory.notice_fault, fetches=memory.notice_fetches)

    @blueprint.post("/reset")
    def reset() -> Response:
        memory.clear()
        bank.relying_party.forget()
        return jsonify(status="reset")

    return blueprint
