"""What expires by itself: sessions, what is under way, what is counted."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from registration.database.models.base import Base


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
