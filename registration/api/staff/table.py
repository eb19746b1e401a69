"""The acts of customer service, as data: arguments, what is looked at beforehand, and the function that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from kit.typed_text import fo_nummer, line
from registration import audit
from registration.accounts import person, sessions
from registration.api.answers import RETRY_AFTER, ApiError
from registration.backup.erasure_list import Erasure
from registration.customer_register import RegisterUnavailable, normalise_customer_number
from registration.database.models import LEVELS, SECTIONS, Account, Company
from registration.flow.confirmation import may_be_written_to
from registration.mail import outbox
from registration.rights import customer_service, rights_of

if TYPE_CHECKING:
    from registration.service import Service

Key = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Numbers = Annotated[list[Annotated[str, AfterValidator(normalise_customer_number)]], Field(max_length=100)]


class Arguments(BaseModel):
    """What an act is given, besides who and why."""

    model_config = ConfigDict(extra="forbid")
    account_id: Key


class Grant(Arguments):
    """company, or fo_nummer of one that nobody represents yet."""

    company: Key | None = None
    fo_nummer: Annotated[str, AfterValidator(fo_nummer)] | None = None
    customer_numbers: Numbers = []
    levels: dict[Literal[SECTIONS], Literal[LEVELS]] = {}  # type: ignore[valid-type]
    administrator: bool = False
    company_name: Annotated[str, AfterValidator(line), Field(min_length=1, max_length=255)] | None = None


class Revoke(Arguments):
    """No customer number: the whole right."""

    company: Key
    customer_numbers: Numbers = []
    leave_without_administrator: bool = False


class Relink(Arguments):
    """code: of the person who has identified anew."""

    code: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    name_changed_to: Annotated[str, Field(max_length=255)] | None = None


def refused(code: str) -> ApiError:
    """422: it does not fit what there is."""
    return ApiError(422, "refused", "it does not fit what there is", reason=code, members={"reason": code})


@dataclass
class Work:
    """One act under way. given: its arguments. account: whom it concerns. found: what was looked at beforehand.

    weighty: whether a supervisor must ask for it, and another one confirm it. erased: for the list of erasures.
    """

    service: Service
    given: Any
    account: Account
    fo_nummer: str | None = None
    found: Any = None
    weighty: bool = False
    erased: list[Erasure] = field(default_factory=list)


Does = Callable[[Work, Transaction, dict[str, Any]], None]
"""Do it, in a transaction. The last one is actor, why and now, as the functions of rights take them."""


@dataclass(frozen=True, slots=True)
class Act:
    """arguments: its model. look: what is looked at before; may call other services. Raises ApiError."""

    arguments: type[Arguments]
    look: Callable[[Work, Transaction], None]
    do: Does


def _look_grant(work: Work, tx: Transaction) -> None:
    given = work.given
    work.fo_nummer = given.fo_nummer or _fo_nummer(tx, given.company)
    known = tx.get(Company, work.fo_nummer)
    work.found, work.weighty = known.name if known else given.company_name, given.administrator
    if not (given.customer_numbers or given.levels or given.administrator):
        raise refused("nothing_to_do")
    for number in given.customer_numbers:
        try:
            customer = work.service.register.find(number, work.fo_nummer)
        except RegisterUnavailable:
            text = "the customer register cannot be asked now"
            raise ApiError(503, "temporarily_unavailable", text, retry_after=RETRY_AFTER) from None
        if customer is None:
            raise refused("not_together")
        work.found = work.found or customer.company_name


def _grant(work: Work, tx: Transaction, by: dict[str, Any]) -> None:
    given = work.given
    rights = {"levels": given.levels, "administrator": given.administrator, "company_name": work.found}
    customer_service.grant(tx, work.account, work.fo_nummer or "", given.customer_numbers, **rights, **by)


def _look_revoke(work: Work, tx: Transaction) -> None:
    work.fo_nummer = _fo_nummer(tx, work.given.company)


def _revoke(work: Work, tx: Transaction, by: dict[str, Any]) -> None:
    given, leave = work.given, {"leave_without_administrator": work.given.leave_without_administrator}
    customer_service.revoke(tx, work.account, work.fo_nummer or "", given.customer_numbers, **leave, **by)
    if not given.customer_numbers:
        work.erased.append(Erasure(by["now"], account=work.account.id, company=given.company))


def _look_confirmation(work: Work, tx: Transaction) -> None:
    held = rights_of(tx, work.account.id)
    if work.account.email_confirmed_at is not None or not held:
        raise refused("nothing_to_do")
    if may_be_written_to(work.service, work.account.email) is not None:
        raise refused("too_many")
    work.found = {"company": held[0].name, "fo_nummer": held[0].fo_nummer}


def _confirmation(work: Work, tx: Transaction, by: dict[str, Any]) -> None:
    outbox.notify(tx, work.account, outbox.CONFIRMATION, by["now"], **work.found)
    _record(work, tx, "confirmation_sent", by)


def _end_sessions(work: Work, tx: Transaction, by: dict[str, Any]) -> None:
    sessions.end_all(tx, work.account)
    _record(work, tx, "sessions_ended", by)


def _look_relink(work: Work, tx: Transaction) -> None:
    work.weighty = True
    found = person.waiting(tx, work.service.keys, work.service.now, work.given.code)
    if len(found) != 1:
        raise refused("unknown_code")
    person.refuse_other_name(work.account, found[0], work.given.name_changed_to)
    work.found = found[0].sub


def _relink(work: Work, tx: Transaction, by: dict[str, Any]) -> None:
    person.relink(tx, work.account, work.found, **by)


def _fo_nummer(tx: Transaction, key: str | None) -> str:
    found = tx.scalar(select(Company.fo_nummer).where(Company.key == key))
    if found is None:
        raise refused("unknown_company")
    return found


def _record(work: Work, tx: Transaction, event: str, by: dict[str, Any]) -> None:
    audit.record(tx, event, now=by["now"], actor=by["actor"], subject=work.account.id, **by["why"])


ACTS: Mapping[str, Act] = {
    "grant": Act(Grant, _look_grant, _grant),
    "revoke": Act(Revoke, _look_revoke, _revoke),
    "confirmation": Act(Arguments, _look_confirmation, _confirmation),
    "end_sessions": Act(Arguments, lambda work, tx: None, _end_sessions),
    "relink": Act(Relink, _look_relink, _relink),
}
