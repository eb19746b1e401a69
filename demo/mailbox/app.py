"""The demo's mail server: takes every e-mail, sends none on, and shows what it caught on a page.

    GET /            the e-mails, the newest first, their links to be clicked
    GET /api/mails   the same as JSON; ?to=ADDRESS for one recipient's
    GET /livez       200 while it runs

Kept in memory: the last 200, each of at most 64 KiB. It has no login: for this machine and made-up people only.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import itertools
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from zoneinfo import ZoneInfo

from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask, Response, jsonify, render_template, request

from kit.pages.rendering import SECURITY_HEADERS
from kit.pages.shared_look import use_shared_look

MOST_MAILS = 200
MOST_BYTES = 64 * 1024
MOST_RECIPIENTS = 10
LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
LANGUAGE = re.compile(r"[a-z]{2}(-[A-Za-z0-9]{2,8})?")
HELSINKI = ZoneInfo("Europe/Helsinki")


CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {**SECURITY_HEADERS, "Content-Security-Policy": CONTENT_SECURITY_POLICY}


@dataclass(frozen=True, slots=True)
class Mail:
    """A caught e-mail. at: seconds since the epoch. links: the addresses in its text."""

    id: int
    at: int
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    links: tuple[str, ...]
    language: str
    message_id: str

    @property
    def parts(self) -> list[tuple[str, bool]]:
        """The text cut at its links; True: a link."""
        found = [(match.start(), match.end()) for match in LINK.finditer(self.text)]
        edges = sorted({0, len(self.text), *itertools.chain(*found)})
        return [(self.text[start:end], (start, end) in found) for start, end in itertools.pairwise(edges)]

    @property
    def when(self) -> datetime:
        """When it came, in Finland."""
        return datetime.fromtimestamp(self.at, UTC).astimezone(HELSINKI)

    @property
    def shown_time(self) -> str:
        """When it came, as the page says it: to the minute."""
        return f"{self.when.day} {self.when:%B %Y, %H:%M}"


class Mailbox:
    """What was caught, the latest only. clock: seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._mails: deque[Mail] = deque(maxlen=MOST_MAILS)
        self._numbers = itertools.count(1)
        self._lock = Lock()

    def add(self, sender: str, to: tuple[str, ...], content: bytes) -> None:
        """Keep an e-mail. content: as it came over SMTP."""
        message = email.message_from_bytes(content, policy=email.policy.default)
        text = text_of(message)
        language = header(message, "Content-Language")
        with self._lock:
            mail = Mail(
                id=next(self._numbers),
                at=int(self._clock()),
                sender=sender,
                to=to,
                subject=header(message, "Subject"),
                text=text,
                links=tuple(LINK.findall(text)),
                language=language if LANGUAGE.fullmatch(language) else "",
                message_id=header(message, "Message-ID"),
            )
            self._mails.appendleft(mail)

    def newest_first(self, to: str | None = None) -> list[Mail]:
        """Every e-mail, or those of one recipient."""
        with self._lock:
            return [mail for mail in self._mails if to is None or to in mail.to]


def header(message: EmailMessage, name: str) -> str:
    """A header as text; empty if there is none, or none that can be read."""
    try:
        return str(message.get(name, ""))
    except (ValueError, LookupError, AttributeError):  # what email's own parser raises at a broken header
        return ""


def text_of(message: EmailMessage) -> str:
    """The plain text of an e-mail; empty if it has none."""
    try:
        body = message.get_body(("plain",))
        content = body.get_content() if isinstance(body, EmailMessage) else ""
    except (ValueError, LookupError, AttributeError):
        return ""
    return str(content).replace("\r\n", "\n").strip()


class Catcher:
    """Takes e-mail for a mailbox, in a thread, until it is closed. port: 0 for any free one; then the one it got."""

    def __init__(self, mailbox: Mailbox, host: str, port: int) -> None:
        self._mailbox = mailbox
        self._loop = asyncio.new_event_loop()
        try:
            listening = self._loop.create_server(self._protocol, host, port)
            self._server = self._loop.run_until_complete(listening)
        except OSError:
            self._loop.close()
            raise
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = Thread(target=self._loop.run_forever, name="smtp", daemon=True)
        self._thread.start()

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, to: str, _options: Any) -> str:
        """aiosmtpd's hook: one recipient more."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(to)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """aiosmtpd's hook: the whole e-mail."""
        content = envelope.original_content or b""
        self._mailbox.add(envelope.mail_from or "", tuple(envelope.rcpt_tos), content)
        return "250 2.0.0 caught"

    def close(self) -> None:
        """Take no more, and end the thread."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _protocol(self) -> SMTP:
        return SMTP(self, loop=self._loop, hostname="mailbox", data_size_limit=MOST_BYTES, enable_SMTPUTF8=True)

    async def _end(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def create_app(mailbox: Mailbox) -> Flask:
    """The page as a WSGI application."""
    app = Flask(__name__, static_folder=None)
    use_shared_look(app, Path(__file__).parent, lambda: Response(render_template("mailbox_not_found.html"), 404))
    app.context_processor(lambda: {"languages": None, "form_id": None})

    @app.get("/")
    def show() -> str:
        to = request.args.get("to")
        return render_template("mailbox.html", mails=mailbox.newest_first(to), to=to)

    @app.get("/api/mails")
    def list_mails() -> Response:
        return jsonify(mails=[asdict(mail) for mail in mailbox.newest_first(request.args.get("to"))])

    @app.get("/livez")
    def livez() -> Response:
        return Response("ok\n", content_type="text/plain")

    @app.errorhandler(404)
    def not_found(_error: Exception) -> tuple[str, int]:
        return render_template("mailbox_not_found.html"), 404

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return app
