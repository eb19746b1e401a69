"""Requests by which nobody has asked for anything yet: a browser or a link checker that looks ahead."""

from __future__ import annotations

from flask import Request, Response

_HEADERS = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ")
"""As WSGI names them."""
_WORDS = ("prefetch", "prerender", "preview")


def is_speculative(request: Request) -> bool:
    """Whether a request is a HEAD, or one that a browser sends before the person does (Fetch §2.2.7, Sec-Purpose)."""
    if request.method == "HEAD":
        return True
    said = " ".join([request.environ[name] for name in _HEADERS if name in request.environ]).lower()
    return any(word in said for word in _WORDS)


def nothing_begun() -> Response:
    """The answer where a request would begin something: 204, after which a browser asks again in earnest."""
    return Response(status=204, headers={"Cache-Control": "no-store"})
