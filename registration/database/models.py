"""The tables. Times are whole seconds since the epoch. docs/privacy.md lists every column that holds a person's data.

Names of keys and tokens are stored as their SHA-256; what `sealed` columns hold is readable with our key only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    case,
    func,
    select,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column, relationship, validates

from kit.rights import LEVELS, SECTIONS
from registration.accounts.names import company_name_key, user_name_key

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
LONGEST_NAME_KEY = 255


def person_name_key(given_name: str, family_name: str) -> str:
    """What a person is searched by: the names as in a phone book, folded."""
    return user_name_key(f"{family_name} {given_name}")[:LONGEST_NAME_KEY]


def _name_key(key: Callable[..., str], *columns: str) -> Mapped[str]:
    """A column that is made of others at INSERT, and is searched by its beginning: so it is sorted byte by byte.

    Who changes the other columns changes this one too.
    """

    def made(context: Any) -> str:
        values = context.get_current_parameters()
        return key(*(values[column] for column in columns))[:LONGEST_NAME_KEY]

    plain = String(LONGEST_NAME_KEY).with_variant(String(LONGEST_NAME_KEY, collation="C"), "postgresql")
    return mapped_column(plain, default=made, server_default="", index=True)


class Base(DeclarativeBase):
    """Every table of registration. table: its name."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {int: BigInteger}  # noqa: RUF012 - SQLAlchemy's own way

    def __init_subclass__(cls, table: str, **more: Any) -> None:
        cls.__tablename__ = table
        super().__init_subclass__(**more)


class Account(Base, table="account"):
    """A person who has registered. user_name_key: the user name by which it is unique (names.user_name_key).

    email_key, name_key: what they are searched by.
    """

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sub: Mapped[str] = mapped_column(String(255), unique=True)
    user_name: Mapped[str] = mapped_column(String(254))
    user_name_key: Mapped[str] = mapped_column(String(1024), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    given_name: Mapped[str] = mapped_column(String(255))
    family_name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), server_default="", index=True)
    email_confirmed_at: Mapped[int | None]
    locale: Mapped[str] = mapped_column(String(8))
    terms_version: Mapped[str] = mapped_column(String(64))
    terms_accepted_at: Mapped[int]
    created_at: Mapped[int]
    password_changed_at: Mapped[int]
    name_key: Mapped[str] = _name_key(person_name_key, "given_name", "family_name")
    representations: Mapped[list[Representation]] = relationship(back_populates="account", passive_deletes=True)

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}"

    @validates("email")
    def _fold_email(self, _name: str, email: str) -> str:
        self.email_key = email.casefold()[:254]
        return email


class Company(Base, table="company"):
    """The founding row of a company: who makes it is the first one, and its administrator.

    key: what stands in addresses instead of the FO-nummer, which is a sole trader's own number. reviewed_at: since when
    the rights of all its users are confirmed; review_asked_at: when administrators were last asked to, or did.
    """

    fo_nummer: Mapped[str] = mapped_column(String(9), primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    name_key: Mapped[str] = _name_key(company_name_key, "name")
    founded_at: Mapped[int]
    reviewed_at: Mapped[int | None]
    review_asked_at: Mapped[int | None]


class NumberStatus(Base, table="number_status"):
    """What the customer register last said of a customer number that somebody may see.

    checked_at: when it was asked. known: whether it has ever had the number. ends_at: when the rights that hang on the
    number are suspended; suspended_at: since when they are.
    """

    fo_nummer: Mapped[str] = mapped_column(String(9), primary_key=True)
    customer_number: Mapped[str] = mapped_column(String(64), primary_key=True)
    checked_at: Mapped[int] = mapped_column(default=0, index=True)
    known: Mapped[bool] = mapped_column(default=False)
    ends_at: Mapped[int | None]
    suspended_at: Mapped[int | None]


class CustomerNumber(Base, table="customer_number"):
    """A customer number of the company that a representative may see. share_id: of the share it hangs on, if any."""

    account_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    fo_nummer: Mapped[str] = mapped_column(String(9), primary_key=True)
    customer_number: Mapped[str] = mapped_column(String(64), primary_key=True)
    share_id: Mapped[str | None] = mapped_column(String(32))
    suspended_at: Mapped[int | None] = column_property(
        select(NumberStatus.suspended_at)
        .where(NumberStatus.fo_nummer == fo_nummer, NumberStatus.customer_number == customer_number)
        .correlate_except(NumberStatus)
        .scalar_subquery()
    )
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "fo_nummer"], ["representation.account_id", "representation.fo_nummer"], ondelete="CASCADE"
        ),
        Index("ix_customer_number_fo_nummer", "fo_nummer", "customer_number"),
        Index("ix_customer_number_customer_number", "customer_number", "fo_nummer"),
    )


