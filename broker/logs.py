"""Logs: one JSON object a line, its fields from an allow-list, and one line that tells the story of a request.

A message is a constant; whatever varies is a field. Of other people's loggers only the constant message is
written, never its arguments, because those may hold an URL, a token or a claim.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, has_request_context, request

from .log_fields import FIELDS, OURS, STORY_FIELDS
from .withheld import withhold

_IDS = frozenset({"provider", "connection", "client"})
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
_MOST = 300
_TELLER = logging.getLogger("tunnus.request")
_ENCODER = json.JSONEncoder(ensure_ascii=False)  # `dumps` with options makes one each time


def configure_logging(level: str) -> None:
    """Send every logger's records as JSON lines to standard error. level: a name of `logging`.

    The `authlib` logger stays at INFO or above: below, it writes access tokens.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("authlib").setLevel(max(logging.INFO, root.level))
    logging.captureWarnings(True)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and the allowed fields."""

    def format(self, record: logging.LogRecord) -> str:
        """See the class."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _constant_message(record),
        }
        for name in sorted(FIELDS & record.__dict__.keys()):
            value = _field(name, record.__dict__[name])
            if value is not None:
                line[name] = value
        if record.exc_info and record.exc_info[1] is not None:
            line |= {"exception": type(record.exc_info[1]).__name__, "place": place_of(record.exc_info[1])}
        return _ENCODER.encode(line)


def _constant_message(record: logging.LogRecord) -> str:
    """The message without its arguments; where it is another's and has none, only where it comes from.

    Without arguments it cannot be told from one that was put together with a value in it.
    """
    ours = record.name.split(".")[0] in OURS
    if isinstance(record.msg, str) and (ours or record.args):
        return record.msg[:_MOST]
    return f"{record.module}:{record.lineno}"


def _field(name: str, value: Any) -> str | int | float | bool | None:
    """A field's value as it may be written; a text is printable, short, and no personal identity code."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if name in _IDS:
        return withhold(value) if isinstance(value, str) and _ID.fullmatch(value) else "(other)"
    text = str(value)
    if not text.isprintable():
        text = "".join(character if character.isprintable() else "·" for character in text)
    return withhold(text if len(text) <= _MOST else text[:_MOST] + "…")


def place_of(error: BaseException) -> str:
    """Where an error was raised, innermost last: `callback.py:88 < adapter.py:91`. Nothing of its values."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))


def note(**fields: str | int | float | None) -> None:
    """Add to the story of the current request; a later value replaces an earlier one, None adds nothing.

    Raises TypeError for a field that is not in STORY_FIELDS, so that a claim cannot slip in.
    """
    unknown = fields.keys() - STORY_FIELDS
    if unknown:
        raise TypeError(f"not a field of a request's story: {', '.join(sorted(unknown))}")
    if has_request_context():
        story = g.setdefault("story", {})
        story.update({name: value for name, value in fields.items() if value is not None})


def tell_each_request(
    app: Flask,
    on_request: Callable[[str, int, float], None] = lambda endpoint, status, seconds: None,
    monotonic: Callable[[], float] = time.perf_counter,
) -> None:
    """Write one line for each request of an app, with what was noted on the way.

    on_request: called with endpoint, status and seconds, for metrics.
    """

    @app.before_request
    def begin() -> None:
        g.begun_at = monotonic()

    def tell(response: Response) -> Response:
        seconds = monotonic() - g.get("begun_at", monotonic())
        endpoint = request.endpoint or "(none)"
        on_request(endpoint, response.status_code, seconds)
        story: Mapping[str, Any] = g.get("story", {})
        fields = {
            **story,
            "method": request.method if request.method in _METHODS else "(other)",
            "endpoint": endpoint,
            "status": response.status_code,
            "ms": round(seconds * 1000, 1),
        }
        _TELLER.log(_level(response.status_code, story), "request", extra=fields)
        return response

    # Functions registered later run earlier: being first in the list, this one sees the final response.
    app.after_request_funcs.setdefault(None, []).insert(0, tell)


def _level(status: int, story: Mapping[str, Any]) -> int:
    code = story.get("code")
    if status == 500 or code in {"config_error", "fault"}:
        return logging.ERROR
    return logging.WARNING if code not in {None, "cancelled"} or status > 500 else logging.INFO
