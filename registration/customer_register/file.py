"""Reads the customers from a CSV file: all of them, or every broken line with its number.

Each line is read for itself, so that a quote that is not closed breaks one line and not all that follow.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError

from kit.typed_text import customer_number, fo_nummer, is_broken, visible
from kit.typed_text import line as one_line
from registration.accounts.names import company_name_key
from registration.customer_register import (
    FURTHER,
    LONGEST_NAME,
    Customer,
    further_details,
)

COLUMNS = ("customer_number", "fo_nummer", "company_name")
OPTIONAL = tuple(FURTHER)
"""Columns that may be left out, and cells that may be empty."""
MOST_BYTES = 50 * 1024 * 1024
MOST_LINES = 1_000_000
LONGEST_LINE = 4096
"""Bytes."""
MOST_TOLD = 50
"""Errors that are told; the others are counted."""
_DELIMITERS = ",;"
_FORMULA = tuple("=+-@")


class FileRefused(Exception):
    """The file is not taken. errors: what is wrong, each with its line, the first of them. more: how many others."""

    def __init__(self, errors: Sequence[str], more: int = 0) -> None:
        super().__init__("the file is refused")
        self.errors, self.more = tuple(errors), more


def read_customers(path: Path, progress: Callable[[int], object] = lambda done: None) -> list[Customer]:
    """The customers of a CSV file in UTF-8: comma or semicolon, a header with COLUMNS, and OPTIONAL ones, in any order.

    Raises FileRefused, or OSError.
    """
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise FileRefused([f"the file is larger than {MOST_BYTES // 1024**2} MiB"])
    if data.count(b"\n") + (not data.endswith(b"\n")) > MOST_LINES:
        raise FileRefused([f"the file has more than {MOST_LINES} lines"])
    lines = enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1)
    delimiter, columns = _header(lines)
    return _customers(lines, delimiter, columns, progress)


def _header(lines: Iterator[tuple[int, bytes]]) -> tuple[str, list[str]]:
    number, line = next(lines)
    try:
        text = _text(line)
        delimiter = max(_DELIMITERS, key=text.count)
        columns = [cell.strip() for cell in _cells(text, delimiter)]
    except ValueError as error:
        raise FileRefused([f"line {number}: {error}"]) from error
    known = {*COLUMNS, *OPTIONAL}
    if len(set(columns)) != len(columns) or not set(COLUMNS) <= set(columns) <= known:
        wanted = f"{','.join(COLUMNS)}; and may name {','.join(OPTIONAL)}"
        raise FileRefused([f"line {number}: the header must name these columns, and no others: {wanted}"])
    return delimiter, columns


def _customers(
    lines: Iterator[tuple[int, bytes]], delimiter: str, columns: list[str], progress: Callable[[int], object]
) -> list[Customer]:
    errors: list[str] = []
    count = 0
    customers: list[Customer] = []
    first_lines: dict[str, int] = {}
    for number, line in lines:
        progress(number)
        if not line.strip(b"\r ,;"):  # a spreadsheet writes delimiters alone for a row that was emptied
            continue
        try:
            customer = _customer(_text(line), delimiter, columns)
            if (first := first_lines.setdefault(customer.customer_number, number)) != number:
                raise ValueError(f"customer_number: the same as in line {first}")
            customers.append(customer)
        except ValueError as error:
            count += 1
            if count <= MOST_TOLD:
                errors.append(f"line {number}: {error}")
    if count:
        raise FileRefused(errors, count - len(errors))
    return customers


def _text(line: bytes) -> str:
    if len(line) > LONGEST_LINE:
        raise ValueError(f"is longer than {LONGEST_LINE} bytes")
    try:
        text = line.removesuffix(b"\r").decode()
    except UnicodeDecodeError as error:
        raise ValueError("is not UTF-8; save the file as CSV UTF-8") from error
    if is_broken(text):
        raise ValueError("has a tab, or another character that cannot be seen")
    return visible(text)  # what copying brings along is left out, as in the form that people fill in


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        (cells,) = csv.reader([text], delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise ValueError("has a quote that is not closed, or text beside a quoted one") from error
    return cells


def _customer(text: str, delimiter: str, columns: list[str]) -> Customer:
    cells = _cells(text, delimiter)
    if len(cells) != len(columns):
        raise ValueError(f"columns: {len(cells)} instead of {len(columns)}")
    row = {column: one_line(cell) for column, cell in zip(columns, cells, strict=True)}
    for column, value in row.items():
        if not value and column in COLUMNS:
            raise ValueError(f"{column}: is empty")
        if unicodedata.normalize("NFKC", value[:1]).startswith(_FORMULA):
            raise ValueError(f"{column}: begins with = + - or @, as a formula does")
    further = further_details(row)
    return Customer(
        _number(row["customer_number"]), _fo_nummer(row["fo_nummer"]), _company_name(row["company_name"]), **further
    )


def _number(text: str) -> str:
    try:
        return customer_number(text)
    except ValueError as error:
        raise ValueError("customer_number: is not 1 to 64 letters a-z, digits and hyphens") from error


def _fo_nummer(text: str) -> str:
    try:
        return fo_nummer(text)
    except InvalidChecksum as error:
        raise ValueError("fo_nummer: has a wrong check digit") from error
    except InvalidLength as error:
        raise ValueError("fo_nummer: is not eight digits; a zero in front may have been lost") from error
    except ValidationError as error:
        raise ValueError("fo_nummer: is not like 1234567-1") from error


def _company_name(text: str) -> str:
    if len(text) > LONGEST_NAME:
        raise ValueError(f"company_name: is longer than {LONGEST_NAME} characters")
    if not company_name_key(text):
        raise ValueError("company_name: has no letter or digit")
    return text
