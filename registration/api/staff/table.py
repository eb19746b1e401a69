"""The acts of customer service as data: a model of what is asked, and a function that makes it ready to be done.

What makes it ready only looks, outside of the transaction, and may ask other services; what it returns does it, within
the transaction, by the functions that the commands use too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session as Transaction

from kit import typed_text
from registration import audit, cases
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

REASONS = (
    "asked_by_phone", "asked_in_writing", "identified_in_person", "correction", "left_the_company", "complaint",
    "security", "other",
)  # fmt: skip
Key = Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
Name = Annotated[str, StringConstraints(max_length=255), AfterValidator(typed_text.line)]
Numbers = Annotated[list[Annotated[str, AfterValidator(normalise_customer_number)]], Field(max_length=100)]


class Why(BaseModel):
    """Why something is done. text: in the person's own words; no name belongs into it, as the trail keeps it."""

    model_config = ConfigDict(extra="forbid")
    reason: Literal[REASONS]  # type: ignore[valid-type]
    text: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")] = ""


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


By = dict[str, Any]
"""actor, why and now, as the functions of rights take them."""


@dataclass(frozen=True, slots=True)
class Ready:
    """do: in a transaction; returns what belongs on the list of erasures. weighty: for a supervisor, and a second one.

    supervisor: for one alone.
    """

    do: Callable[[Transaction, Account, By], Sequence[Erasure] | None]
    weighty: bool = False
    supervisor: bool = False


def refused(code: str, **members: Any) -> ApiError:
    """422: it does not fit what there is."""
    return ApiError(422, "refused", "it does not fit what there is", reason=code, members={"reason": code, **members})


def grant(service: Service, tx: Transaction, account: Account, company: Company | None, asked: Grant) -> Ready:
    """Customer numbers, levels, the administrator's role."""
    name, fo = (company.name, company.fo_nummer) if company else (asked.company_name, asked.fo_nummer)
    if fo is None or not (asked.customer_numbers or asked.levels or asked.administrator):
        raise refused("nothing_to_do")
    for number in asked.customer_numbers:
        try:
            customer = service.register.find(number, fo)
        except RegisterUnavailable:
            text = "the customer register cannot be asked now"
            raise ApiError(503, "temporarily_unavailable", text, retry_after=RETRY_AFTER) from None
        if customer is None:
            raise refused("not_together")
        name = name or customer.company_name
    rights: dict[str, Any] = {"levels": asked.levels, "administrator": asked.administrator, "company_name": name}

    def do(tx: Transaction, account: Account, by: By) -> None:
        customer_service.grant(tx, account, fo, asked.customer_numbers, **rights, **by)

    return Ready(do, weighty=asked.administrator)


def revoke(service: Service, tx: Transaction, account: Account, company: Company, asked: Revoke) -> Ready:
    """Customer numbers, or the whole right."""
    fo, numbers = company.fo_nummer, asked.customer_numbers
    how: dict[str, Any] = {
        "leave_without_administrator": asked.leave_without_administrator,
        "keep_given": asked.keep_given,
    }

    def do(tx: Transaction, account: Account, by: By) -> list[Erasure]:
        ended = customer_service.revoke(tx, account, fo, numbers, **how, **by)
        return [Erasure(by["now"], account=id, company=asked.company) for id in ended]

    return Ready(do)


def confirmation(service: Service, tx: Transaction, account: Account, _company: None, asked: Asked) -> Ready:
    """The e-mail that confirms the address, once more."""
    held = rights_of(tx, account.id)
    if account.email_confirmed_at is not None or not held:
        raise refused("nothing_to_do")
    if may_be_written_to(service, account.email) is not None:
        raise refused("too_many")

    def do(tx: Transaction, account: Account, by: By) -> None:
        words = {"company": held[0].name, "fo_nummer": held[0].fo_nummer}
        outbox.notify(tx, account, outbox.CONFIRMATION, by["now"], **words)
        _record(tx, "confirmation_sent", account, by)

    return Ready(do)


def end_sessions(service: Service, tx: Transaction, account: Account, _company: None, asked: Asked) -> Ready:
    """Sign a person out everywhere."""

    def do(tx: Transaction, account: Account, by: By) -> None:
        sessions.end_all(tx, account)
        _record(tx, "sessions_ended", account, by)

    return Ready(do)


def relink(service: Service, tx: Transaction, account: Account, _company: None, asked: Relink) -> Ready:
    """Join an account to somebody who has identified anew; to be confirmed while their session lasts."""
    found = person.waiting(tx, service.keys, service.now, asked.code)
    if len(found) != 1:
        raise refused("unknown_code")
    person.refuse_other_name(account, found[0], asked.name_changed_to)

    def do(tx: Transaction, account: Account, by: By) -> None:
        person.relink(tx, account, found[0].sub, **by)

    return Ready(do, weighty=True)


def decide(service: Service, tx: Transaction, account: Account, _company: Company | None, asked: Decide) -> Ready:
    """Decide a case."""
    kind = cases.case(tx, asked.case).kind

    def do(tx: Transaction, account: Account, by: By) -> Sequence[Erasure]:
        told = {"actor": by["actor"], "now": by["now"], **by["why"]}
        return cases.decide(tx, asked.case, asked.decision, ending=asked.ending, **told).erasures

    return Ready(do, weighty=asked.decision == "grant" and kind != "joining", supervisor=kind == "disputed")


def _record(tx: Transaction, event: str, account: Account, by: By) -> None:
    audit.record(tx, event, now=by["now"], actor=by["actor"], subject=account.id, **by["why"])


ACTS: Mapping[str, tuple[type[Asked], Callable[..., Ready]]] = {
    "grant": (Grant, grant),
    "revoke": (Revoke, revoke),
    "confirmation": (OfPerson, confirmation),
    "end_sessions": (OfPerson, end_sessions),
    "relink": (Relink, relink),
    "decide": (Decide, decide),
}
