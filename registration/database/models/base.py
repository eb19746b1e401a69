"""What every table is made with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from registration.accounts.names import user_name_key

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


def name_key_of(key: Callable[..., str], *columns: str) -> Mapped[str]:
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
