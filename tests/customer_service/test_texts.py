"""What registration names by a code has words for people."""

from __future__ import annotations

from customer_service.answers import LEVELS, SECTIONS
from customer_service.pages import texts
from registration.api.staff.table import REASONS
from registration.audit import EVENTS
from registration.database import models
from registration.mail import outbox


def test_every_event_of_the_trail_every_mail_and_every_reason_has_words() -> None:
    assert EVENTS - texts.EVENTS.keys() == set()
    assert set(outbox.KINDS) - texts.MAILS.keys() == set()
    assert set(REASONS) == texts.REASONS.keys()


def test_sections_and_levels_are_registrations() -> None:
    assert (SECTIONS, LEVELS) == (models.SECTIONS, models.LEVELS)
