"""What people type and paste: what is left out of it, what is the same, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.typed_text import LONGEST_TYPED, customer_number, day, end_of_day, fo_nummer, line, number, visible
from registration.accounts.names import taken_user_name, user_name_key
from registration.accounts.passwords import LEAST, TOO_SHORT, normal, problem_of
from registration.pages.forms import email_address

UNSEEN = "\u200b\u00ad\ufeff\u200e\u2060\u202a\u200d"
"""Zero-width space, soft hyphen, byte order mark, left-to-right mark, word joiner, embedding, joiner."""


@pytest.mark.parametrize("unseen", [*UNSEEN, "\0", "\x96", "\u034f", "\u3164", "\ufe0f", "\u2800"])
def test_what_nobody_sees_is_left_out_wherever_it_stands(unseen: str) -> None:
    typed = f"{unseen}Testi{unseen} {unseen} Oy{unseen}"
    assert line(typed) == "Testi Oy"
    assert normal(f"{unseen}Kesä{unseen}-2026{unseen}") == "Kesä-2026"
    assert fo_nummer(f"{unseen}9990001-6".replace("\0", "").replace("\x96", "")) == "9990001-6"


def test_of_what_is_far_too_long_only_a_part_is_looked_at() -> None:
    """A run of marks costs the square of its length to bring into Unicode's normal form, and every thread waits."""
    typed = "a" + "\u0301\u0327" * 20_000
    assert max(len(line(typed)), len(number(typed)), len(user_name_key(typed))) <= LONGEST_TYPED
    assert LONGEST_TYPED - 2 < len(normal(typed)) <= LONGEST_TYPED + 1
    assert normal("x" * LONGEST_TYPED) != normal("x" * LONGEST_TYPED + "yz")


@pytest.mark.parametrize(
    "written", ["９９９０００１－６", "9990001–6", "9990001\u20116", "FI 9990001−6", "9990001\u00ad-6"]
)
def test_an_fo_nummer_may_have_any_dash_and_full_width_digits(written: str) -> None:
    assert fo_nummer(written) == "9990001-6"


@pytest.mark.parametrize(
    ("written", "whole"), [("112038-9", "0112038-9"), ("1120389", "0112038-9"), ("FI1120389", "0112038-9")]
)
def test_an_fo_nummer_gets_the_leading_zero_back_that_a_spreadsheet_has_dropped(written: str, whole: str) -> None:
    assert fo_nummer(written) == whole


@pytest.mark.parametrize("written", ["112038-8", "12038-9", "112-0389", "٩٩٩٠٠٠١-٦", "9990001/6", ""])
def test_what_is_no_fo_nummer_stays_none(written: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - stdnum has its own kinds of it
        fo_nummer(written)


def test_a_number_has_plain_digits_and_hyphens_and_no_spaces() -> None:
    assert number(" Ａ１００\u2009–２\u200b ") == "A100-2"


@pytest.mark.parametrize(
    "written", ["\u200bo’connor@example.com", "ｏ'connor＠example.com", "o\u00ad'connor@example.com"]
)
def test_an_address_is_read_as_it_looks(written: str) -> None:
    assert email_address(line(written)) == "o'connor@example.com"


@pytest.mark.parametrize("apostrophe", "'’‘ʼ´′＇ʻ`‛")
def test_every_apostrophe_of_a_user_name_is_the_same(apostrophe: str) -> None:
    assert user_name_key(f"O{apostrophe}Connor") == "o'connor"


@pytest.mark.parametrize("written", ["\u200bAnna–Maija", "anna-maija\u00ad", "ANNA\u2011MAIJA", "  anna−maija"])
def test_a_pasted_user_name_is_the_same(written: str) -> None:
    assert user_name_key(written) == "anna-maija"


@pytest.mark.parametrize(
    "name",
    [
        "\u3164\u3164\u3164",
        "aino\u3164",
        "aino\ufe0f",
        "ai\u115fno",
        "aino\u034f",
        "aino\u2800",
        "ai\ue000no",
        "aino\uffa0",
        "aino\u0378",
        "aino\U000e0101",
        "ai😀no",
        "\u200b\u200b\u200b",
    ],
)
def test_a_user_name_with_letters_that_are_not_drawn_is_refused(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - UnicodeEncodeError, of the PRECIS library
        taken_user_name(name)


@pytest.mark.parametrize(
    "name", ["Aino Öberg", "aino@example.com", "O’Connor", "王小明", "Γιώργος", "a_b+c", "ŋorŧ", "محمد", "Ｖirtanen"]
)
def test_user_names_of_drawn_letters_are_taken_as_they_are_written(name: str) -> None:
    assert taken_user_name(name) == name


@given(st.text())
def test_the_form_of_a_password_is_its_own_form(password: str) -> None:
    assert normal(normal(password)) == normal(password)
    normal(password).encode()


def test_what_nobody_sees_makes_no_password_longer() -> None:
    assert problem_of("Ab1-" + "\u200b" * LEAST, "") == TOO_SHORT


def test_the_usual_letters_of_a_text_all_stay() -> None:
    text = "Åsa Öberg-Mäki & Søn, Łódź: “ĐŊŦ” 100 % €"
    assert visible(text) == text


@pytest.mark.parametrize("broken", ["Aino\0", "\x96aino", "ai\ud800no"])
def test_a_user_name_with_a_control_character_is_nobodys(broken: str) -> None:
    assert user_name_key(broken) != "aino"
    with pytest.raises(ValueError):  # noqa: PT011 - UnicodeEncodeError, of the PRECIS library
        taken_user_name(broken)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100001", "100001"),
        (" 10 00 01 ", "100001"),
        ("10\N{NO-BREAK SPACE}00\t01\n", "100001"),
        ("Ab-1", "Ab-1"),
        ("１００–1\u200b", "100-1"),
    ],
)
def test_spaces_and_what_is_not_seen_of_a_customer_number_are_left_out(text: str, number: str) -> None:
    assert customer_number(text) == number


@pytest.mark.parametrize("text", ["", "  ", "1" * 65, "10/01", "..", "1.5", "1%2F", "ä1", "١٢٣", "1\x001", "1?x"])
def test_what_cannot_be_a_customer_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a customer number"):
        customer_number(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("31.12.2030", "2030-12-31"), ("1.2.2030", "2030-02-01"), ("2030-12-31", "2030-12-31"), ("", "")],
)
def test_a_day_is_read_as_people_and_browsers_write_it(text: str, wanted: str) -> None:
    assert day(text) == wanted


@pytest.mark.parametrize("text", ["31.2.2030", "2030", "1.1", "x.y.z", "0.0.0"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Invalid|out of range|must be in"):
        day(text)


def test_a_day_ends_at_midnight_in_finland() -> None:
    assert end_of_day("2026-07-01") == 1_782_939_600  # 2026-07-01T21:00:00Z
    assert end_of_day("2026-12-31") == 1_798_754_400  # 2026-12-31T22:00:00Z
    assert end_of_day("9999-12-31") == 253_402_293_600  # 9999-12-31T22:00:00Z
