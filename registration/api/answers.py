"""What the API reads and answers: JSON only, never a page, and an error of one form for whatever goes wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from flask import Request, Response
from werkzeug.http import HTTP_STATUS_CODES

from kit import logs

RETRY_AFTER = 10
"""Seconds after which a client may ask again when the database or the broker's keys cannot be had."""

_INVALID_REQUEST = "invalid_request"


@dataclass(eq=False)
class ApiError(Exception):
    """A request that is refused. error: a code of RFC 6749 §5.2, RFC 6750 §3.1 or RFC 8628 §3.5, for programs.

    description: a constant text for developers. reason: for the log, if it says more. challenges: WWW-Authenticate.
    retry_after: seconds. members: what else the answer says.
    """

    status: int
    error: str
    description: str
    _: KW_ONLY
    reason: str | None = None
    challenges: tuple[str, ...] = ()
    retry_after: int | None = None
    members: Mapping[str, Any] = field(default_factory=dict)


def invalid_request(description: str) -> ApiError:
    """400: a request that no client should send. description: which rule it breaks, a constant."""
    return ApiError(400, _INVALID_REQUEST, description)


def not_found() -> ApiError:
    """404: nothing has that key or id."""
    return ApiError(404, "not_found", "nothing has that key or id")


def refused(code: str, **members: Any) -> ApiError:
    """422: it does not fit what there is."""
    return ApiError(422, "refused", "it does not fit what there is", reason=code, members={"reason": code, **members})


def decided_before(by: str | None, at: int | None, outcome: str) -> ApiError:
    """409: somebody else was first."""
    members = {"by": by, "at": at, "outcome": outcome}
    return ApiError(409, "already_decided", "it was decided before", members=members)


def answer(status: int, body: Mapping[str, Any]) -> Response:
    """A JSON answer. The application's security headers come on top, `no-store` among them."""
    return Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json")


def problem(status: int) -> Response:
    """The answer to what no view has answered: no such endpoint or method, an error of ours. status: of HTTP."""
    if status == 503:
        error = ApiError(503, "temporarily_unavailable", "ask again later", retry_after=RETRY_AFTER)
    elif status >= 500:
        error = ApiError(status, "server_error", "an error of ours")
    else:
        error = ApiError(status, _INVALID_REQUEST, HTTP_STATUS_CODES.get(status, "the request is refused"))
    return refuse(error)


def refuse(error: ApiError) -> Response:
    """The answer to a request that is refused; its reason goes to the log."""
    logs.add(code=error.error, reason=error.reason or error.description)
    response = answer(error.status, {"error": error.error, "error_description": error.description, **error.members})
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    for challenge in error.challenges:
        response.headers.add("WWW-Authenticate", challenge)
    return response


def json_of(request: Request, most_bytes: int) -> Any:
    """What the body says. Raises ApiError for what is no JSON, or if a parameter stands in the address too."""
    if request.query_string:
        raise invalid_request("no parameter may stand in the address")
    if request.mimetype != "application/json":
        raise ApiError(415, "invalid_request", "the body must be application/json")
    request.max_content_length = most_bytes
    try:
        return json.loads(request.get_data().decode(), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        raise invalid_request("the body is not JSON in UTF-8, or a member is repeated") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is repeated")
    return members