class Sections:
    """The level of each section, as columns."""

    consumption: Mapped[str] = mapped_column(String(8), default="none")
    contracts: Mapped[str] = mapped_column(String(8), default="none")
    invoices: Mapped[str] = mapped_column(String(8), default="none")
    users: Mapped[str] = mapped_column(String(8), default="none")

    @property
    def own_levels(self) -> dict[str, str]:
        """The level of each section, as the row itself has it."""
        return {section: getattr(self, section) for section in SECTIONS}


class Share(Sections, Base, table="share"):
    """What a user has given to one who had a right from elsewhere: beside that right, so that it ends by itself.

    given_by: an account id, or `customer service`; giver: that user, if they are still there. ends_at: when it ends.
    """

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(32))
    fo_nummer: Mapped[str] = mapped_column(String(9))
    since: Mapped[int]
    given_by: Mapped[str] = mapped_column(String(32), index=True)
    ends_at: Mapped[int | None] = mapped_column(index=True)
    giver: Mapped[Account | None] = relationship(
        primaryjoin="foreign(Share.given_by) == Account.id", viewonly=True, lazy="selectin"
    )
    representation: Mapped[Representation] = relationship(back_populates="shares")
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "fo_nummer"], ["representation.account_id", "representation.fo_nummer"], ondelete="CASCADE"
        ),
        Index("ix_share_account_id", "account_id", "fo_nummer"),
    )


class Representation(Sections, Base, table="representation"):
    """What a person may see and do for a company. given_by: an account id, `registration` or `customer service`.

    giver: that user, if it is one who is still there. shares: what others gave on top of it. ends_at: when it ends by
    itself. reviewed_at: when an administrator last confirmed it. suspended_at: since when all of its customer numbers
    are suspended.
    """

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    fo_nummer: Mapped[str] = mapped_column(ForeignKey("company.fo_nummer"), primary_key=True)
    administrator: Mapped[bool] = mapped_column(default=False)
    since: Mapped[int]
    given_by: Mapped[str] = mapped_column(String(32))
    ends_at: Mapped[int | None] = mapped_column(index=True)
    reviewed_at: Mapped[int | None]
    suspended_at: Mapped[int | None] = column_property(
        select(case((func.count() == func.count(CustomerNumber.suspended_at), func.max(CustomerNumber.suspended_at))))
        .where(CustomerNumber.account_id == account_id, CustomerNumber.fo_nummer == fo_nummer)
        .correlate_except(CustomerNumber)
        .scalar_subquery()
    )
    giver: Mapped[Account | None] = relationship(
        primaryjoin="foreign(Representation.given_by) == Account.id", viewonly=True
    )
    account: Mapped[Account] = relationship(back_populates="representations")
    company: Mapped[Company] = relationship()
    numbers: Mapped[list[CustomerNumber]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True, order_by="CustomerNumber.customer_number"
    )
    shares: Mapped[list[Share]] = relationship(
        cascade="all, delete-orphan",
        passive_deletes=True,
        back_populates="representation",
        order_by="Share.since, Share.id",
        lazy="selectin",
    )
    __table_args__ = (Index("ix_representation_fo_nummer", "fo_nummer", "administrator", "account_id"),)

    @property
    def levels(self) -> dict[str, str]:
        """The level of each section, with what others gave on top."""
        held = [self.own_levels, *(share.own_levels for share in self.shares)]
        return {section: max((levels[section] for levels in held), key=LEVELS.index) for section in SECTIONS}

    @property
    def customer_numbers(self) -> tuple[str, ...]:
        """Those that count."""
        return tuple(row.customer_number for row in self.numbers if row.suspended_at is None)

    @property
    def suspended_numbers(self) -> tuple[str, ...]:
        """Those that the register has no more."""
        return tuple(row.customer_number for row in self.numbers if row.suspended_at is not None)

    @property
    def may_see_users(self) -> bool:
        """Whether the company's users are shown to them."""
        return self.administrator or self.levels["users"] != "none"

    @property
    def may_change_users(self) -> bool:
        """Whether they may change what others have; an administrator's rights only an administrator may change."""
        return self.administrator or self.levels["users"] == "write"


