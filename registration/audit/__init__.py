"""The audit trail: a table that is only ever appended to, in the transaction of what it tells, each record chained.

    record    one record, written when its transaction commits (`chain.py` says why then)
    chain     what each record's hash is made of, and who may append
    reading   verify and find
    pruning   what is older than it must be kept goes; a signed checkpoint stays

A record names accounts by their id and companies by FO-nummer, never a person; so it stays when a person is erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from registration.audit import chain
from registration.database.models import AuditRecord

EVENTS = frozenset(
    {
        "registered",  # details: administrator, company_check (active, unknown, unreachable, off), terms, waits_for
        "refused",  # details: reason (under_age, company_ceased, too_many_tries, other_person)
        "case_opened",  # details: case, kind, way
        "case_decided",  # details: case, kind, outcome, reason; new, as of `granted`
        "letters_written",  # activation codes, for the printer; details: letters, operator's reason
        "email_confirmed",
        "email_changed",
        "signed_in",  # details: by (password, identification, online_service:<client>)
        "identified",  # once more, for what hurts
        "password_changed",
        "terms_accepted",  # details: terms
        "sessions_ended",
        "rights_changed",  # details: the four sections, administrator; because, of a share that ended
        "rights_given",  # a user, or customer service, lets someone see a company's data
        "user_removed",
        "right_ended",  # details: because (giver, whose right has ended; date)
        "rights_reviewed",  # an administrator confirms that users' rights are still right; details: users, complete
        "numbers_ending",  # of a customer; details: numbers
        "numbers_suspended",
        "numbers_back",
        "administrator_handed_over",
        "granted",  # by customer service; details: reason, new (no right before); of staff also text and second
        "revoked",
        "relinked",  # details: reason
        "forgotten",
        "exported",
        "restored",  # the database, from a backup; details: backup (when it was made), reason
        "listed",  # who may do what, by customer service; details: reason, if it was a command
        "confirmation_sent",  # again, by customer service
        "act_asked",  # it waits for a second member of staff; details: act, reason, text
        "act_refused",  # by that one; details: act, reason, text
        "customers_imported",  # details: added, changed, removed
        "caller_asked",  # customer service asks who is on the phone; details: by (voice, email), case
        "caller_identified",  # they have; details: owner (of the subject: yes, no, not asked), case
        "caller_shown",  # their name, to that member of staff
        "caller_not_shown",  # the digits were wrong
        "audit_pruned",  # details: records, seq (of the last), checkpoint (its digest), older_than, operator's reason
        "not_told",  # an e-mail that is not sent: unconfirmed, refused or full address; details: kind, reason
    }
)


def record(
    session: Session,
    event: str,
    *,
    now: int,
    actor: str,
    subject: str | None = None,
    fo_nummer: str | None = None,
    **details: str,
) -> None:
    """Append a record when the transaction commits. now: seconds since the epoch.

    actor: an account id, `operator:<name>`, `staff:<id>`, `client:<id>` or `nobody`.
    subject: the account it is about. Raises ValueError for an unknown event.
    """
    if event not in EVENTS:
        raise ValueError(f"no event of the audit trail: {event}")
    told = AuditRecord(at=now, event=event, actor=actor, subject=subject, fo_nummer=fo_nummer, details=dict(details))
    chain.append_at_commit(session, told)


@dataclass(frozen=True, slots=True)
class By:
    """Who does something, when, and why: what each record of it says. actor, now: as `record`; why: its details."""

    actor: str
    now: int
    why: Mapping[str, str]

    def record(self, session: Session, event: str, **about: Any) -> None:
        """As `record`, of these. about: its subject, company and further details."""
        record(session, event, now=self.now, actor=self.actor, **self.why, **about)
