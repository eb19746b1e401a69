"""The body of a request: JSON in UTF-8, no member twice."""

from __future__ import annotations

import json
from typing import Any

from flask import Request

from registration.api.answers import ApiError, invalid_request


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
