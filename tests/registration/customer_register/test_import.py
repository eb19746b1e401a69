"""`customers import`: what is taken, what is refused and with which line, and that it is all or nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from registration.audit import By
from registration.cli import customers as command
from registration.cli.customers import customers
from registration.customer_register import Customer, importing
from registration.customer_register import file as file_module
from registration.customer_register.file import FileRefused, read_customers
from registration.customer_register.importing import RegisterChanged, apply, preview
from registration.database import models
from registration.database.connection import Database

HEADER = "customer_number,fo_nummer,company_name\n"
ONE = Customer("100001", "9990001-6", "Testisähkö Oy")
TWO = Customer("100002", "9990002-4", "Mallbolaget Ab")
NOW = 1_800_000_000
BY = By("operator:Maija", NOW, {"reason": "a test"})
DEMO = Path(__file__).parents[3] / "config" / "customers.demo.csv"
CONFIG = """
environment = "test"
url = "http://127.0.0.1:8001"
database.url = {url}
keys.dir = "keys"
brand = {{ name = {texts}, customer_service = {{ phone = "010", email = "a@example.test" }} }}
links = {{ private_customers = "https://p.example", online_service = "https://o.example" }}
broker = {{ issuer = "http://127.0.0.1:8000", accepted_acr = ["http://ftn.ficora.fi/2017/loatest2"] }}
terms = {{ dir = "terms", version = "1" }}
mail = {{ host = "127.0.0.1", security = "none", sender = "a@example.test" }}
"""

Import = Callable[..., Result]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, 2)
    models.Base.metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def import_file(database_url: str, database: Database, tmp_path: Path) -> Import:
    """Runs the command on a file of some text or bytes."""

    def run(content: str | bytes, *options: str, answer: str | None = None, more: str = "") -> Result:
        config, file = tmp_path / "registration.toml", tmp_path / "customers.csv"
        texts = '{ fi = "a", sv = "b", en = "c" }'
        config.write_text(CONFIG.format(url=json.dumps(database_url), texts=texts) + more)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        who = ["--config", str(config), "--operator", "Maija", "--reason", "a test"]
        return CliRunner().invoke(customers, ["import", str(file), *who, *options], input=answer)

    return run


def csv_of(*listed: Customer) -> str:
    return HEADER + "".join(f"{one.customer_number},{one.fo_nummer},{one.company_name}\n" for one in listed)


def held(database: Database) -> list[Customer]:
    row = models.Customer
    with database.read() as session:
        found = session.execute(select(row).order_by(row.customer_number)).scalars()
        return [Customer(one.customer_number, one.fo_nummer, one.company_name) for one in found]


def records(database: Database) -> list[tuple[str, str, dict[str, str]]]:
    with database.read() as session:
        found = session.execute(select(models.AuditRecord)).scalars()
        return [(one.event, one.actor, one.details) for one in found]


def errors_of(tmp_path: Path, content: str | bytes) -> tuple[str, ...]:
    path = tmp_path / "customers.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(FileRefused) as raised:
        read_customers(path)
    return raised.value.errors


def read(tmp_path: Path, content: str | bytes) -> list[Customer]:
    path = tmp_path / "customers.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_customers(path)


def test_a_file_is_imported_after_a_question_and_stands_in_the_audit_trail(
    import_file: Import, database: Database
) -> None:
    result = import_file(csv_of(ONE, TWO), answer="y\n")
    assert result.exit_code == 0, result.output
    assert "2 added\n  + 100001  9990001-6  Testisähkö Oy\n" in result.output
    assert "0 changed\n0 removed\n" in result.output
    assert held(database) == [ONE, TWO]
    details = {"added": "2", "changed": "0", "removed": "0", "reason": "a test"}
    assert records(database) == [("customers_imported", "operator:Maija", details)]


@pytest.mark.parametrize("answer", ["n\n", "\n", None], ids=["no", "nothing", "end of input"])
def test_nothing_is_changed_without_a_yes(import_file: Import, database: Database, answer: str | None) -> None:
    result = import_file(csv_of(ONE), answer=answer)
    assert result.exit_code == 1
    assert held(database) == []
    assert records(database) == []


def test_a_dry_run_changes_nothing(import_file: Import, database: Database) -> None:
    result = import_file(csv_of(ONE), "--dry-run", "--yes")
    assert result.exit_code == 0
    assert "1 added" in result.output
    assert "Imported" not in result.output
    assert held(database) == []
    assert records(database) == []


def test_the_file_is_the_whole_register(import_file: Import, database: Database) -> None:
    others = [Customer(f"20000{number}", "9990003-2", "Keksitty Oy") for number in range(3)]
    assert import_file(csv_of(ONE, TWO, *others), "--yes").exit_code == 0
    renamed = Customer("100002", "9990002-4", "Mallbolaget Abp")
    new = Customer("300000", "9990004-0", "Esimerkki Ky")
    result = import_file(csv_of(renamed, *others, new), "--yes")
    assert result.exit_code == 0, result.output
    assert "1 changed\n  ~ 100002  9990002-4  Mallbolaget Ab  ->  100002  9990002-4  Mallbolaget Abp\n" in result.output
    assert "1 removed\n  - 100001  9990001-6  Testisähkö Oy\n" in result.output
    assert held(database) == [renamed, *others, new]
    assert records(database)[1][2] == {"added": "1", "changed": "1", "removed": "1", "reason": "a test"}


def test_an_equal_file_changes_nothing_and_asks_nothing(import_file: Import, database: Database) -> None:
    import_file(csv_of(ONE), "--yes")
    result = import_file(csv_of(ONE))
    assert result.exit_code == 0
    assert "already" in result.output
    assert len(records(database)) == 1


@pytest.mark.parametrize("left", [(ONE,), ()], ids=["one of three", "none"])
def test_more_than_half_is_not_removed_unless_that_is_said(
    import_file: Import, database: Database, left: tuple[Customer, ...]
) -> None:
    all_three = [ONE, TWO, Customer("100003", "9990003-2", "Keksitty Oy")]
    import_file(csv_of(*all_three), "--yes")
    result = import_file(csv_of(*left), "--yes")
    assert result.exit_code == 1
    assert "more than half" in result.output
    assert held(database) == all_three
    assert import_file(csv_of(*left), "--yes", "--remove-most").exit_code == 0
    assert held(database) == list(left)


def test_half_may_be_removed(import_file: Import, database: Database) -> None:
    import_file(csv_of(ONE, TWO), "--yes")
    assert import_file(csv_of(ONE), "--yes").exit_code == 0
    assert held(database) == [ONE]


def test_the_preview_shows_twenty_of_each_and_counts_the_rest(import_file: Import) -> None:
    many = [Customer(f"2{number:05}", "9990003-2", "Keksitty Oy") for number in range(23)]
    result = import_file(csv_of(*many), "--dry-run")
    assert result.output.count("  + ") == 20
    assert "23 added" in result.output
    assert "  and 3 more" in result.output


def test_a_broken_line_stops_everything_and_is_named(import_file: Import, database: Database) -> None:
    import_file(csv_of(ONE), "--yes")
    result = import_file(csv_of(TWO) + "100003,9990003-9,Keksitty Oy\n", "--yes")
    assert result.exit_code == 1
    assert "nothing was imported\nline 3: fo_nummer: has a wrong check digit\n" in result.output
    assert held(database) == [ONE]


def test_fifty_errors_are_told_and_the_rest_is_counted(import_file: Import, database: Database) -> None:
    result = import_file(HEADER + "x\n" * 57)
    assert result.exit_code == 1
    assert result.output.count("line ") == 50
    assert result.output.endswith("and 7 more\n")


def test_an_error_does_not_repeat_what_the_file_says(import_file: Import) -> None:
    result = import_file(HEADER + "\x1b]0;evil\x07,9990001-6,Evil Oy\n=evil,9990001-6,Evil Oy\nevil.,1,Evil Oy\n")
    assert result.exit_code == 1
    assert result.output.count("line ") == 3
    assert "evil" not in result.output.lower()
    assert "\x1b" not in result.output


def test_nothing_is_imported_where_the_register_is_elsewhere(import_file: Import, database: Database) -> None:
    result = import_file(
        csv_of(ONE), "--yes", more='customer_register = { adapter = "http", url = "https://r.example" }'
    )
    assert result.exit_code == 1
    assert "customer_register.adapter" in result.output
    assert held(database) == []


def test_an_import_between_preview_and_change_is_noticed(database: Database) -> None:
    shown = preview(database, [ONE])
    apply(database, [TWO], preview(database, [TWO]), BY)
    with pytest.raises(RegisterChanged):
        apply(database, [ONE], shown, BY)
    assert held(database) == [TWO]
    assert len(records(database)) == 1


def test_an_import_that_fails_on_the_way_changes_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(database, [ONE], preview(database, [ONE]), BY)
    shown = preview(database, [TWO])

    def fail(*_arguments: object, **_more: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(importing.audit, "record", fail)
    with pytest.raises(RuntimeError):
        apply(database, [TWO], shown, BY)
    assert held(database) == [ONE]


def test_thousands_of_customers_are_added_changed_and_removed(database: Database) -> None:
    first = [Customer(f"{number:06}", "9990003-2", "Keksitty Oy") for number in range(3000)]
    second = [Customer(one.customer_number, one.fo_nummer, "Uusi Oy") for one in first[1200:]]
    random.Random(1).shuffle(second)
    for listed in (first, second):
        apply(database, listed, preview(database, listed), BY)
    assert held(database) == sorted(second, key=lambda one: one.customer_number)


@pytest.mark.parametrize(
    "content",
    [
        csv_of(ONE, TWO),
        "\ufeff" + csv_of(ONE, TWO),
        csv_of(ONE, TWO).replace(",", ";"),
        csv_of(ONE, TWO).replace("\n", "\r\n"),
        csv_of(ONE, TWO).removesuffix("\n"),
        csv_of(ONE, TWO) + "\n\r\n\n",
        csv_of(ONE, TWO).replace(",", ";") + ";;\r\n ; ;\n;;",
        "company_name;customer_number;fo_nummer\nTestisähkö Oy;100001;9990001-6\nMallbolaget Ab;100002;9990002-4\n",
        '"customer_number", fo_nummer ,company_name\n"100001",99900016," Testisähkö  Oy"\n'
        "10 00 02,FI 99900024,Mallbolaget Ab",
    ],
    ids=[
        "plain",
        "BOM",
        "semicolons",
        "CRLF",
        "no end of line",
        "empty lines",
        "empty rows",
        "another order",
        "quotes and spaces",
    ],
)
def test_usual_ways_of_writing_the_file_are_read(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == [ONE, TWO]


def test_what_copying_brings_along_is_left_out_and_a_lost_zero_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text(HEADER + "\u200b100001,112038-9,Testi\u00adsähkö Oy\n100–2,1120389,\u202aÅkes\u200e Ab\n")
    assert read_customers(file) == [
        Customer("100001", "0112038-9", "Testisähkö Oy"),
        Customer("100-2", "0112038-9", "Åkes Ab"),
    ]


def test_addresses_and_the_end_of_the_contract_are_read_where_they_are_given(tmp_path: Path) -> None:
    rows = (
        '1,9990001-6,Testi Oy,info@testi.example,2027-12-31,"Katu 1 A,00100  Helsinki"',
        "2,9990001-6,Testi Oy,,,",
    )
    header = "customer_number,fo_nummer,company_name,email,contract_ends,postal_address"
    first, second = read(tmp_path, "\n".join((header, *rows)))
    assert (first.email, first.postal_address) == ("info@testi.example", "Katu 1 A, 00100 Helsinki")
    assert first.contract_ends == "2027-12-31"
    assert second == Customer("2", "9990001-6", "Testi Oy")


@pytest.mark.parametrize(
    ("cells", "wrong"),
    [
        ("nobody,,", "email: is no e-mail address"),
        (",Katu 1,", "postal_address: is not 2 to 5 lines"),
        (',"a,,b",', "postal_address: is not 2 to 5 lines"),
        (',"a,b,c,d,e,f",', "postal_address: is not 2 to 5 lines"),
        (",,31.12.2027", "contract_ends: is no day like 2027-12-31"),
        (',"=1,2",', "postal_address: begins with"),
    ],
)
def test_an_address_that_is_none_is_refused_with_its_line(tmp_path: Path, cells: str, wrong: str) -> None:
    header = "customer_number,fo_nummer,company_name,email,postal_address,contract_ends"
    (error,) = errors_of(tmp_path, f"{header}\n1,9990001-6,Testi Oy,{cells}\n")
    assert error.startswith(f"line 2: {wrong}")


def test_an_import_changes_an_address_too(database: Database, import_file: Import) -> None:
    import_file(csv_of(ONE, TWO).replace("company_name", "company_name,email").replace(" Oy", " Oy,info@testi.example")
                .replace(" Ab", " Ab,"), "--yes")  # fmt: skip
    with database.read() as session:
        (row,) = session.scalars(select(models.Customer).where(models.Customer.email.is_not(None)))
    assert (row.customer_number, row.email) == (ONE.customer_number, "info@testi.example")


def test_a_formula_is_found_behind_what_nobody_sees(tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text(HEADER + "1,9990001-6,\u200b=1+1\n")
    with pytest.raises(FileRefused) as raised:
        read_customers(file)
    assert "as a formula does" in raised.value.errors[0]


def test_the_delimiter_may_stand_in_a_quoted_name(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + '1,9990001-6,"Testi, ""Sähkö"" Oy"\n')[0].company_name == 'Testi, "Sähkö" Oy'


def test_the_companies_of_the_demo_are_read() -> None:
    assert len(read_customers(DEMO)) == 15


@pytest.mark.parametrize(
    "header",
    [
        "",
        "\n",
        "customer_number,fo_nummer\n",
        "customer_number,fo_nummer,company_name,phone\n",
        "customer_number,fo_nummer,email\n",
        "customer_number,fo_nummer,fo_nummer\n",
        "customer_number,fo_nummer,company_name,company_name\n",
        "customer_number,fo_nummer;company_name\n",
        "100001,9990001-6,Testisähkö Oy\n",
    ],
)
def test_the_header_names_the_three_columns_and_no_others(tmp_path: Path, header: str) -> None:
    (error,) = errors_of(tmp_path, header + "100001,9990001-6,Testisähkö Oy\n" if header else "")
    assert error.startswith("line 1: the header must name these columns")


BROKEN = {
    "a wrong check digit": ("1,9990001-7,Testi Oy", "fo_nummer: has a wrong check digit"),
    "two lost zeros": ("1,12038-9,Testi Oy", "fo_nummer: is not eight digits; a zero in front may have been lost"),
    "no FO-nummer": ("1,ABCDEFG-H,Testi Oy", "fo_nummer: is not like 1234567-1"),
    "digits of another script": ("1,٩٩٩٠٠٠١-٦,Testi Oy", "fo_nummer: is not like 1234567-1"),
    "no number": (",9990001-6,Testi Oy", "customer_number: is empty"),
    "a blank FO-nummer": ("1,  ,Testi Oy", "fo_nummer: is empty"),
    "no name": ('1,9990001-6,""', "company_name: is empty"),
    "a name of signs": ("1,9990001-6,!?", "company_name: has no letter or digit"),
    "a long name": (f"1,9990001-6,{'A' * 256}", "company_name: is longer than 255 characters"),
    "a long number": (f"{'1' * 65},9990001-6,A", "customer_number: is not 1 to 64 letters a-z, digits and hyphens"),
    "a path as number": ("../1,9990001-6,A", "customer_number: is not 1 to 64 letters a-z, digits and hyphens"),
    "a long line": (f"1,9990001-6,{'A' * 5000}", "is longer than 4096 bytes"),
    "too few columns": ("1,9990001-6", "columns: 2 instead of 3"),
    "too many columns": ("1,9990001-6,Testi, Oy", "columns: 4 instead of 3"),
    "another delimiter": ("1;9990001-6;Testi Oy", "columns: 1 instead of 3"),
    "an open quote": ('1,9990001-6,"Testi Oy', "has a quote that is not closed, or text beside a quoted one"),
    "text after a quote": ('1,9990001-6,"Testi" Oy', "has a quote that is not closed, or text beside a quoted one"),
    "a formula": ("1,9990001-6,=1+1", "company_name: begins with = + - or @, as a formula does"),
    "a plus": ("1,9990001-6,+1 Oy", "company_name: begins with = + - or @, as a formula does"),
    "a minus": ("-1,9990001-6,Testi Oy", "customer_number: begins with = + - or @, as a formula does"),
    "an at": ('1,9990001-6," @SUM(A1)"', "company_name: begins with = + - or @, as a formula does"),
    "a wide formula": ("1,9990001-6,＝1", "company_name: begins with = + - or @, as a formula does"),
    "a tab": ("1,9990001-6,\t=1", "has a tab, or another character that cannot be seen"),
    "a NUL": ("1,9990001-6,Testi\0Oy", "has a tab, or another character that cannot be seen"),
    "an escape": ("1,9990001-6,\x1b[31mTesti", "has a tab, or another character that cannot be seen"),
    "a lone CR": ("1,9990001-6,Testi\rOy", "has a tab, or another character that cannot be seen"),
    "a line separator": ("1,9990001-6,Testi\u2028Oy", "has a tab, or another character that cannot be seen"),
    "a text turned round": ("1,9990001-6,Testi\u202eyO", "has a tab, or another character that cannot be seen"),
    "another encoding": ("1,9990001-6,Testisähkö".encode("latin-1"), "is not UTF-8; save the file as CSV UTF-8"),
}


@pytest.mark.parametrize(("line", "error"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_line_is_refused_with_its_number(tmp_path: Path, line: str | bytes, error: str) -> None:
    raw = line if isinstance(line, bytes) else line.encode()
    content = csv_of(TWO).encode() + raw + b"\n" + csv_of(ONE).removeprefix(HEADER).encode() + raw + b"\n"
    assert errors_of(tmp_path, content) == (f"line 3: {error}", f"line 5: {error}")


def test_a_customer_number_that_stands_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    again = "\n10 00 01,9990002-4,Mallbolaget Ab\n"
    errors = errors_of(tmp_path, csv_of(ONE, TWO) + again + csv_of(ONE).removeprefix(HEADER))
    assert errors == (
        "line 5: customer_number: the same as in line 2",
        "line 6: customer_number: the same as in line 2",
    )


def test_a_cell_on_two_lines_is_refused_on_both(tmp_path: Path) -> None:
    errors = errors_of(tmp_path, HEADER + '1,9990001-6,"Testi\nOy"\n')
    assert [error.partition(":")[0] for error in errors] == ["line 2", "line 3"]


def test_another_encoding_of_the_whole_file_is_refused(tmp_path: Path) -> None:
    assert errors_of(tmp_path, csv_of(ONE).encode("utf-16"))[0].startswith("line 1: is not UTF-8")


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert file_module.MOST_BYTES == 50 * 1024 * 1024
    monkeypatch.setattr(file_module, "MOST_BYTES", 1024 * 1024)
    listed = csv_of(ONE, TWO) + "\r\n" * 500_000
    content = listed.encode().ljust(1024 * 1024, b"\n")
    assert read(tmp_path, content) == [ONE, TWO]
    assert errors_of(tmp_path, content + b"\n") == ("the file is larger than 1 MiB",)


def test_a_file_of_too_many_lines_is_refused(tmp_path: Path) -> None:
    assert errors_of(tmp_path, csv_of(ONE) + "\n" * 999_999) == ("the file has more than 1000000 lines",)
    assert read(tmp_path, csv_of(ONE) + "\n" * 999_998) == [ONE]


def test_the_help_teaches_by_an_example() -> None:
    result = CliRunner().invoke(customers, ["import", "--help"])
    assert "100001,9990001-6,Testisähkö Oy" in result.output
    assert "--dry-run" in result.output


def test_a_long_import_says_how_far_it_is_and_is_one_transaction(
    import_file: Import, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "TOLD_EVERY", 500)
    rows = "".join(f"{number},9990001-6,Testisähkö Oy\n" for number in range(1200))
    result = import_file(HEADER + rows, "--yes")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == ["500 lines read", "1000 lines read", "500 rows changed", "1000 rows changed"]
    with database.read() as session:
        assert len(session.scalars(select(models.Customer.name_key)).all()) == 1200
        assert set(session.scalars(select(models.Customer.name_key))) == {"testisähkö"}
    renamed = import_file(HEADER + rows.replace("Testisähkö", "Uusi"), "--yes")
    assert renamed.exit_code == 0
    with database.read() as session:
        assert set(session.scalars(select(models.Customer.name_key))) == {"uusi"}
