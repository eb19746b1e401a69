"""The schema: made, taken back, and the same as the models say."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text

from registration.accounts.names import company_name_key
from registration.database import migrate
from registration.database.connection import Database
from registration.database.models import Account, Base, Company, CustomerNumber, NumberStatus

ROWS_OF_0002 = (
    "INSERT INTO account VALUES ('a1', 'sub-1', 'ake', 'ake', 'hash', 'Åke', 'Ågren', 'Ake@Example.com', NULL, 'sv',"
    " '1', 1700000000, 1700000000, 1700000000)",
    "INSERT INTO company VALUES ('1234567-1', 'key-1', 'Testisähkö Oy', 1700000000)",
    "INSERT INTO representation VALUES ('a1', '1234567-1', true, 'write', 'write', 'write', 'write', 1700000000,"
    " 'registration')",
    "INSERT INTO customer_number VALUES ('a1', '1234567-1', '100001')",
    "INSERT INTO customer VALUES ('100001', '1234567-1', 'Testisähkö Oy')",
)


def test_the_migrations_make_what_the_models_say(database_url: str) -> None:
    database = Database(database_url)
    migrate.upgrade(database)
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    database.close()
    assert differences == []


def test_the_schema_goes_up_down_and_up_again(database_url: str) -> None:
    database = Database(database_url)
    assert not migrate.is_current(database)
    migrate.upgrade(database)
    assert migrate.is_current(database)
    migrate.downgrade(database, "base")
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}
    migrate.upgrade(database)
    migrate.upgrade(database)
    assert migrate.is_current(database)
    database.close()


def test_rows_of_0002_are_found_by_what_0003_searches_them_by(database_url: str) -> None:
    database = Database(database_url)
    migrate.upgrade(database, "0002")
    with database.write() as tx:
        for row in ROWS_OF_0002:
            tx.execute(text(row))
    migrate.upgrade(database)
    with database.read() as tx:
        assert tx.execute(select(Account.name_key, Account.email_key)).one() == ("ågren åke", "ake@example.com")
        assert tx.scalar(select(Company.name_key)) == company_name_key("Testisähkö Oy")
        assert tx.scalar(text("SELECT name_key FROM customer")) == company_name_key("Testisähkö Oy")
        assert tx.scalars(select(CustomerNumber)).one().suspended_at is None
        status = tx.scalars(select(NumberStatus)).one()
        assert (status.customer_number, status.checked_at, status.known) == ("100001", 0, False)
    migrate.downgrade(database, "0002")
    with database.read() as tx:
        assert tx.execute(text("SELECT user_name, email FROM account")).one() == ("ake", "Ake@Example.com")
        assert tx.scalar(text("SELECT given_by FROM representation")) == "registration"
        assert tx.scalar(text("SELECT company_name FROM customer")) == "Testisähkö Oy"
    assert not {"service_case", "staff_act", "webhook", "caller_check", "number_status"} & set(
        inspect(database.engine).get_table_names()
    )
    database.close()
