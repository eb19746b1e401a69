"""The one redirect there is."""

from __future__ import annotations

from flask import Response


def see_other(location: str) -> Response:
    """303 to an address, kept by no cache and told to no referrer."""
    return Response(
        status=303,
        headers={"Location": location, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )
