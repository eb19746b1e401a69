"""Who has registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from registration.database.models.base import Base, name_key_of, person_name_key

if TYPE_CHECKING:
    from registration.database.models.rights import Representation


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
    name_key: Mapped[str] = name_key_of(person_name_key, "given_name", "family_name")
    representations: Mapped[list[Representation]] = relationship(back_populates="account", passive_deletes=True)

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}"

    @validates("email")
    def _fold_email(self, _name: str, email: str) -> str:
        self.email_key = email.casefold()[:254]
        return email