OPEN = text("state = 'open'")


class Case(Base, table="service_case"):
    """What a person has asked for a company, and whoever decides it. kind, state: of cases.KINDS and cases.STATES.

    way: how it is decided, of cases.WAYS. decided_by: as an actor of the audit trail. code_digest: of the activation
    code that was sent last, under our key; code_made_at: when it was.
    """

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    way: Mapped[str] = mapped_column(String(16))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    fo_nummer: Mapped[str] = mapped_column(String(9), index=True)
    company_name: Mapped[str] = mapped_column(String(255))
    customer_number: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[int]
    decided_at: Mapped[int | None]
    decided_by: Mapped[str | None] = mapped_column(String(128))
    reason: Mapped[str | None] = mapped_column(String(255))
    code_digest: Mapped[str | None] = mapped_column(String(64))
    code_made_at: Mapped[int | None]
    code_tries: Mapped[int] = mapped_column(Integer, default=0)
    account: Mapped[Account] = relationship()
    __table_args__ = (
        Index("ix_service_case_state_opened_at", "state", "opened_at"),
        Index("uq_service_case_open", "account_id", "fo_nummer", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
    )


class OutboxEntry(Base, table="outbox"):
    """An e-mail to send, at least once. kind: of mail.KINDS. words: what its text needs.

    claimed_until: another sender leaves it alone until then. sent_at: when the server took it.
    """

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(String(254))
    locale: Mapped[str] = mapped_column(String(8))
    words: Mapped[dict[str, str]] = mapped_column(JSON)
    created_at: Mapped[int]
    next_try_at: Mapped[int]
    tries: Mapped[int] = mapped_column(Integer, default=0)
    claimed_until: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[int | None]
    __table_args__ = (Index("ix_outbox_sent_at_next_try_at", "sent_at", "next_try_at"),)


class Session(Base, table="session"):
    """A browser's session. id: the SHA-256 of the token in its cookie. key: what "my sessions" ends it by.

    sub: of the person who identified, None if they signed in by password. sealed: their names. account_id: once
    they are signed in, or have registered.
    """

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    sub: Mapped[str | None] = mapped_column(String(255), index=True)
    sealed: Mapped[str | None] = mapped_column(Text)
    browser: Mapped[str] = mapped_column(String(64))
    identified_at: Mapped[int | None]
    created_at: Mapped[int]
    seen_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)


class Attempt(Base, table="attempt"):
    """One authorization request to the broker. id: the SHA-256 of its state. browser: of its cookie's token.

    sealed: nonce, PKCE verifier. claimed_at: when its answer was first taken. outcome: where that led, sealed.
    """

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    browser: Mapped[str] = mapped_column(String(64), index=True)
    purpose: Mapped[str] = mapped_column(String(16))
    locale: Mapped[str] = mapped_column(String(8))
    sealed: Mapped[str] = mapped_column(Text)
    claimed_at: Mapped[int | None]
    outcome: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[int] = mapped_column(index=True)


