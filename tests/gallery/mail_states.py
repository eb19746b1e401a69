"""What registration's e-mails say: plain text, as a reader shows it."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.wrappers import Response

from tests.gallery.state import State, states
from tests.harness.registration_pages import MAIL_KINDS, MAIL_WORDS, PagesHarness

SERVICE = "mail"


OTHER_WORDS = {
    "case opened, disputed": {"case_kind": "disputed"},
    "case decided, refused": {"outcome": "refused"},
    "case decided, withdrawn": {"outcome": "withdrawn"},
    "case closed, refused": {"outcome": "refused"},
    "case closed, withdrawn": {"outcome": "withdrawn"},
}
"""What some kinds say besides, by kind and state."""


def mail_text(harness: PagesHarness, kind: str, locale: str, **other: str) -> tuple[str, str]:
    """Subject and text of an e-mail. other: words instead of the usual ones."""
    words = MAIL_WORDS | other
    subject = harness.pages.render(f"mail/{kind}.subject.txt", locale, **words)
    return subject.strip(), harness.pages.render(f"mail/{kind}.txt", locale, **words).strip()


def mail_states(harness: PagesHarness) -> list[State]:
    """A state for each kind of e-mail."""

    def drawn(kind: str, **other: str) -> Callable[[str], Response]:
        def draw(locale: str) -> Response:
            subject, text = mail_text(harness, kind, locale, **other)
            return Response(f"{subject}\n\n{text}\n", content_type="text/plain; charset=utf-8")

        return draw

    more = {name: drawn(name.partition(",")[0].replace(" ", "_"), **other) for name, other in OTHER_WORDS.items()}
    return states(SERVICE, {kind.replace("_", " "): drawn(kind) for kind in MAIL_KINDS} | more)
