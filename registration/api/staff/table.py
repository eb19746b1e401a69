"""The acts of customer service as data: a model of what is asked, and a function that makes it ready to be done.

What makes it ready only looks, outside of the transaction, and may ask other services; what it returns does it, within
the transaction, by the functions that the commands use too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from sqlalchemy.orm import Session as Transaction

from kit import typed_text
from kit.rights import LEVELS, SECTIONS
from kit.typed_text import customer_number
from registration import cases
from registration.accounts import person, sessions
from registration.api.answers import ApiError, refused
from registration.audit import By
from registration.backup.erasure_list import Erasure
from registration.database.models import Account, Company
from registration.flow.confirmation import may_be_written_to
from registration.mail import outbox
from registration.rights import customer_service
from registration.rights.lookup import rights_of
from registration.service import Service

REASONS = (
    "asked_by_phone", "asked_in_writing", "identified_in_person", "correction", "left_the_company", "complaint",
    "security", "other",
)  # fmt: skip
Key = Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
Name = Annotated[str, StringConstraints(max_length=255), AfterValidator(typed_text.line)]
Numbers = Annotated[list[Annotated[str, AfterValidator(customer_number)]], Field(max_length=100)]


class Body(BaseModel):
    """What a request says, and nothing else."""

    model_config = ConfigDict(extra="forbid")


_Body = TypeVar("_Body", bound=Body)


class Why(Body):
    """Why something is done. text: in the person's own words; no name belongs into it, as the trail keeps it."""

    reason: Literal[REASONS]  # type: ignore[valid-type]
    text: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")] = ""

    def by(self, actor: str, now: int, **second: str) -> By:
        """For the trail. now: seconds since the epoch."""
        return By(actor, now, {"reason": self.reason, "text": self.text, **second})


class Asked(Why):
    """An act, and what makes it once."""

    act: str
    request_id: Annotated[str, StringConstraints(pattern="^[A-Za-z0-9-]{16,64}$")]


class OfPerson(Asked):
    """An act that concerns a person."""

    account_id: Key


class Decide(Asked):
    """ending: whose rights in the company end by it; of a case that is granted."""

    case: Key
    decision: Literal["grant", "refuse"]
    ending: Annotated[list[Key], Field(max_length=100)] = []


class Grant(OfPerson):
    """company, or fo_nummer of one that nobody represents yet."""

    company: Key | None = None
    fo_nummer: Annotated[str, AfterValidator(typed_text.fo_nummer)] | None = None
    customer_numbers: Numbers = []
    levels: dict[Literal[SECTIONS], Literal[LEVELS]] = {}  # type: ignore[valid-type]
    administrator: bool = False
    company_name: Name | None = None


class Revoke(OfPerson):
    """No customer number: the whole right."""

    company: Key
    customer_numbers: Numbers = []
    leave_without_administrator: bool = False
    keep_given: bool = False


class Relink(OfPerson):
    """code: of the person who has identified anew."""

    code: Annotated[str, StringConstraints(pattern="^[0-9a-f]{8}$")]
    name_changed_to: Name | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """do: in a transaction; returns what belongs on the list of erasures. weighty: for a supervisor, and a second one.

    supervisor: for one alone.
    """

    do: Callable[[Transaction, Account, By], Sequence[Erasure] | None]
    weighty: bool = False
    supervisor: bool = False


def grant(service: Service, tx: Transaction, account: Account, company: Company | None, asked: Grant) -> Ready:
    """Customer numbers, levels, the administrator's role."""
    name, fo = (company.name, company.fo_nummer) if company else (asked.company_name, asked.fo_nummer)
    if fo is None or not (asked.customer_numbers or asked.levels or asked.administrator):
        raise refused("nothing_to_do")
    known = customer_service.name_in(service.register, asked.customer_numbers, fo)
    what = {**asked.model_dump(include={"levels", "administrator"}), "company_name": name or known}
    where = fo, asked.customer_numbers
    return Ready(
        lambda tx, account, by: customer_service.grant(tx, account, *where, by, **what), weighty=asked.administrator
    )


def revoke(service: Service, tx: Transaction, account: Account, company: Company, asked: Revoke) -> Ready:
    """Customer numbers, or the whole right."""
    leaving = asked.model_dump(include={"leave_without_administrator", "keep_given"})
    where = company.fo_nummer, asked.customer_numbers
    return Ready(lambda tx, account, by: customer_service.revoke(tx, account, *where, by, **leaving))


def confirmation(service: Service, tx: Transaction, account: Account, _company: None, asked: Asked) -> Ready:
    """The e-mail that confirms the address, once more."""
    held = rights_of(tx, account.id)
    if account.email_confirmed_at is not None or not held:
        raise refused("nothing_to_do")

    def do(tx: Transaction, account: Account, by: By) -> None:
        if may_be_written_to(tx, service, account.email) is not None:
            raise refused("too_many")
        words = {"company": held[0].company.name, "fo_nummer": held[0].fo_nummer}
        outbox.notify(tx, account, outbox.CONFIRMATION, by.now, **words)
        by.record(tx, "confirmation_sent", subject=account.id)

    return Ready(do)


def end_sessions(service: Service, tx: Transaction, account: Account, _company: None, asked: Asked) -> Ready:
    """Sign a person out everywhere."""

    def do(tx: Transaction, account: Account, by: By) -> None:
        sessions.end_all(tx, account)
        by.record(tx, "sessions_ended", subject=account.id)

    return Ready(do)


def relink(service: Service, tx: Transaction, account: Account, _company: None, asked: Relink) -> Ready:
    """Join an account to somebody who has identified anew; to be confirmed while their session lasts."""
    found = person.waiting(tx, service.keys, service.now, asked.code)
    if len(found) != 1:
        raise refused("unknown_code")
    person.refuse_other_name(account, found[0], asked.name_changed_to)
    return Ready(lambda tx, account, by: person.relink(tx, account, found[0].sub, by), weighty=True)


def decide(service: Service, tx: Transaction, account: Account, _company: Company | None, asked: Decide) -> Ready:
    """Decide a case."""
    kind = cases.case(tx, asked.case).kind
    return Ready(
        lambda tx, _, by: cases.decide(tx, asked.case, asked.decision, by, asked.ending).erasures,
        weighty=asked.decision == "grant" and kind != "joining",
        supervisor=kind == "disputed",
    )


ACTS: Mapping[str, tuple[type[Asked], Callable[..., Ready]]] = {
    "grant": (Grant, grant),
    "revoke": (Revoke, revoke),
    "confirmation": (OfPerson, confirmation),
    "end_sessions": (OfPerson, end_sessions),
    "relink": (Relink, relink),
    "decide": (Decide, decide),
}


def read(model: type[_Body], body: Any) -> _Body:
    """A body that is as its model says. Raises ApiError, with the member that is not."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        member = next((str(part) for part in error.errors()[0]["loc"] if part in model.model_fields), None)
        raise ApiError(400, "invalid_request", "a member is not as described", members={"member": member}) from None
