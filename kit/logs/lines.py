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
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response

from kit.logs.withheld import withhold
from kit.serving.plain import this_request

_IDS = frozenset({"provider", "connection", "client"})
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
_MOST = 300
_REQUESTS = logging.getLogger("tunnus.request")
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


@dataclass(slots=True)
class _Line:
    """The line of a request that is being answered. allowed: the fields it may have. begun_at: in seconds."""

    allowed: frozenset[str]
    begun_at: float
    fields: dict[str, Any] = field(default_factory=dict)


_LINE: ContextVar[_Line | None] = ContextVar("line", default=None)


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
    # A line names none of them (Logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


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
        return withhold(_ENCODER.encode(line))

    def _constant_message(self, record: logging.LogRecord) -> str:
        """The message without its arguments; where it is another's and has none, only where it comes from.

        Without arguments it cannot be told from one that was put together with a value in it.
        """
        own = record.name.split(".")[0] in self._fields.own_loggers
        if isinstance(record.msg, str) and (own or record.args):
            return record.msg[:_MOST]
        return f"{record.module}:{record.lineno}"


def _field(name: str, value: Any) -> str | int | float | bool | None:
    """A field's value as it may be written; a text is printable and short."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if name in _IDS:
        return value if isinstance(value, str) and _ID.fullmatch(value) else "(other)"
    text = str(value)
    if not text.isprintable():
        text = "".join(character if character.isprintable() else "·" for character in text)
    return text if len(text) <= _MOST else text[:_MOST] + "…"


def raised_at(error: BaseException) -> str:
    """Where an error was raised, innermost last: `callback.py:88 < adapter.py:91`. Nothing of its values."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))


def add(**fields: str | int | float | None) -> None:
    """Add fields to the line of the current request; a later value replaces an earlier one, None adds nothing.

    Raises TypeError for a field that a request's line may not have, so that a claim cannot slip in.
    """
    line = _LINE.get()
    if line is None:
        return
    unknown = fields.keys() - line.allowed
    if unknown:
        raise TypeError(f"not a field of a request's line: {', '.join(sorted(unknown))}")
    line.fields.update({name: value for name, value in fields.items() if value is not None})


def added() -> Mapping[str, Any]:
    """The fields that were added to the line of the current request."""
    line = _LINE.get()
    return line.fields if line is not None else {}


def log_each_request(
    app: Flask,
    fields: Fields,
    on_request: Callable[[str, int, float, Mapping[str, Any]], None],
    monotonic: Callable[[], float] = time.perf_counter,
) -> None:
    """Write one line for each request of an app, with the fields that were added on the way.

    on_request: called with endpoint, status, seconds and the added fields, for metrics.
    """

    answer = app.wsgi_app

    def with_line(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        token = _LINE.set(_Line(fields.request, monotonic()))
        try:
            return answer(environ, start_response)
        finally:
            _LINE.reset(token)

    def write_line(response: Response) -> Response:
        line = _LINE.get()
        if line is not None:
            request, status, seconds = this_request(), response.status_code, monotonic() - line.begun_at
            endpoint = request.endpoint or "(none)"
            on_request(endpoint, status, seconds, line.fields)
            told = {
                **line.fields,
                "method": request.method if request.method in _METHODS else "(other)",
                "endpoint": endpoint,
                "status": status,
                "ms": round(seconds * 1000, 1),
            }
            _REQUESTS.log(_level(status, line.fields), "request", extra=told)
        return response

    app.wsgi_app = with_line  # type: ignore[method-assign]
    # Functions registered later run earlier: being first in the list, this one sees the final response.
    app.after_request_funcs.setdefault(None, []).insert(0, write_line)


def _level(status: int, added: Mapping[str, Any]) -> int:
    code = added.get("code")
    if status == 500 or code in {"config_error", "fault"}:
        return logging.ERROR
    return logging.WARNING if code not in {None, "cancelled"} or status > 500 else logging.INFO
