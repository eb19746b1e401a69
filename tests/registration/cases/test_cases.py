"""Cases: opened once, decided once, by whom they may be; on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Literal, cast

import pytest
from sqlalchemy import select

from registration import cases
from registration.accounts import person
from registration.audit import By
from registration.cases import KEPT, authority, codes, letters
from registration.customer_register import Customer
from registration.database.models import Account, AuditRecord, Case, OutboxEntry
from registration.keys import Keys, load_keys
from registration.rights import errors
from registration.service import Service
from registration.settings.rules import RulesSettings
from registration.tidy import tidy
from tests.harness.registration_keys import make_keys
from tests.harness.registration_rights import ALL, FO, NOW, READER, Harness, open_harness

CUSTOMER = Customer("1001", FO, "Företag 123 Ab")
LETTER = Customer("1001", FO, "Företag 123 Ab", postal_address="Kauppakatu 1, 00100 Helsinki")
MAILED = Customer("1001", FO, "Företag 123 Ab", email="info@foretag.example", postal_address="Kauppakatu 1")
Founding = Literal["numbers", "activation", "approval"]
Joining = Literal["open", "notify", "approve"]
Keyed = Callable[[], Keys]


@pytest.fixture
def harness(empty_tables: str) -> Iterator[Harness]:
    harness = open_harness(empty_tables)
    yield harness
    harness.database.close()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys") / "keys"
    make_keys(folder, NOW)
    return load_keys(folder, lambda: NOW)


def ask(
    harness: Harness,
    account: Account,
    founding: Founding = "numbers",
    joining: Joining = "approve",
    customer: Customer = CUSTOMER,
) -> Case | None:
    """Register an account for the company."""
    with harness.database.write() as tx:
        return authority.ask(tx, tx.merge(account), customer, RulesSettings(founding=founding, joining=joining), NOW)[1]


def waiting(harness: Harness, account: Account, founding: Founding = "numbers", customer: Customer = CUSTOMER) -> str:
    """The id of the case that comes of it."""
    case = ask(harness, account, founding, customer=customer)
    assert case is not None
    return case.id


def decide(harness: Harness, id: str, decision: str = "grant", *, ending: tuple[str, ...] = ()) -> cases.Decided:
    with harness.database.write() as tx:
        return cases.decide(tx, id, decision, By("operator:maija", NOW, {"reason": "by phone"}), ending)


def dispute(harness: Harness, account: Account) -> str:
    with harness.database.write() as tx:
        return cases.open_case(tx, account, "disputed", CUSTOMER, NOW).id


def enter(harness: Harness, keys: Keys, id: str, code: str, now: int = NOW) -> bool:
    with harness.database.write() as tx:
        return codes.enter(tx, keys, id, code, now)


def made(harness: Harness, keys: Keys, id: str, now: int = NOW) -> str:
    with harness.database.write() as tx:
        return codes.make(keys, cases.case(tx, id), now)


def words(harness: Harness, kind: str) -> list[tuple[str, dict[str, str]]]:
    with harness.database.read() as tx:
        return [(entry.address, entry.words) for entry in tx.scalars(select(OutboxEntry).filter_by(kind=kind))]


@pytest.mark.parametrize(
    ("founding", "customer", "way"),
    [
        ("approval", MAILED, "approval"),
        ("activation", CUSTOMER, "approval"),
        ("activation", LETTER, "letter"),
        ("activation", MAILED, "email"),
    ],
)
def test_a_first_administrator_waits_as_the_rule_and_the_register_say(
    harness: Harness, founding: Founding, customer: Customer, way: str
) -> None:
    aino = harness.person("aino")
    case = ask(harness, aino, founding, customer=customer)
    assert case is not None
    assert (case.kind, case.way, case.state) == ("founding", way, "open")
    assert harness.right(aino) is None
    sent = [("info@foretag.example", case.id)] if way == "email" else []
    assert [(address, told["case"]) for address, told in words(harness, "activation")] == sent


def test_with_numbers_the_first_is_administrator_and_those_who_join_open_tell_nobody(harness: Harness) -> None:
    aino, bertil = harness.person("aino"), harness.person("bertil")
    assert ask(harness, aino, "numbers", "open") is None
    assert ask(harness, bertil, "numbers", "open") is None
    assert (harness.levels(aino), harness.levels(bertil)) == (ALL, READER)
    assert harness.administrators() == {aino.id}
    assert harness.mail() == []


def test_every_administrator_with_a_confirmed_address_is_told_who_joins(harness: Harness) -> None:
    _, bertil = harness.people("aino", "bertil")
    harness.join(harness.person("cecilia", confirmed=False))
    harness.give(bertil, administrator=True)
    daniel = harness.person("daniel")
    assert ask(harness, daniel, joining="notify") is None
    told = words(harness, "joined")
    assert {address for address, _ in told} == {"aino@example.com", "bertil@example.com"}
    assert told[0][1]["by"] == "Daniel Testinen"
    assert told[0][1]["company_key"] == harness.key()


def test_one_who_joins_with_approval_sees_nothing_until_an_administrator_grants_it(harness: Harness) -> None:
    (aino,) = harness.people("aino")
    bertil = harness.person("bertil")
    id = waiting(harness, bertil)
    assert harness.right(bertil) is None
    assert harness.mail() == [(aino.id, "case_opened")]
    with harness.database.write() as tx:
        cases.decide_as_administrator(tx, aino, harness.key(), id, "grant", NOW)
    assert harness.levels(bertil) == READER
    assert (bertil.id, "case_decided") in harness.mail()
    assert ("case_decided", aino.id, bertil.id) in harness.trail()


def test_only_an_administrator_of_the_company_decides_who_joins_it(harness: Harness) -> None:
    _, bertil = harness.people("aino", "bertil")
    cecilia = harness.person("cecilia")
    harness.join(cecilia, "9990001-6")
    id = waiting(harness, harness.person("daniel"))
    for actor, key in ((bertil, harness.key()), (cecilia, harness.key("9990001-6")), (cecilia, harness.key())):
        with pytest.raises(errors.Forbidden), harness.database.write() as tx:
            cases.decide_as_administrator(tx, actor, key, id, "grant", NOW)


def test_an_administrator_does_not_decide_a_dispute_about_themselves(harness: Harness) -> None:
    aino, bertil = harness.people("aino", "bertil")
    id = dispute(harness, bertil)
    for decision in ("grant", "refuse"):
        with pytest.raises(errors.Forbidden), harness.database.write() as tx:
            cases.decide_as_administrator(tx, aino, harness.key(), id, decision, NOW)


def test_a_request_to_join_becomes_a_dispute_and_there_is_one_case_at_a_time(harness: Harness) -> None:
    harness.people("aino")
    bertil = harness.person("bertil")
    id = waiting(harness, bertil)
    assert dispute(harness, bertil) == id
    with pytest.raises(cases.AlreadyOpen):
        dispute(harness, bertil)
    with harness.database.read() as tx:
        assert [case.kind for case in cases.open_cases(tx)] == ["disputed"]


def test_opened_by_many_at_the_same_moment_it_is_one_case(harness: Harness) -> None:
    _, bertil = harness.people("aino", "bertil")

    def try_it(_: int) -> bool:
        try:
            dispute(harness, bertil)
        except cases.AlreadyOpen:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(try_it, range(4))) == 1


@pytest.mark.parametrize("member", [True, False])
def test_the_trail_says_whether_a_granted_case_lets_somebody_join(harness: Harness, member: bool) -> None:
    harness.people("aino", *(["bertil"] if member else []))
    bertil = harness.person_named("bertil") if member else harness.person("bertil")
    decide(harness, dispute(harness, bertil))
    with harness.database.read() as tx:
        (record,) = tx.scalars(select(AuditRecord).filter_by(event="case_decided"))
    assert record.details["new"] == ("no" if member else "yes")


def test_a_granted_dispute_makes_an_administrator_and_ends_whom_it_names(harness: Harness) -> None:
    aino, bertil = harness.people("aino", "bertil")
    decided = decide(harness, dispute(harness, bertil), ending=(aino.id, bertil.id, "0" * 32))
    assert harness.administrators() == {bertil.id}
    assert harness.right(aino) is None
    assert [(one.account, one.company) for one in decided.erasures] == [(aino.id, harness.key())]
    assert {(aino.id, "user_removed"), (bertil.id, "case_decided")} <= set(harness.mail())
    assert ("revoked", "operator:maija", aino.id) in harness.trail()


def test_a_granted_dispute_puts_the_person_beside_the_present_administrators(harness: Harness) -> None:
    aino, bertil = harness.people("aino", "bertil")
    assert decide(harness, dispute(harness, bertil)).erasures == ()
    assert harness.administrators() == {aino.id, bertil.id}
    assert (aino.id, "case_closed") in harness.mail()


def test_customer_service_makes_a_first_administrator_or_refuses_one(harness: Harness) -> None:
    aino, bertil = harness.person("aino"), harness.person("bertil")
    first, second = waiting(harness, aino, "approval"), waiting(harness, bertil, "approval")
    decide(harness, second, "refuse")
    assert harness.right(bertil) is None
    decide(harness, first)
    assert harness.administrators() == {aino.id}
    right = harness.right(aino)
    assert right is not None
    assert right.customer_numbers == ("1001",)


def test_what_was_decided_is_not_decided_again_and_says_by_whom(harness: Harness) -> None:
    id = waiting(harness, harness.person("aino"), "approval")
    decide(harness, id, "refuse")
    with pytest.raises(cases.AlreadyDecided) as error:
        decide(harness, id)
    assert (error.value.by, error.value.at, error.value.outcome) == ("operator:maija", NOW, "refused")
    with pytest.raises(cases.NoSuchCase):
        decide(harness, "0" * 32)
    assert harness.administrators() == set()


def test_two_who_decide_at_the_same_moment_decide_once(harness: Harness) -> None:
    id = waiting(harness, harness.person("aino"), "approval")

    def try_it(decision: str) -> str:
        try:
            return decide(harness, id, decision).case.state
        except cases.AlreadyDecided as error:
            return f"too late: {error.outcome}"

    with ThreadPoolExecutor(2) as threads:
        found = sorted(threads.map(try_it, ("grant", "refuse")))
    assert found in (["granted", "too late: granted"], ["refused", "too late: refused"])
    with harness.database.read() as tx:
        assert len(tx.scalars(select(AuditRecord).filter_by(event="case_decided")).all()) == 1


def test_the_code_makes_the_first_administrator_however_it_is_typed(harness: Harness, keys: Keys) -> None:
    aino = harness.person("aino")
    id = waiting(harness, aino, "activation", LETTER)
    assert not enter(harness, keys, id, "")  # there is none yet
    code = made(harness, keys, id)
    assert len(code.replace("-", "")) * 5 >= 80
    assert enter(harness, keys, id, code.lower().replace("-", " ").replace("1", "l").replace("0", "o"))
    assert harness.administrators() == {aino.id}
    with pytest.raises(cases.AlreadyDecided):
        enter(harness, keys, id, code)


@pytest.mark.parametrize(
    ("dash", "first"), [("\u2013", ""), ("\u2011", "\u200b"), ("\u00a0", "\u2060"), ("\uff0d", " ")]
)
def test_a_code_may_have_the_dashes_and_spaces_of_a_phone_or_a_copy(
    harness: Harness, keys: Keys, dash: str, first: str
) -> None:
    id = waiting(harness, harness.person("aino"), "activation", LETTER)
    assert enter(harness, keys, id, first + made(harness, keys, id).replace("-", dash))


def test_a_code_is_kept_as_a_digest_only(harness: Harness, keys: Keys) -> None:
    id = waiting(harness, harness.person("aino"), "activation", LETTER)
    code = made(harness, keys, id).replace("-", "")
    with harness.database.read() as tx:
        case = cases.case(tx, id)
    assert code not in str(vars(case))
    assert case.code_digest == keys.keyed_digest("activation", id, code)


def test_five_wrong_tries_end_a_code(harness: Harness, keys: Keys) -> None:
    id = waiting(harness, harness.person("aino"), "activation", LETTER)
    code = made(harness, keys, id)
    assert not any(enter(harness, keys, id, f"wrong{number}") for number in range(codes.TRIES))
    assert not enter(harness, keys, id, code)
    assert enter(harness, keys, id, made(harness, keys, id))


def test_a_code_ends_after_thirty_days_and_by_the_next_one(harness: Harness, keys: Keys) -> None:
    id = waiting(harness, harness.person("aino"), "activation", LETTER)
    first, second = made(harness, keys, id), made(harness, keys, id)
    assert not enter(harness, keys, id, first)
    assert not enter(harness, keys, id, second, NOW + codes.VALID)
    assert enter(harness, keys, id, second, NOW + codes.VALID - 1)


def test_a_code_ends_when_another_is_asked_for_which_is_then_due(harness: Harness, keys: Keys) -> None:
    id = waiting(harness, harness.person("aino"), "activation", LETTER)
    code = made(harness, keys, id)
    with harness.database.write() as tx:
        assert letters.due(tx) == []
        codes.send_again(tx, id, LETTER, NOW)
        assert [case.id for case in letters.due(tx)] == [id]
    assert not enter(harness, keys, id, code)


def test_the_code_of_one_case_opens_no_other(harness: Harness, keys: Keys) -> None:
    aino, bertil = harness.person("aino"), harness.person("bertil")
    first = waiting(harness, aino, "activation", LETTER)
    second = waiting(harness, bertil, "activation", LETTER)
    code = made(harness, keys, first)
    made(harness, keys, second)
    assert not enter(harness, keys, second, code)


def test_by_the_second_code_of_a_company_one_joins(harness: Harness, keys: Keys) -> None:
    aino, bertil = harness.person("aino"), harness.person("bertil")
    ids = [waiting(harness, account, "activation", LETTER) for account in (aino, bertil)]
    for id in ids:
        assert enter(harness, keys, id, made(harness, keys, id))
    assert (harness.administrators(), harness.levels(bertil)) == ({aino.id}, READER)
    assert (aino.id, "case_closed") in harness.mail()


def test_the_code_of_a_case_that_became_a_dispute_is_void(harness: Harness, keys: Keys) -> None:
    bertil = harness.person("bertil")
    id = waiting(harness, bertil, "activation", LETTER)
    code = made(harness, keys, id)
    harness.people("aino")
    assert dispute(harness, bertil) == id
    assert not enter(harness, keys, id, code)


def test_the_founder_who_is_waited_for_leaves_no_gap_for_who_comes_at_the_same_moment(harness: Harness) -> None:
    accounts = [harness.person(f"person{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(lambda account: ask(harness, account), accounts))
    assert opened.count(None) == 1  # the first one; nobody joined without approval
    assert len(harness.administrators()) == 1


def test_cases_are_listed_the_latest_first_and_page_by_page(harness: Harness) -> None:
    for name in ("aino", "bertil", "cecilia"):
        waiting(harness, harness.person(name), "approval")
    with harness.database.read() as tx:
        first = cases.open_cases(tx, limit=2)
        rest = cases.open_cases(tx, before=first[-1].id)
        assert len({case.id for case in [*first, *rest]}) == 3
        assert len(cases.cases_of(tx, fo_nummer=FO)) == 3
        assert cases.open_cases(tx, state="granted") == []


def test_a_case_goes_a_year_after_its_decision_and_an_open_one_stays(harness: Harness) -> None:
    waiting(harness, harness.person("aino"), "approval")
    decide(harness, waiting(harness, harness.person("bertil"), "approval"), "refuse")
    for now, left in ((NOW + KEPT - 1, 2), (NOW + KEPT, 1)):
        tidy(cast(Service, SimpleNamespace(database=harness.database, now=now)))
        with harness.database.read() as tx:
            assert len(tx.scalars(select(Case)).all()) == left


def test_a_person_takes_their_cases_along(harness: Harness, keys: Keys) -> None:
    aino = harness.person("aino")
    waiting(harness, aino, "approval")
    by = By("operator:maija", NOW, {"reason": "asked"})
    with harness.database.write() as tx:
        (found,) = person.export(tx, keys, aino, aino.sub, by)["requests"]
    assert (found["kind"], found["company_name"]) == ("founding", "Företag 123 Ab")
    with harness.database.write() as tx:
        person.forget(tx, aino, aino.sub, by)
    with harness.database.read() as tx:
        assert tx.scalars(select(Case)).all() == []


def test_a_mail_that_waits_shows_on_its_case(harness: Harness) -> None:
    harness.people("aino")
    id = waiting(harness, harness.person("bertil"))
    with harness.database.write() as tx:
        assert cases.mail_waiting(tx, id)
        for entry in tx.scalars(select(OutboxEntry)):
            entry.sent_at = NOW
        tx.flush()
        assert not cases.mail_waiting(tx, id)
