"""What registration's staff API answers, as far as the pages show it (docs/openapi-registration.yaml).

A member that is not known is left alone, and one that may be missing has its default: an API that is a version newer
or older than these pages breaks none of them.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class CompanyRef(Answer):
    """A company that something is about. key: for its page; None if nobody has registered for it."""

    key: str | None = None
    fo_nummer: str | None = None
    name: str = ""


class FoundCompany(CompanyRef):
    """A company that was found. users: how many it has."""

    users: int = 0


class FoundPerson(Answer):
    """A person who was found."""

    account_id: str
    user_name: str
    given_name: str
    family_name: str
    email: str
    companies: tuple[CompanyRef, ...] = ()


class FoundCode(Answer):
    """Whom a code of registration's pages stands for: somebody who has identified. account_id: if they have one."""

    account_id: str | None = None
    name: str | None = None
    identified_at: int | None = None
    browser: str | None = None


class Found(Answer):
    """What a search has found. more: there is more than is told."""

    companies: tuple[FoundCompany, ...] = ()
    people: tuple[FoundPerson, ...] = ()
    code: FoundCode | None = None
    more: bool = False


class Giver(Answer):
    """Who has given a right. kind: `user`, `registration` or `customer_service`."""

    kind: str
    name: str | None = None


class Right(Answer):
    """What a person holds of a company. number_count: of customer numbers, of which fifty are told at most."""

    administrator: bool = False
    levels: dict[str, str] = Field(default_factory=dict)
    customer_numbers: tuple[str, ...] = ()
    number_count: int | None = None
    since: int | None = None
    given_by: Giver | None = None
    ends_at: int | None = None
    suspended_at: int | None = None


class CompanyUser(Right):
    """A user of a company."""

    account_id: str
    user_name: str
    given_name: str
    family_name: str
    email: str = ""
    email_confirmed: bool = False


class PersonsRight(Right):
    """A right of a person."""

    key: str = Field(validation_alias=AliasChoices("company", "key"))
    fo_nummer: str
    name: str


class Case(Answer):
    """What customer service is to decide."""

    id: str
    kind: str
    state: str = "open"
    opened_at: int | None = None
    decided_at: int | None = None
    decided_by: str | None = None
    reason: str | None = None
    account_id: str | None = None
    name: str | None = None
    customer_number: str | None = None
    company: CompanyRef = CompanyRef()
    mail_waiting: bool = False


class Company(Answer):
    """A company with fifty of its users. next: after which user the next page begins."""

    key: str
    fo_nummer: str
    name: str
    founded_at: int | None = None
    numbers: int = 0
    users: tuple[CompanyUser, ...] = ()
    next: str | None = None
    cases: tuple[Case, ...] = ()


class Mail(Answer):
    """An e-mail to a person that waits or was sent."""

    kind: str
    created_at: int
    tries: int = 0
    sent_at: int | None = None


class Person(Answer):
    """A person and what they hold."""

    account_id: str
    user_name: str
    given_name: str
    family_name: str
    email: str
    email_confirmed_at: int | None = None
    locale: str = ""
    created_at: int | None = None
    sessions: int = 0
    mail: tuple[Mail, ...] = ()
    rights: tuple[PersonsRight, ...] = ()
    cases: tuple[Case, ...] = ()

    @property
    def name(self) -> str:
        """Given and family names."""
        return f"{self.given_name} {self.family_name}"

    def right(self, company_key: str) -> PersonsRight | None:
        """What they hold of a company."""
        return next((right for right in self.rights if right.key == company_key), None)


class Record(Answer):
    """A record of the audit trail."""

    seq: int
    at: int
    event: str
    actor: str
    actor_name: str | None = None
    subject: str | None = None
    subject_name: str | None = None
    company: CompanyRef | None = None
    details: dict[str, Any] = Field(default_factory=dict)


class Trail(Answer):
    """Records, the newest first. next: before which record the next page ends."""

    records: tuple[Record, ...] = ()
    next: int | None = None


class Cases(Answer):
    """Cases. next: after which the next page begins."""

    cases: tuple[Case, ...] = ()
    next: str | None = None


class WaitingAct(Answer):
    """An act that waits for a second member of staff. own: whoever asks has asked for it themselves."""

    id: str
    act: str
    asked_by: str
    asked_at: int
    reason: str
    text: str = ""
    account_id: str | None = None
    name: str | None = None
    company: CompanyRef | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    own: bool = False
    expires_at: int | None = None


class WaitingActs(Answer):
    """What waits."""

    acts: tuple[WaitingAct, ...] = ()


class Vocabulary(Answer):
    """The reasons that an act may have."""

    reasons: tuple[str, ...]


class Outcome(Answer):
    """What became of an act. state: `done`, `waiting` (for a second member of staff) or `refused` (by that one)."""

    state: Literal["done", "waiting", "refused"]
    id: str | None = None


class CallerCheck(Answer):
    """A check of who is on the phone. code: to read aloud; None where a link went by e-mail. page: its address."""

    id: str
    code: str | None = None
    page: str


class CallerCheckState(Answer):
    """How it stands. expires_at: of the step that it is at."""

    state: Literal["waiting", "identified", "ended"]
    expires_at: int


class Caller(Answer):
    """Who is on the phone, told once. owner: whether the account is theirs; None if the check is about none."""

    given_name: str
    family_name: str
    birth_date: date | None = None
    owner: bool | None = None
    identified_at: int


class AlreadyDecided(Answer):
    """Who has decided before, when and how."""

    by: str | None = None
    at: int | None = None
    outcome: str | None = None