class Draft(Base, table="draft"):
    """What a person has filled in and not sent yet."""

    sub: Mapped[str] = mapped_column(String(255), primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[int] = mapped_column(index=True)


class Tries(Base, table="tries"):
    """How often something was tried. id: the SHA-256 of what is counted, under our key. until: when it starts anew."""

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    until: Mapped[int] = mapped_column(index=True)


class UsedAssertion(Base, table="used_assertion"):
    """A client assertion that has been used. id: the SHA-256 of client and `jti`."""

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[int] = mapped_column(index=True)


class AuditRecord(Base, table="audit"):
    """What happened, appended only. actor, subject: account ids, or `operator:<name>`. No name of a person.

    seq, hash: its place in the chain; None of what an older version has written beside this one.
    """

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    at: Mapped[int] = mapped_column(index=True)
    event: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(128))
    subject: Mapped[str | None] = mapped_column(String(32))
    fo_nummer: Mapped[str | None] = mapped_column(String(9))
    details: Mapped[dict[str, str]] = mapped_column(JSON)
    seq: Mapped[int | None] = mapped_column(index=True, unique=True)
    hash: Mapped[str | None] = mapped_column(String(64))
    __table_args__ = tuple(Index(f"ix_audit_{of}", of, "seq") for of in ("actor", "subject", "fo_nummer"))


class StaffAct(Base, table="staff_act"):
    """What a member of staff has asked for, once. id: the SHA-256 of who asked and of their `request_id`, cut.

    asked: as it was sent. asked_by, decided_by: actors, as in the trail. state: `done`, `waiting` for a second member
    of staff, or `refused` by that one. account_id, fo_nummer: whom it concerns.
    """

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    asked: Mapped[dict[str, Any]] = mapped_column(JSON)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    fo_nummer: Mapped[str | None] = mapped_column(String(9))
    asked_by: Mapped[str] = mapped_column(String(128))
    asked_at: Mapped[int]
    state: Mapped[str] = mapped_column(String(8), index=True)
    decided_by: Mapped[str | None] = mapped_column(String(128))
    decided_at: Mapped[int | None]
    expires_at: Mapped[int] = mapped_column(index=True)


class Webhook(Base, table="webhook"):
    """How far a receiver of events has been told of the audit trail. seq: of the last record that is dealt with.

    claimed_until: another sender leaves it alone until then. tries: at the record that is next.
    """

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[int]
    tries: Mapped[int] = mapped_column(Integer, default=0)
    next_try_at: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[int] = mapped_column(default=0)


class AuditCheckpoint(Base, table="audit_checkpoint"):
    """What stands in place of records that were pruned. seq, hash: of the last one. statement: the same, signed."""

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[int]
    statement: Mapped[str] = mapped_column(Text)


class CallerCheck(Base, table="caller_check"):
    """A member of staff asks who is on the phone. staff: as the audit trail names them. case_id: of what it is about.

    code: a keyed digest of what was read out, None where a link was sent. browser: SHA-256 of the caller's cookie, once
    it is bound. attempt: the trip by which they identify. sealed: who they are, until it is shown. tries: of digits.
    """

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    code: Mapped[str | None] = mapped_column(String(64), unique=True)
    staff: Mapped[str] = mapped_column(String(128))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    case_id: Mapped[str | None] = mapped_column(String(32))
    browser: Mapped[str | None] = mapped_column(String(64), unique=True)
    attempt: Mapped[str | None] = mapped_column(String(64), unique=True)
    identified_at: Mapped[int | None]
    sealed: Mapped[str | None] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[int] = mapped_column(index=True)


class Customer(Base, table="customer"):
    """A line of the customer register, where it is kept in a table here. contract_ends: the last day, YYYY-MM-DD."""

    customer_number: Mapped[str] = mapped_column(String(64), primary_key=True)
    fo_nummer: Mapped[str] = mapped_column(String(9), index=True)
    company_name: Mapped[str] = mapped_column(String(255))
    name_key: Mapped[str] = _name_key(company_name_key, "company_name")
    email: Mapped[str | None] = mapped_column(String(254))
    postal_address: Mapped[str | None] = mapped_column(String(255))
    contract_ends: Mapped[str | None] = mapped_column(String(10))
