"""Logs: one JSON object a line, its fields from an allow-list, and one line for each request.

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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, has_request_context, request

from kit.logs.withheld import withhold

_IDS = frozenset({"provider", "connection", "client"})
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
_MOST = 300
_REQUESTS = logging.getLogger("tunnus.request")
_REQUEST_FIELDS = "log_request_fields"
_ENCODER = json.JSONEncoder(ensure_ascii=False)  # `dumps` with options makes one each time


@dataclass(frozen=True, slots=True)
class Fields:
    """What the log of a service may hold. own_loggers: first parts of names; the messages of these are constants.

    request: fields of a request's line, besides method, endpoint, status and duration. every: all fields there are;
    any other `extra` of a record is dropped.
    """

    own_loggers: frozenset[str]
    request: frozenset[str]
    every: frozenset[str]


def configure_logging(level: str, fields: Fields) -> None:
    """Send every logger's records as JSON lines to standard error. level: a name of `logging`.

    The `authlib` logger stays at INFO or above: below, it writes access tokens.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(fields))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("authlib").setLevel(max(logging.INFO, root.level))
    logging.captureWarnings(True)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and the allowed fields."""

    def __init__(self, fields: Fields) -> None:
        super().__init__()
        self._fields = fields

    def format(self, record: logging.LogRecord) -> str:
        """See the class."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._constant_message(record),
        }
        for name in sorted(self._fields.every & record.__dict__.keys()):
            value = _field(name, record.__dict__[name])
            if value is not None:
                line[name] = value
        if record.exc_info and record.exc_info[1] is not None:
            line |= {"exception": type(record.exc_info[1]).__name__, "place": raised_at(record.exc_info[1])}
        return _ENCODER.encode(line)

    def _constant_message(self, record: logging.LogRecord) -> str:
        """The message without its arguments; where it is another's and has none, only where it comes from.

        Without arguments it cannot be told from one that was put together with a value in it.
        """
        own = record.name.split(".")[0] in self._fields.own_loggers
        if isinstance(record.msg, str) and (own or record.args):
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


def raised_at(error: BaseException) -> str:
    """Where an error was raised, innermost last: `callback.py:88 < adapter.py:91`. Nothing of its values."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))


def add(**fields: str | int | float | None) -> None:
    """Add fields to the line of the current request; a later value replaces an earlier one, None adds nothing.

    Raises TypeError for a field that a request's line may not have, so that a claim cannot slip in.
    """
    allowed = current_app.extensions.get(_REQUEST_FIELDS) if has_request_context() else None
    if allowed is None:  # no line will be written
        return
    unknown = fields.keys() - allowed
    if unknown:
        raise TypeError(f"not a field of a request's line: {', '.join(sorted(unknown))}")
    line = g.setdefault("log_fields", {})
    line.update({name: value for name, value in fields.items() if value is not None})


def added() -> Mapping[str, Any]:
    """The fields that were added to the line of the current request."""
    fields: Mapping[str, Any] = g.get("log_fields", {}) if has_request_context() else {}
    return fields


def log_each_request(
    app: Flask,
    fields: Fields,
    on_request: Callable[[str, int, float, Mapping[str, Any]], None],
    monotonic: Callable[[], float] = time.perf_counter,
) -> None:
    """Write one line for each request of an app, with the fields that were added on the way.

    on_request: called with endpoint, status, seconds and the added fields, for metrics.
    """

    app.extensions[_REQUEST_FIELDS] = fields.request

    @app.before_request
    def begin() -> None:
        g.begun_at = monotonic()

    def write_line(response: Response) -> Response:
        seconds = monotonic() - g.get("begun_at", monotonic())
        endpoint = request.endpoint or "(none)"
        told = added()
        on_request(endpoint, response.status_code, seconds, told)
        line = {
            **told,
            "method": request.method if request.method in _METHODS else "(other)",
            "endpoint": endpoint,
            "status": response.status_code,
            "ms": round(seconds * 1000, 1),
        }
        _REQUESTS.log(_level(response.status_code, told), "request", extra=line)
        return response

    # Functions registered later run earlier: being first in the list, this one sees the final response.
    app.after_request_funcs.setdefault(None, []).insert(0, write_line)


def _level(status: int, added: Mapping[str, Any]) -> int:
    code = added.get("code")
    if status == 500 or code in {"config_error", "fault"}:
        return logging.ERROR
    return logging.WARNING if code not in {None, "cancelled"} or status > 500 else logging.INFO
