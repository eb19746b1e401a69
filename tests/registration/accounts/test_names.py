"""What makes two user names or two company names the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registration.accounts.names import company_name_key, compared_company_name, taken_user_name, user_name_key

FORMS = ["Oy", "Ab", "Oyj", "Abp", "Ky", "Kb", "Ay", "Öb", "Tmi", "Fma", "Osk", "ry", "rf", "Ltd", "Plc", "Oy Ab"]
FORMS += ["osakeyhtiö", "aktiebolag", "kommandiittiyhtiö", "toiminimi", "avoin yhtiö", "osuuskunta", "Oy Ltd", "O.Y."]
FORMS += ["Oy/Ab", "OY AB LTD", "ry r.f.", "Asunto Oy", "As. Oy", "asunto-osakeyhtiö", "Kiinteistö Oy", "Bostads Ab"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pattern", ["Testisähkö {}", "{} Testisähkö", "{} TESTI-SÄHKÖ {}", "Testisähkö, {}."])
def test_the_form_of_a_company_is_left_aside_at_either_end(pattern: str, form: str) -> None:
    assert company_name_key(pattern.format(form, form)) == "testisähkö"


@pytest.mark.parametrize(
    "written",
    [
        "testisähkö ja kumpp. oy",
        "TESTISÄHKÖ JA KUMPP OY",
        "  Testi Sähkö \N{NO-BREAK SPACE} ja  Kumpp. Oy ",
        "Testi–Sähkö ja Kumpp., Oy",
        "Testisa\u0308hko\u0308 ja Kumpp. Oy",
        '"Testi_Sähkö" ja Kumpp. Oy',
        "Ｔｅｓｔｉsähkö ja Kumpp. Oy",
    ],
)
def test_case_spaces_punctuation_and_unicode_form_are_left_aside(written: str) -> None:
    assert company_name_key(written) == company_name_key("Testisähkö ja Kumpp. Oy") == "testisähköjakumpp"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Testisähkö Oy", "Testisahko Oy"),
        ("Åker Ab", "Äker Ab"),
        ("Åker Ab", "Aker Ab"),
        ("Testi 1 Oy", "Testi 2 Oy"),
        ("Testi Oy", "Testi Yhtiöt Oy"),
        ("Uusi Oy Testi", "Uusi Testi"),
        ("Testioy", "Testi"),
        ("Abtesti Oy", "Testi Oy"),
    ],
)
def test_other_names_stay_apart(one: str, other: str) -> None:
    assert company_name_key(one) != company_name_key(other)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Café Élan Oy", "cafeelan"),
        ("Müller Kb", "muller"),
        ("Große Ky", "grosse"),
        ("Sørensen Ab", "sorensen"),
        ("Đorđe Ky", "dorde"),
        ("Ŋorŧ Oy", "nort"),
        ("Łódź Oy", "lodz"),
        ("Ħal Oy", "hal"),
        ("Ǯeeʹǥǥ Oy", "zeeʹgg"),
    ],
)
def test_accents_other_than_those_of_the_alphabet_are_left_aside(written: str, key: str) -> None:
    assert company_name_key(written) == key


@pytest.mark.parametrize(
    "written", ["Sääʹm Siida Oy", "Sää'm siida", "Sää\u2019m-Siida", "Sää\u00b4m Siida", "sääm siida"]
)
def test_a_mark_of_palatalisation_is_an_apostrophe_or_nothing(written: str) -> None:
    assert compared_company_name(written) == "säämsiida"


@pytest.mark.parametrize("written", ["Bærum Oy", "Baerum Oy", "Barum", "BÆRUM OY", "B\u00adærum Oy\u200b"])
def test_a_letter_that_keyboards_have_not_may_be_written_in_the_ways_there_are(written: str) -> None:
    assert company_name_key(written) == "barum"


@pytest.mark.parametrize(
    "written",
    [
        "Virtanen & Pojat Oy",
        "virtanen ja pojat",
        "Virtanen och Pojat Ab",
        "Oy Virtanen AND Pojat",
        "Virtanen \uff06 Pojat",
    ],
)
def test_an_ampersand_may_be_written_as_a_word(written: str) -> None:
    assert compared_company_name(written) == "virtanenpojat"


LATIN = (
    "Virtanen|Ågren-øst|o'connor|Sørensen|Müller|Strauß|Đorđe|Þór|Łódź|Ŋuolla|Ǯiõǥǥ|Nguyễn|a.b-c_d+7@example.com|Öl 2"
)
OTHER_SCRIPTS = (
    "Иванов|Иванов 7|Наталья|Антон|Σοφία|Γιώργος|Μαρία|Հայկ|王小明|王小明 2|田中ユウ|コーヒー|김민수|محمد|محمد١٢"
    "|שלום|अमित|สมชาย|ნინო|ᏣᎳᎩ|ꓡꓲ-ꓢꓴ ꓥ"
)
"""Each has a letter that no Latin one is drawn like."""
MIXED = "virt\u0430nen|\u0391ino|Ива\u006eов|virtanen \u0430|Σοφіа|Հայկ и|сосоー|о一о"
MIXED += "|王小明 wang|user\u0661\u0660|ai\uab75no"
LOOK_LATIN = "раура|сосо|СОСО|ооо|ѕсоре 1|о-с.е|а\u0301о|ＡΒΕ|ΑΒΕ|ΜΑΡΙΑ|Νικο|νιον|АНТОН|օհո|ՕՍօ|ԁԛԝһ|іѕј"
LOOK_LATIN += "|ӀӏҮүѴѵ|ᎪᎥᏃ|ꓮꓲꓠꓳ"
NO_PLAIN_LATIN = "v\u0251rtanen|ai\u0131o|\u0131\u0131\u0131|\u1d00ino|\u01c0aa|\u0661\u0660\u0660"
NO_PLAIN_LATIN += "|i\u0307nci|İnci|a\u0323i\u0323\u0307b|o\u0338st|ai\u0338no"
LOOK_ALIKE = "|".join((MIXED, LOOK_LATIN, NO_PLAIN_LATIN))


@pytest.mark.parametrize("name", LATIN.split("|"))
def test_a_user_name_may_have_the_letters_of_finland_and_of_its_neighbours(name: str) -> None:
    assert taken_user_name(name) == name


@pytest.mark.parametrize("name", OTHER_SCRIPTS.split("|"))
def test_a_user_name_may_be_of_any_one_script(name: str) -> None:
    assert taken_user_name(name) == name


@pytest.mark.parametrize("name", LOOK_ALIKE.split("|"))
def test_a_user_name_that_may_look_like_another_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="looks like another"):
        taken_user_name(name)


@pytest.mark.parametrize(("written", "key"), [("Oy Ab", "oyab"), ("Tmi", "tmi"), ("Osuuskunta Oy", "osuuskuntaoy")])
def test_a_name_of_nothing_but_forms_stays(written: str, key: str) -> None:
    assert company_name_key(written) == key


@pytest.mark.parametrize("written", ["", "   ", "---", "&/_\N{ZERO WIDTH SPACE}\u0308"])
def test_a_name_without_a_letter_or_digit_has_no_key(written: str) -> None:
    assert company_name_key(written) == ""


@given(st.text())
def test_the_key_of_a_company_name_is_its_own_key(name: str) -> None:
    key = company_name_key(name)
    assert company_name_key(key) == key
    assert key == "".join(letter for letter in key if letter.isalnum())


@given(st.text(st.sampled_from("abokylåäöy .&-ÅÖ"), max_size=20))
def test_the_key_of_a_name_of_forms_and_letters_is_its_own_key(name: str) -> None:
    key = company_name_key(name)
    assert company_name_key(key) == key
    assert company_name_key(f" {name.upper()} ") == key


@pytest.mark.parametrize("written", ["Virtanen", "VIRTANEN", " virtanen ", "Ｖirtanen"])
def test_a_user_name_is_the_same_in_any_case_and_unicode_form(written: str) -> None:
    assert user_name_key(written) == "virtanen"


@given(st.text())
def test_the_key_of_a_user_name_is_its_own_key(name: str) -> None:
    assert user_name_key(user_name_key(name)) == user_name_key(name)
