"""Flask without what no service of ours uses, for the requests that many people make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Flask, Request, Response, request
from werkzeug.routing import MapAdapter


class PlainFlask(Flask):
    """An application none of whose functions is a coroutine, and none of whose addresses is built from the Host header.

    Flask looks at each function again, seven times a request, and takes the header apart for addresses in full.
    """

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """For Flask."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """For Flask."""
        if request is None:
            return super().create_url_adapter(None)
        query = request.environ.get("QUERY_STRING", "")
        return MapAdapter(self.url_map, "", "/", "", request.scheme, request.path, request.method, query)


ON_EVERY_ANSWER: Mapping[str, str] = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class PlainResponse(Response):
    """An answer that is sent as it was made: its address and its headers are ASCII, nothing is to be done at its end.

    Werkzeug goes through the headers of any other three times more, and makes the address anew from its parts.
    """

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """For WSGI."""
        body, headers = b"".join(self.iter_encoded()), list(self.headers)
        if "Content-Length" not in self.headers:  # it is there if there was a text
            headers.append(("Content-Length", str(len(body))))
        start_response(self.status, headers)
        return () if environ["REQUEST_METHOD"] == "HEAD" else (body,)


def this_request() -> Request:
    """The request of this thread itself: `flask.request` looks for it each time that something is read of it."""
    found: Request = request._get_current_object()  # type: ignore[attr-defined] # it is a proxy
    return found
