"""The demo's mailbox: empty, with one e-mail of each kind in each language, and not found."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

from flask import Flask
from werkzeug.wrappers import Response

from demo.mailbox.app import Mailbox, create_app
from tests.gallery.mail_states import mail_text
from tests.gallery.state import LOCALES, Draw, State, states
from tests.harness.registration_pages import DRAFT, MAIL_KINDS, PagesHarness

SERVICE = "mailbox"
NOW = 1_795_600_000
SENDER = "no-reply@example.fi"


def mailbox_states(harness: PagesHarness) -> tuple[list[State], Flask]:
    """The states, and the application whose static files they refer to. harness: writes the e-mails."""
    empty, filled = Mailbox(lambda: NOW), Mailbox(lambda: NOW)
    for kind in MAIL_KINDS:
        for locale in LOCALES:
            filled.add(SENDER, (DRAFT["email"],), _written(harness, kind, locale))

    def page(app: Flask, path: str = "/") -> Draw:
        def draw(_locale: str) -> Response:
            return app.test_client().get(path)

        return draw

    app = create_app(empty)
    draws = {"mails, none": page(app), "mails": page(create_app(filled)), "not found": page(app, "/nowhere")}
    return states(SERVICE, draws, locales=("en",)), app


def _written(harness: PagesHarness, kind: str, locale: str) -> bytes:
    subject, text = mail_text(harness, kind, locale)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    message["Message-ID"] = f"<{kind}.{locale}@example.fi>"
    message.set_content(text, cte="quoted-printable")
    message["Content-Language"] = locale
    return message.as_bytes()
