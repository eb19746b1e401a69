"""The authorization response: what the browser brings back, in the order of trust."""

from __future__ import annotations

from typing import Any

import pytest

from providers.dialects import DIALECTS
from providers.engine.response import code_of, handle_of
from providers.errors import ALL_ERRORS, BadRequest, IdentificationError, IntegrityError
from tests.harness.engine.parts import ISSUER, make_connection

STATE = "0123456789abcdef" * 4
CLASSES = {error.code: error for error in ALL_ERRORS}


def test_the_handle_is_the_state() -> None:
    assert handle_of({"state": [STATE], "code": ["c", "d"]}) == STATE


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (None, "missing"),
        ([], "missing"),
        ([STATE, STATE], "repeated"),
        ([""], "form"),
        ([STATE[:-1]], "form"),
        ([STATE + "0"], "form"),
        ([STATE.upper()], "form"),
        ([STATE[:-1] + "g"], "form"),
        ([STATE + "\n"], "form"),
        ([STATE[:-1] + "٣"], "form"),
    ],
)
def test_a_state_that_is_none_of_ours_is_a_bad_request(values: list[str] | None, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason) as caught:
        handle_of({} if values is None else {"state": values})
    assert (caught.value.code, caught.value.step, caught.value.claim) == ("bad_request", "response", "state")


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ({"code": ["c0de"]}, {}),
        ({"code": ["c0de"], "iss": [ISSUER]}, {}),
        ({"code": ["c0de"], "iss": [ISSUER]}, {"iss_parameter": True}),
        ({"code": ["c0de"], "error": [""], "error_description": [""]}, {}),
        ({"code": ["c0de"], "session_state": ["a", "b"], "foo": ["x"]}, {}),
    ],
)
def test_a_code_is_taken(message: dict[str, list[str]], fields: dict[str, Any]) -> None:
    assert code_of({"state": [STATE], **message}, make_connection(**fields)) == "c0de"


@pytest.mark.parametrize("code", ["x", "a b!~", "e" * 4096])
def test_a_code_is_opaque(code: str) -> None:
    assert code_of({"code": [code]}, make_connection()) == code


@pytest.mark.parametrize(
    ("message", "fields", "claim"),
    [
        ({"code": ["a", "b"]}, {}, "code"),
        ({"code": ["a", "a"]}, {}, "code"),
        ({"code": ["a"], "iss": [ISSUER, ISSUER]}, {}, "iss"),
        ({"error": ["cancel", "access_denied"]}, {}, "error"),
        ({"code": ["a"]}, {"iss_parameter": True}, "iss"),
        ({"error": ["access_denied"]}, {"iss_parameter": True}, "iss"),
        ({"code": ["a"], "iss": [""]}, {}, "iss"),
        ({"code": ["a"], "iss": [ISSUER + "/"]}, {}, "iss"),
        ({"error": ["access_denied"], "iss": ["https://attacker.example"]}, {}, "iss"),
        ({}, {}, "code"),
        ({"code": []}, {}, "code"),
        ({"error": [""]}, {}, "code"),
        ({"code": ["a"], "error": ["", ""]}, {}, "error"),
        ({"code": [""]}, {}, "code"),
        ({"code": ["e" * 4097]}, {}, "code"),
        ({"code": ["a\n"]}, {}, "code"),
        ({"code": ["a\x00"]}, {}, "code"),
        ({"code": ["ä"]}, {}, "code"),
        ({"code": ["\x7f"]}, {}, "code"),
    ],
)
def test_a_response_that_does_not_hold_is_refused(
    message: dict[str, list[str]], fields: dict[str, Any], claim: str
) -> None:
    with pytest.raises(IntegrityError) as caught:
        code_of(message, make_connection(**fields))
    assert (caught.value.code, caught.value.step, caught.value.claim) == ("integrity_error", "response", claim)


ERRORS = {
    # error: what it means at ftn, telia and isb
    "cancel": ("idp_failed", "idp_failed", "cancelled"),
    "user_cancelled": ("cancelled", "idp_failed", "idp_failed"),
    "access_denied": ("cancelled", "cancelled", "idp_failed"),
    "invalid_request": ("config_error",) * 3,
    "invalid_request_object": ("config_error",) * 3,
    "invalid_scope": ("config_error",) * 3,
    "invalid_client": ("config_error",) * 3,
    "unauthorized_client": ("config_error",) * 3,
    "unsupported_response_type": ("config_error",) * 3,
    "temporarily_unavailable": ("unavailable",) * 3,
    "server_error": ("idp_failed",) * 3,
    "login_required": ("idp_failed",) * 3,
    "Cancel": ("idp_failed",) * 3,
    " ": ("idp_failed",) * 3,
    "<script>alert(1)</script>": ("idp_failed",) * 3,
}


@pytest.mark.parametrize("column", range(3), ids=["ftn", "telia", "isb"])
@pytest.mark.parametrize("error", ERRORS)
def test_an_error_means_what_the_dialect_says(error: str, column: int) -> None:
    dialect = list(DIALECTS)[column]
    with pytest.raises(IdentificationError) as caught:
        code_of({"error": [error], "error_description": ["<b>" + error], "code": ["c"]}, make_connection(dialect))
    code = ERRORS[error][column]
    assert type(caught.value) is CLASSES[code]
    assert (caught.value.code, caught.value.step) == (code, "response")
    assert caught.value.claim == (None if code == "cancelled" else "error")
    assert "<" not in str(caught.value)
