"""The customer register: what belongs together, and the table."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event

from registration import customer_register
from registration.customer_register import (
    Customer,
    RegisterUnavailable,
    belongs_together,
)
from registration.customer_register.http import HttpRegister
from registration.customer_register.table import TableRegister, create_register
from registration.database import models
from registration.database.connection import Database
from registration.settings.models import CustomerRegisterSettings

RIGHT = ("100001", "9990001-6", "Testisähkö Oy")
WRONG = {
    "number": ("100009", "9990001-6", "Testisähkö Oy"),
    "number of another customer": ("100002", "9990001-6", "Testisähkö Oy"),
    "FO-nummer": ("100001", "9990002-4", "Testisähkö Oy"),
    "name": ("100001", "9990001-6", "Mallbolaget Ab"),
    "everything": ("100009", "9990003-2", "Kuvitteellinen Oy"),
}


class CountedRegister:
    """Knows one customer, and counts how often it is asked."""

    def __init__(self, company_name: str = "Testisähkö Oy") -> None:
        self.customer = Customer("100001", "9990001-6", company_name)
        self.asked = 0

    def find(self, customer_number: str, fo_nummer: str) -> Customer | None:
        self.asked += 1
        asked_for = (customer_number, fo_nummer)
        return self.customer if asked_for == (self.customer.customer_number, self.customer.fo_nummer) else None


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, 2)
    models.Base.metadata.create_all(database.engine)
    with database.write() as session:
        session.add(models.Customer(customer_number="100001", fo_nummer="9990001-6", company_name="Testisähkö Oy"))
        session.add(models.Customer(customer_number="100002", fo_nummer="9990002-4", company_name="Mallbolaget Ab"))
    yield database
    database.close()


def test_the_name_is_that_of_the_register_when_all_three_fit() -> None:
    found = belongs_together(CountedRegister(), "100001", "9990001-6", "ab TESTI-sähkö")
    assert found == Customer("100001", "9990001-6", "Testisähkö Oy")


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_one_wrong_detail_is_enough_and_each_costs_one_question_and_one_comparison(
    wrong: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[bool] = []
    compare = customer_register.hmac.compare_digest
    keys: list[str] = []
    key = customer_register.compared_company_name

    def counted_compare(a: bytes, b: bytes) -> bool:
        compared.append(compare(a, b))
        return compared[-1]

    def counted_key(name: str) -> str:
        keys.append(name)
        return key(name)

    monkeypatch.setattr(customer_register.hmac, "compare_digest", counted_compare)
    monkeypatch.setattr(customer_register, "compared_company_name", counted_key)
    register = CountedRegister()
    assert belongs_together(register, *wrong) is None
    assert (register.asked, compared, len(keys)) == (1, [False], 2)


@pytest.mark.parametrize("name", ["", "   ", "-", "&"])
def test_a_name_without_letters_belongs_to_nobody(name: str) -> None:
    assert belongs_together(CountedRegister("!!"), "100001", "9990001-6", name) is None
    assert belongs_together(CountedRegister(), "100009", "9990001-6", name) is None


def test_a_register_that_is_down_is_no_wrong_detail() -> None:
    class Down:
        def find(self, customer_number: str, fo_nummer: str) -> Customer | None:
            raise RegisterUnavailable("down")

    with pytest.raises(RegisterUnavailable):
        belongs_together(Down(), *RIGHT)


def test_the_table_finds_a_customer_by_both_numbers(database: Database) -> None:
    assert TableRegister(database).find("100001", "9990001-6") == Customer(*RIGHT)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_the_table_is_asked_once_whatever_is_wrong(database: Database, wrong: tuple[str, str, str]) -> None:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    register = TableRegister(database)
    event.listen(database.engine, "before_cursor_execute", note)
    assert belongs_together(register, *wrong) is None
    assert len(statements) == 1
    assert belongs_together(register, *RIGHT) == Customer(*RIGHT)
    assert statements[0] == statements[1]


def test_the_configuration_chooses_the_register(database: Database) -> None:
    table: Any = SimpleNamespace(customer_register=CustomerRegisterSettings())
    http: Any = SimpleNamespace(customer_register=CustomerRegisterSettings(adapter="http", url="https://r.example"))
    assert isinstance(create_register(table, database), TableRegister)
    assert isinstance(create_register(http, database), HttpRegister)
