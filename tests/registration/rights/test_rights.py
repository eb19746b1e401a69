"""The rules of who may do what, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from registration.database.models import Account, AuditRecord, CustomerNumber, Representation
from registration.rights import changes, ending, errors, founding, lookup, sharing
from tests.harness.registration_rights import ALL, FO, NONE, NOW, OTHER_FO, READER, Harness, open_harness


@pytest.fixture
def harness(empty_tables: str) -> Iterator[Harness]:
    harness = open_harness(empty_tables)
    yield harness
    harness.database.close()


def change(harness: Harness, actor: Account, other: Account, levels: dict[str, str]) -> None:
    with harness.database.write() as tx:
        changes.change(tx, actor, harness.key(), other.id, levels, NOW)


def act(harness: Harness, name: str, actor: Account, other: Account, key: str | None = None) -> None:
    """remove, appoint, hand_over or demote."""
    with harness.database.write() as tx:
        getattr(ending if name == "remove" else changes, name)(tx, actor, key or harness.key(), other.id, NOW)


def share(harness: Harness, actor: Account, user_name: str, email: str, levels: dict[str, str]) -> None:
    with harness.database.write() as tx:
        sharing.share(tx, actor, harness.key(), user_name, email, levels, NOW)


def test_the_first_of_a_company_is_its_administrator_and_later_ones_read_consumption(
    harness: Harness,
) -> None:
    first, second = harness.people("aino", "bertil")
    assert harness.administrators() == {first.id}
    assert harness.levels(first) == ALL
    assert harness.levels(second) == READER


def test_fifty_who_register_at_the_same_moment_have_one_administrator(harness: Harness) -> None:
    accounts = [harness.person(f"person{number}") for number in range(50)]
    start = Barrier(10)

    def register(some: list[Account]) -> int:
        start.wait()
        return sum(harness.join(account) for account in some)

    with ThreadPoolExecutor(10) as threads:
        found = list(threads.map(register, [accounts[at : at + 5] for at in range(0, 50, 5)]))
    assert sum(found) == len(harness.administrators()) == 1
    with harness.database.read() as tx:
        assert len(tx.scalars(select(Representation)).all()) == 50


def test_who_registers_again_for_the_same_company_keeps_their_rights_and_gets_the_number(
    harness: Harness,
) -> None:
    first, second = harness.people("aino", "bertil")
    harness.give(second, invoices="write")
    assert harness.join(first, number="1002") is True
    assert harness.join(second, number="1002") is False
    assert harness.levels(second) == READER | {"invoices": "write"}
    right = harness.right(second)
    assert right is not None
    assert right.customer_numbers == ("1001", "1002")


def test_a_company_whose_users_have_all_gone_gets_no_new_administrator_by_registration(
    harness: Harness,
) -> None:
    first, second = harness.people("aino", "bertil")
    harness.give(first, administrator=False)
    for account in (first, second):
        act(harness, "remove", account, account)
    later = harness.person("cecilia")
    assert harness.join(later) is False
    assert harness.levels(later) == READER


def test_a_registration_that_is_rolled_back_founds_nothing(harness: Harness) -> None:
    first, second = harness.person("aino"), harness.person("bertil")
    assert harness.database.tried(lambda tx: founding.found_or_join(tx, first, FO, "Företag Ab", "1001", NOW)) is True
    assert harness.join(second) is True


def test_an_administrator_sets_every_section_of_another_user(harness: Harness) -> None:
    first, second = harness.people("aino", "bertil")
    change(harness, first, second, NONE | {"contracts": "write", "users": "read"})
    assert harness.levels(second) == NONE | {"contracts": "write", "users": "read"}
    assert harness.mail() == [(second.id, "rights_changed")]
    assert harness.trail() == [("rights_changed", first.id, second.id)]


def test_a_change_that_changes_nothing_tells_nobody(harness: Harness) -> None:
    first, second = harness.people("aino", "bertil")
    change(harness, first, second, READER)
    assert harness.mail() == harness.trail() == []


def test_a_change_is_not_sent_to_an_address_that_is_not_confirmed(harness: Harness) -> None:
    (first,) = harness.people("aino")
    second = harness.person("bertil", confirmed=False)
    harness.join(second)
    change(harness, first, second, NONE)
    assert harness.mail() == []
    assert harness.trail()[-1] == ("not_told", "nobody", second.id)


@pytest.mark.parametrize("levels", [{}, READER | {"users": "all"}, {"consumption": "read"}])
def test_what_is_no_level_is_refused(harness: Harness, levels: dict[str, str]) -> None:
    first, second = harness.people("aino", "bertil")
    with pytest.raises(ValueError, match="level"):
        change(harness, first, second, levels)


@pytest.mark.parametrize("users", ["none", "read"])
def test_a_user_without_write_for_users_changes_nobody(harness: Harness, users: str) -> None:
    _, second, third = harness.people("aino", "bertil", "cecilia")
    harness.give(second, **(ALL | {"users": users}))
    with pytest.raises(errors.Forbidden):
        change(harness, second, third, NONE)


def test_a_user_with_write_for_users_gives_at_most_what_they_hold(harness: Harness) -> None:
    _, second, third = harness.people("aino", "bertil", "cecilia")
    harness.give(second, contracts="read", users="write")
    change(harness, second, third, READER | {"contracts": "read", "users": "write"})
    with pytest.raises(errors.AboveOwnLevel) as refusal:
        change(harness, second, third, READER | {"contracts": "write", "users": "write"})
    assert refusal.value.section == "contracts"
    assert harness.levels(third) == READER | {"contracts": "read", "users": "write"}


def test_a_user_with_write_for_users_takes_nothing_that_is_above_their_own(harness: Harness) -> None:
    _, second, third = harness.people("aino", "bertil", "cecilia")
    harness.give(second, invoices="read", users="write")
    harness.give(third, invoices="write")
    with pytest.raises(errors.AboveOwnLevel):
        change(harness, second, third, READER | {"invoices": "read"})
    change(harness, second, third, NONE | {"invoices": "write"})
    assert harness.levels(third) == NONE | {"invoices": "write"}


def test_a_user_cannot_raise_their_own_level(harness: Harness) -> None:
    _, second = harness.people("aino", "bertil")
    harness.give(second, users="write")
    with pytest.raises(errors.AboveOwnLevel):
        change(harness, second, second, READER | {"users": "write", "contracts": "read"})


def test_nobody_changes_the_sections_of_an_administrator(harness: Harness) -> None:
    first, second = harness.people("aino", "bertil")
    harness.give(second, **ALL)
    for actor in (first, second):
        with pytest.raises(errors.Forbidden):
            change(harness, actor, first, NONE)


@pytest.mark.parametrize("name", ["remove", "appoint", "hand_over", "demote"])
def test_only_an_administrator_removes_appoints_hands_over_or_demotes(harness: Harness, name: str) -> None:
    first, second, third = harness.people("aino", "bertil", "cecilia")
    harness.give(second, **ALL)
    for other in (first, third):
        with pytest.raises(errors.Forbidden):
            act(harness, name, second, other)
    assert harness.administrators() == {first.id}


@pytest.mark.parametrize("name", ["remove", "appoint", "hand_over", "demote"])
def test_an_administrator_has_no_power_in_another_company(harness: Harness, name: str) -> None:
    first, second = harness.people("aino", "bertil")
    stranger, other = harness.people("cecilia", "daniel", fo_nummer=OTHER_FO)
    attempts = [(stranger, second, harness.key(FO)), (stranger, second, harness.key(OTHER_FO))]
    attempts += [(first, other, harness.key(FO)), (first, second, "no such company")]
    for actor, victim, key in attempts:
        with pytest.raises(errors.Forbidden):
            act(harness, name, actor, victim, key)
    for actor, victim, key in attempts:
        with pytest.raises(errors.Forbidden), harness.database.write() as tx:
            changes.change(tx, actor, key, victim.id, NONE, NOW)
    assert harness.trail() == []


def test_an_administrator_removes_a_user_with_their_customer_numbers(harness: Harness) -> None:
    first, second = harness.people("aino", "bertil")
    act(harness, "remove", first, second)
    assert harness.right(second) is None
    with harness.database.read() as tx:
        assert set(tx.scalars(select(CustomerNumber.account_id))) == {first.id}
    assert harness.mail() == [(second.id, "user_removed")]
    assert harness.trail() == [("user_removed", first.id, second.id)]


def test_a_user_may_leave(harness: Harness) -> None:
    _, second = harness.people("aino", "bertil")
    act(harness, "remove", second, second)
    assert harness.right(second) is None


@pytest.mark.parametrize("name", ["remove", "demote"])
def test_the_last_administrator_cannot_go(harness: Harness, name: str) -> None:
    first, second = harness.people("aino", "bertil")
    with pytest.raises(errors.LastAdministrator):
        act(harness, name, first, first)
    act(harness, "appoint", first, second)
    act(harness, name, first, first)
    assert harness.administrators() == {second.id}


def test_a_company_may_have_several_administrators(harness: Harness) -> None:
    first, second = harness.people("aino", "bertil")
    act(harness, "appoint", first, second)
    assert harness.administrators() == {first.id, second.id}
    assert harness.levels(second) == ALL
    assert harness.mail() == [(second.id, "administrator_received")]
    act(harness, "appoint", first, second)
    assert len(harness.trail()) == 1


def test_an_administrator_hands_the_role_on_and_keeps_their_sections(harness: Harness) -> None:
    first, second = harness.people("aino", "bertil")
    act(harness, "hand_over", first, second)
    assert harness.administrators() == {second.id}
    assert harness.levels(first) == harness.levels(second) == ALL
    assert harness.mail() == [(second.id, "administrator_received"), (first.id, "rights_changed")]
    events = [("administrator_handed_over", first.id, second.id), ("rights_changed", first.id, first.id)]
    assert harness.trail() == events


def test_nobody_hands_the_role_to_themselves(harness: Harness) -> None:
    (first,) = harness.people("aino")
    with pytest.raises(errors.Forbidden):
        act(harness, "hand_over", first, first)


@pytest.mark.parametrize("name", ["remove", "demote"])
def test_of_two_administrators_who_oust_each_other_at_the_same_moment_one_stays(harness: Harness, name: str) -> None:
    for attempt in range(5):
        fo = f"{attempt}234567-1"
        pair = harness.people(f"aino{attempt}", f"bertil{attempt}", fo_nummer=fo)
        harness.give(pair[1], fo, administrator=True)
        key = harness.key(fo)
        start = Barrier(2)

        def oust(actor: Account, other: Account, key: str = key, start: Barrier = start) -> bool:
            start.wait()
            try:
                act(harness, name, actor, other, key)
            except errors.Forbidden:
                return False
            return True

        with ThreadPoolExecutor(2) as threads:
            done = list(threads.map(oust, pair, pair[::-1]))
        assert sorted(done) == [False, True]
        assert len(harness.administrators(fo)) == 1


def test_of_two_administrators_who_leave_at_the_same_moment_one_stays(harness: Harness) -> None:
    pair = harness.people("aino", "bertil")
    harness.give(pair[1], administrator=True)
    key = harness.key()
    start = Barrier(2)

    def leave(account: Account) -> bool:
        start.wait()
        try:
            act(harness, "remove", account, account, key)
        except errors.LastAdministrator:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(leave, pair)) == [False, True]
    assert len(harness.administrators()) == 1


def test_a_user_lets_another_existing_user_see_what_they_see(harness: Harness) -> None:
    first, second = harness.people("aino", "bertil")
    harness.give(second, invoices="write")
    other = harness.person("cecilia")
    share(harness, second, "CECILIA", "cecilia@EXAMPLE.com", READER | {"invoices": "read"})
    right = harness.right(other)
    assert right is not None
    assert (right.levels, right.administrator) == (READER | {"invoices": "read"}, False)
    assert right.customer_numbers == ("1001",)
    assert set(harness.mail()) == {(other.id, "rights_given"), (first.id, "rights_shared")}
    assert harness.trail() == [("rights_given", second.id, other.id)]


@pytest.mark.parametrize(
    ("user_name", "email"),
    [
        ("nobody", "cecilia@example.com"),
        ("cecilia", "nobody@example.com"),
        ("cecilia", ""),
        ("bertil", "bertil@example.com"),
    ],
)
def test_only_a_user_name_and_an_address_that_fit_together_are_somebody_else(
    harness: Harness, user_name: str, email: str
) -> None:
    _, second = harness.people("aino", "bertil")
    harness.person("cecilia")
    with pytest.raises(errors.NoSuchUser):
        share(harness, second, user_name, email, READER)
    assert harness.trail() == []


@pytest.mark.parametrize("user_name", ["cecilia", "nobody"])
def test_nobody_lets_another_see_more_than_they_do(harness: Harness, user_name: str) -> None:
    _, second = harness.people("aino", "bertil")
    harness.person("cecilia")
    with pytest.raises(errors.AboveOwnLevel) as refusal:
        share(harness, second, user_name, "cecilia@example.com", READER | {"contracts": "read"})
    assert refusal.value.section == "contracts"


def test_to_let_another_see_nothing_is_refused(harness: Harness) -> None:
    _, second = harness.people("aino", "bertil")
    harness.person("cecilia")
    with pytest.raises(errors.NothingGiven):
        share(harness, second, "cecilia", "cecilia@example.com", NONE)


def test_who_does_not_represent_the_company_shares_nothing_of_it(harness: Harness) -> None:
    harness.people("aino")
    stranger, _ = harness.person("bertil"), harness.person("cecilia")
    with pytest.raises(errors.Forbidden):
        share(harness, stranger, "cecilia", "cecilia@example.com", READER)


def test_sharing_takes_nothing_from_who_has_more_already(harness: Harness) -> None:
    first, second, third = harness.people("aino", "bertil", "cecilia")
    harness.give(third, consumption="write", contracts="write")
    with harness.database.write() as tx:
        tx.add(CustomerNumber(account_id=third.id, fo_nummer=FO, customer_number="1009"))
    share(harness, second, "cecilia", "cecilia@example.com", READER)
    assert harness.levels(third) == NONE | {"consumption": "write", "contracts": "write"}
    share(harness, second, "aino", "aino@example.com", READER)
    assert harness.administrators() == {first.id}
    assert harness.mail() == harness.trail() == []


def test_the_users_of_a_company_are_shown_to_who_may_see_them(harness: Harness) -> None:
    first, second = harness.people("aino", "bertil")
    with harness.database.read() as tx:
        right, users, _ = lookup.users_of(tx, first.id, harness.key())
        assert right.administrator
        assert [(user.account.user_name, user.since) for user in users] == [("aino", NOW), ("bertil", NOW)]
        assert lookup.only_administrator(tx, FO) == first.id
        with pytest.raises(errors.Forbidden):
            lookup.users_of(tx, second.id, harness.key())
    harness.give(second, users="read")
    with harness.database.read() as tx:
        assert len(lookup.users_of(tx, second.id, harness.key())[1]) == 2


def test_one_user_is_shown_to_administrators_to_who_may_change_them_and_to_themselves(harness: Harness) -> None:
    chief, clerk, reader = harness.people("aino", "bertil", "cecilia")
    harness.give(clerk, users="write")
    with harness.database.read() as tx:
        for actor, other in ((chief, clerk), (clerk, reader), (reader, reader)):
            assert lookup.user_of(tx, actor.id, harness.key(), other.id)[1].account_id == other.id
        for actor, other in ((clerk, chief), (reader, clerk), (reader, chief)):
            with pytest.raises(errors.Forbidden):
                lookup.user_of(tx, actor.id, harness.key(), other.id)


def test_rights_are_listed_by_company(harness: Harness) -> None:
    (first,) = harness.people("aino", fo_nummer=OTHER_FO)
    harness.people("bertil")
    harness.join(first, number="1002")
    with harness.database.read() as tx:
        found = lookup.rights_of(tx, first.id)
    assert [(right.fo_nummer, right.administrator, right.customer_numbers) for right in found] == [
        (FO, False, ("1002",)),
        (OTHER_FO, True, ("1001",)),
    ]


def test_the_trail_keeps_what_was_given_and_no_name(harness: Harness) -> None:
    first, second = harness.people("aino", "bertil")
    act(harness, "appoint", first, second)
    with harness.database.read() as tx:
        (record,) = tx.scalars(select(AuditRecord))
    assert record.fo_nummer == FO
    assert record.details == ALL | {"administrator": "yes"}
