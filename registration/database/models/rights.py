"""What a person may see and do for a company."""

from __future__ import annotations

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, case, func, select
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from kit.rights import LEVELS, SECTIONS
from registration.database.models.accounts import Account
from registration.database.models.base import Base
from registration.database.models.companies import Company, NumberStatus


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
