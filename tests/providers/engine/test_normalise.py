"""From verified claims to an Identity: identity codes, names, birth dates, levels, and which bank it was."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from providers.errors import IntegrityError, NotSupported, Step
from providers.model import Provider
from providers.registry import PROVIDERS
from tests.harness.engine.bank import Bank
from tests.harness.engine.identities import BORN, HETU, identity_of, not_normalised, with_code
from tests.harness.engine.parts import CODE, NOW, make_connection

TODAY = datetime.fromtimestamp(NOW, UTC).date()

CHECKS = "0123456789ABCDEFHJKLMNPRSTUVWXY"

LEVEL = "http://ftn.ficora.fi/2017/"


VALID = {
    "010100-969P": date(1900, 1, 1),
    "070770-905D": date(1970, 7, 7),
    "010170-999R": date(1970, 1, 1),
    "010200A9618": date(2000, 2, 1),
    "291292-918R": date(1992, 12, 29),
    "030883-925M": date(1983, 8, 3),
    "170677-924F": date(1977, 6, 17),
    "030516D9026": date(2016, 5, 3),
    "261202A9985": date(2002, 12, 26),
    "270996-997L": date(1996, 9, 27),
    "010513A950N": date(2013, 5, 1),
    "010280-952L": date(1980, 2, 1),
    "220750-999Y": date(1950, 7, 22),
    "141002A909X": date(2002, 10, 14),
    "010190-999W": date(1990, 1, 1),
    "010190Y999W": date(1990, 1, 1),
    "010594Y9021": date(1994, 5, 1),
    "020594X903P": date(1994, 5, 2),
    "010516B903X": date(2016, 5, 1),
    "010100+901H": date(1800, 1, 1),
    "150507A904N": date(2007, 5, 15),
    "290204A902E": date(2004, 2, 29),
}


@pytest.mark.parametrize("code", VALID)
def test_a_valid_artificial_code_gives_its_birth_date(bank: Bank, code: str) -> None:
    identity = identity_of(bank, **with_code(code))
    assert identity.identifier is not None
    assert (identity.identifier.scheme, identity.identifier.country, identity.identifier.value) == ("hetu", "FI", code)
    assert identity.birthdate == VALID[code]
    assert code not in repr(identity)


@pytest.mark.parametrize("separator", "-YXWVUABCDEF+")
def test_every_separator_of_the_reform_is_kept_as_it_is(bank: Bank, separator: str) -> None:
    century = 1800 if separator == "+" else 2000 if separator in "ABCDEF" else 1900
    code = f"010190{separator}999W"
    identity = identity_of(bank, **with_code(code))
    assert identity.identifier is not None
    assert (identity.identifier.value, identity.birthdate.year) == (code, century + 90)


@pytest.mark.parametrize("code", ["010190y999w", " 010190Y999W ", "010190Y999w"])
def test_case_and_spaces_around_are_forgiven(bank: Bank, code: str) -> None:
    identity = identity_of(bank, **with_code(code))
    assert identity.identifier is not None
    assert identity.identifier.value == CODE


INVALID: list[Any] = [
    "280453-111A",
    "010100A001N",
    "010101-000Z",
    "010101-111A",
    "010101-011",
    "010190-999K",
    "010190Y999K",
    "290203A902E",
    "290203A902D",
    "310270-902A",
    "010190999W",
    "010190-999WW",
    "010190-99 9W",
    "010190G999W",
    "010190Z999W",
    "010190\u2010999W",
    "\u0660\u0661\u0660\u0661\u0669\u0660-999W",
    "010190-999W\n",
    "11223344D",
    "FI/SE/123456",
    " ",
    "0" * 500,
    10190,
    ["010190-999W"],
    {"value": "010190-999W"},
    True,
]


@pytest.mark.parametrize("code", INVALID)
def test_what_is_no_valid_code_is_refused(bank: Bank, code: Any) -> None:
    not_normalised(IntegrityError, HETU, bank, **with_code(code))


@pytest.mark.parametrize("code", [None, ""])
def test_a_person_without_a_code_is_not_supported(bank: Bank, code: Any) -> None:
    not_normalised(NotSupported, HETU, bank, **{HETU: code})


def test_a_code_in_another_claim_than_the_dialects_is_not_seen(bank: Bank) -> None:
    not_normalised(NotSupported, HETU, bank, **{HETU: None, "hetu": CODE, "personal_identity_code": CODE})


@pytest.mark.parametrize("code", ["010101-123N", "131052-308T", "010190-899R"])
def test_a_code_of_the_real_range_is_refused_in_test(bank: Bank, code: str) -> None:
    not_normalised(IntegrityError, HETU, bank, **with_code(code))


@pytest.mark.parametrize("code", ["010190Y999W", "010100-969P"])
def test_an_artificial_code_is_refused_in_production(bank: Bank, code: str) -> None:
    not_normalised(IntegrityError, HETU, bank, make_connection(test=False), **with_code(code))


def code_of(day: date, number: int = 2) -> str:
    """A code of the range that the register gives out, of that birth date."""
    digits = f"{day:%d%m%y}{number:03}"
    return f"{digits[:6]}{'A' if day.year >= 2000 else '-'}{digits[6:]}{CHECKS[int(digits) % 31]}"


@pytest.mark.parametrize("born", [date(2052, 1, 31), date(2090, 12, 1), date(2099, 12, 31), TODAY + timedelta(1)])
def test_nobody_is_born_after_they_identified(bank: Bank, born: date) -> None:
    not_normalised(IntegrityError, HETU, bank, make_connection(test=False), **with_code(code_of(born)))


@pytest.mark.parametrize("born", [TODAY, TODAY - timedelta(1), date(2026, 1, 1), date(1927, 1, 16)])
def test_who_is_born_by_now_may_identify(bank: Bank, born: date) -> None:
    assert identity_of(bank, make_connection(test=False), **with_code(code_of(born))).birthdate == born


def test_a_code_of_the_real_range_is_taken_in_production(bank: Bank) -> None:
    identity = identity_of(bank, make_connection(test=False), **with_code("131052-308T"))
    assert identity.birthdate == date(1952, 10, 13)


def test_an_allowed_code_passes_by_exact_string_in_test_only(bank: Bank) -> None:
    allowed = {"allowed_identity_codes": frozenset({"010101-000Z"})}
    identity = identity_of(bank, make_connection(**allowed), **with_code("010101-000Z"))
    assert identity.birthdate == date(1901, 1, 1)
    not_normalised(IntegrityError, HETU, bank, make_connection(**allowed), **with_code("010101-000Y"))
    not_normalised(IntegrityError, HETU, bank, make_connection(test=False, **allowed), **with_code("010101-000Z"))


@pytest.mark.parametrize("code", ["320101-000Z", "X", "ABCDEFGHIJK"])
def test_an_allowed_code_without_a_date_is_still_refused(bank: Bank, code: str) -> None:
    connection = make_connection(allowed_identity_codes=frozenset({code}))
    not_normalised(IntegrityError, HETU, bank, connection, **with_code(code))


@pytest.mark.parametrize("said", ["1990-01-02", "1890-01-01", "1.1.1990", "19900101", " ", 19900101, ["1990-01-01"]])
def test_another_birth_date_than_that_of_the_code_is_refused(bank: Bank, said: Any) -> None:
    not_normalised(IntegrityError, BORN, bank, **{BORN: said})


def test_the_birth_date_may_be_absent(bank: Bank) -> None:
    assert identity_of(bank, **{BORN: None}).birthdate == date(1990, 1, 1)


@pytest.mark.parametrize(
    ("acr", "level", "test"),
    [("loatest2", "substantial", True), ("loatest3", "high", True), ("loa2", "substantial", False)],
)
def test_the_level_of_assurance_is_normalised(bank: Bank, acr: str, level: str, test: bool) -> None:
    code = {} if test else with_code("131052-308T")
    identity = identity_of(bank, make_connection(test=test), acr=LEVEL + acr, **code)
    assert (identity.assurance.level, identity.assurance.acr) == (level, LEVEL + acr)


def test_telias_amr_confirms_the_chosen_bank(bank: Bank) -> None:
    amr = ["https://tunnistus.telia.fi/uas/saml2/names/ac/oidc.aktia.1"]
    identity = identity_of(bank, make_connection("telia"), PROVIDERS["aktia"], amr=amr)
    assert (identity.provider, identity.provider_known, identity.amr) == ("aktia", "confirmed", tuple(amr))


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=list(PROVIDERS))
def test_telias_amr_of_another_bank_is_refused(bank: Bank, provider: Provider) -> None:
    other = next(p for p in PROVIDERS.values() if p.amr and p.id != provider.id)
    connection = make_connection("telia", selectors={provider.id: f"mock-{provider.id}"})
    with pytest.raises(IntegrityError) as caught:
        identity_of(bank, connection, provider, amr=[f"https://x/{other.amr[0]}"])
    assert (caught.value.step, caught.value.claim) == (Step.NORMALISE, "amr")
    identity = identity_of(bank, connection, provider, amr=[f"https://x/mock-{provider.id}"])
    assert identity.provider_known == "confirmed"


@pytest.mark.parametrize(
    ("dialect", "provider", "amr", "known"),
    [
        ("telia", "aktia", None, "chosen"),
        ("telia", "aktia", [], "chosen"),
        ("telia", None, ["https://x/oidc.aktia.1"], "unknown"),
        ("telia", "lokaltapiola", ["https://x/anything"], "chosen"),
        ("isb", "aktia", ["https://x/oidc.pop.1"], "chosen"),
        ("ftn", None, None, "unknown"),
    ],
)
def test_how_the_provider_is_known(bank: Bank, dialect: str, provider: Any, amr: Any, known: str) -> None:
    chosen = PROVIDERS[provider] if provider else None
    identity = identity_of(bank, make_connection(dialect), chosen, amr=amr)
    assert (identity.provider, identity.provider_known) == (provider, known)


@pytest.mark.parametrize(
    ("dialect", "claims", "reference"),
    [
        ("telia", {"session_index": "s-1"}, "s-1"),
        ("telia", {"session_index": 7}, "event-7f3a"),
        ("isb", {"session_index": "s-1"}, "event-7f3a"),
        ("isb", {"sub": f"x-{CODE.lower()}"}, None),
        ("ftn", {"session_index": f"{CODE}-1"}, "event-7f3a"),
    ],
)
def test_the_evidence_refers_to_the_event_and_never_to_the_person(
    bank: Bank, dialect: str, claims: dict[str, Any], reference: Any
) -> None:
    evidence = identity_of(bank, make_connection(dialect), **claims).evidence
    assert (evidence.reference, evidence.signing_kid, evidence.encryption_kid) == (reference, "theirs", "ours")


def test_the_rest_of_the_identity_is_as_the_bank_said(bank: Bank) -> None:
    identity = identity_of(bank, auth_time=NOW - 5.5)
    assert identity.auth_time == NOW - 6 or identity.auth_time == NOW - 5
    assert isinstance(identity.auth_time, int)
    assert identity.represents is None
