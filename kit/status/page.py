"""What the page shows, and the route that shows it, to nobody who comes through a proxy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, render_template, request

from kit.keys.checks import moment
from kit.keys.timetable import Phase
from kit.keys.watch import KeyStatus, last_of_each, replaced_by
from kit.pages.rendering import SECURITY_HEADERS
from kit.pages.shared_look import use_shared_look
from kit.serving.operations import STATES, Check

PATH = "/status"
HEADERS = {
    **SECURITY_HEADERS,
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
}
BY_A_PROXY = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")
"""Headers that a proxy in front adds."""
_NO_PROXY = "This is not shown through a proxy: open it on the second port itself (docs/operations.md).\n"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar. kind: `good`, `left` or `bad`."""

    kind: str
    count: float


@dataclass(frozen=True, slots=True)
class Bar:
    """Drawn beside its words, which say all that it shows. longest: what fills the whole width."""

    parts: Sequence[Part]
    longest: float

    @property
    def drawn(self) -> list[tuple[str, float, float]]:
        """Of each piece its kind, where it begins and its width, in hundredths."""
        placed, at = [], 0.0
        for part in self.parts:
            width = 100 * part.count / self.longest if self.longest else 0.0
            placed.append((part.kind, round(at, 2), round(width, 2)))
            at += width
        return placed


@dataclass(frozen=True, slots=True)
class Bank:
    """A row of the chooser. stands: whether it can be begun with, in words. outcomes: of the last hour, in words."""

    name: str
    connection: str
    stands: str
    well: bool
    outcomes: str
    bar: Bar


@dataclass(frozen=True, slots=True)
class Used:
    """How much of something is used. most: 0 where there is no end to it."""

    name: str
    used: float
    most: float = 0

    @property
    def said(self) -> str:
        """In words."""
        if math.isnan(self.used):
            return "not known"
        return f"{self.used:.0f} of {self.most:.0f}" if self.most else f"{self.used:.0f}"

    @property
    def bar(self) -> Bar | None:
        """As a bar; what is nearly full stands out."""
        if not self.most or math.isnan(self.used):
            return None
        kind = "bad" if self.used > 0.8 * self.most else "good"
        return Bar([Part(kind, min(self.used, self.most))], self.most)


@dataclass(frozen=True, slots=True)
class Status:
    """What a service tells of itself. rotate_every: days, by purpose. used: queues and limits, by heading.

    banks: None if it has none.
    """

    keys: Sequence[KeyStatus]
    rotate_every: Mapping[str, int]
    used: dict[str, Sequence[Used]]
    banks: Sequence[Bank] | None = None


def through_a_proxy() -> Response | None:
    """The refusal of a request that came through a proxy; None if it did not."""
    if any(name in request.headers for name in BY_A_PROXY):
        return Response(_NO_PROXY, 403, mimetype="text/plain")
    return None


def add_status_page(
    app: Flask,
    *,
    service: str,
    brand: str,
    environment: str,
    clock: Callable[[], float],
    checks: Callable[[], Iterable[Check]],
    status: Callable[[], Status],
) -> None:
    """Add `/status` to the application of a second port. service, brand: for people. clock: seconds since the epoch."""
    use_shared_look(app, Path(__file__).parent, lambda: Response("there is no such file\n", 404, mimetype="text/plain"))
    started = clock()

    @app.get(PATH)
    def show_status() -> Response:
        if refused := through_a_proxy():
            return refused
        made = sorted(checks(), key=lambda check: -STATES.index(check.state))
        told = status()
        html = render_template(
            "status.html",
            languages=None,
            form_id=None,
            brand=brand,
            service=service,
            environment=environment,
            started=moment(started),
            now=moment(clock()),
            checks=made,
            worst=made[0].state if made else "ok",
            keys=list(_with_next(told, clock())),
            used=told.used,
            banks=told.banks,
            moment=moment,
        )
        return Response(html, headers=HEADERS)


def _with_next(status: Status, now: float) -> Iterator[tuple[KeyStatus, str]]:
    """The keys that are not gone, each with what happens to it next; now: seconds since the epoch."""
    last = last_of_each(status.keys, now)
    for key in status.keys:
        if key.phase is Phase.GONE:
            continue
        by = replaced_by(key, status.rotate_every.get(key.purpose)) if key in last else None
        due = f"a successor is due by {moment(by)} UTC" if by is not None else ""
        change = f"{key.change[1]}: {moment(key.change[0])} UTC" if key.change else ""
        yield key, "; ".join(filter(None, (change, due))) or "nothing by itself"
