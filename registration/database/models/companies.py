"""Companies, what the customer register said of their numbers, and the register itself where it is a table here."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from registration.accounts.names import company_name_key
from registration.database.models.base import Base, name_key_of


class Company(Base, table="company"):
    """The founding row of a company: who makes it is the first one, and its administrator.

    key: what stands in addresses instead of the FO-nummer, which is a sole trader's own number. reviewed_at: since when
    the rights of all its users are confirmed; review_asked_at: when administrators were last asked to, or did.
    """

    fo_nummer: Mapped[str] = mapped_column(String(9), primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    name_key: Mapped[str] = name_key_of(company_name_key, "name")
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


class Customer(Base, table="customer"):
    """A line of the customer register, where it is kept in a table here. contract_ends: the last day, YYYY-MM-DD."""

    customer_number: Mapped[str] = mapped_column(String(64), primary_key=True)
    fo_nummer: Mapped[str] = mapped_column(String(9), index=True)
    company_name: Mapped[str] = mapped_column(String(255))
    name_key: Mapped[str] = name_key_of(company_name_key, "company_name")
    email: Mapped[str | None] = mapped_column(String(254))
    postal_address: Mapped[str | None] = mapped_column(String(255))
    contract_ends: Mapped[str | None] = mapped_column(String(10))
