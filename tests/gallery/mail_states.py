"""What registration's e-mails say: plain text, as a reader shows it."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.wrappers import Response

from tests.gallery.state import State, states
from tests.harness.registration_pages import MAIL_KINDS, MAIL_WORDS, PagesHarness

SERVICE = "mail"


def mail_text(harness: PagesHarness, kind: str, locale: str) -> tuple[str, str]:
    """Subject and text of an e-mail."""
    subject = harness.pages.render(f"mail/{kind}.subject.txt", locale, **MAIL_WORDS)
    return subject.strip(), harness.pages.render(f"mail/{kind}.txt", locale, **MAIL_WORDS).strip()


def mail_states(harness: PagesHarness) -> list[State]:
    """A state for each kind of e-mail."""

    def drawn(kind: str) -> Callable[[str], Response]:
        def draw(locale: str) -> Response:
            subject, text = mail_text(harness, kind, locale)
            return Response(f"{subject}\n\n{text}\n", content_type="text/plain; charset=utf-8")

        return draw

    return states(SERVICE, {kind.replace("_", " "): drawn(kind) for kind in MAIL_KINDS})
