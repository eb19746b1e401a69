"""The rules of who may do what, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from rights_house import ALL, FO, NONE, NOW, OTHER_FO, READER, House, open_house
from sqlalchemy import select

from registration import rights
from registration.models import Account, AuditRecord, CustomerNumber, Representation


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    house = open_house(database_url)
    yield house
    house.database.close()


def change(house: House, actor: Account, other: Account, levels: dict[str, str]) -> None:
    with house.database.write() as tx:
        rights.change(tx, actor, house.key(), other.id, levels, NOW)


def act(house: House, name: str, actor: Account, other: Account, key: str | None = None) -> None:
    """remove, appoint, hand_over or demote."""
    with house.database.write() as tx:
        getattr(rights, name)(tx, actor, key or house.key(), other.id, NOW)


def share(house: House, actor: Account, user_name: str, email: str, levels: dict[str, str]) -> None:
    with house.database.write() as tx:
        rights.share(tx, actor, house.key(), user_name, email, levels, NOW)


def test_the_first_of_a_company_is_its_administrator_and_later_ones_read_consumption(house: House) -> None:
    first, second = house.people("aino", "bertil")
    assert house.administrators() == {first.id}
    assert house.levels(first) == ALL
    assert house.levels(second) == READER


def test_fifty_who_register_at_the_same_moment_have_one_administrator(house: House) -> None:
    accounts = [house.person(f"person{number}") for number in range(50)]
    start = Barrier(10)

    def register(some: list[Account]) -> int:
        start.wait()
        return sum(house.join(account) for account in some)

    with ThreadPoolExecutor(10) as threads:
        found = list(threads.map(register, [accounts[at : at + 5] for at in range(0, 50, 5)]))
    assert sum(found) == len(house.administrators()) == 1
    with house.database.read() as tx:
        assert len(tx.scalars(select(Representation)).all()) == 50


def test_who_registers_again_for_the_same_company_keeps_their_rights_and_gets_the_number(house: House) -> None:
    first, second = house.people("aino", "bertil")
    house.give(second, invoices="write")
    assert house.join(first, number="1002") is True
    assert house.join(second, number="1002") is False
    assert house.levels(second) == READER | {"invoices": "write"}
    right = house.right(second)
    assert right is not None
    assert right.customer_numbers == ("1001", "1002")


def test_a_company_whose_users_have_all_gone_gets_no_new_administrator_by_registration(house: House) -> None:
    first, second = house.people("aino", "bertil")
    house.give(first, administrator=False)
    for account in (first, second):
        act(house, "remove", account, account)
    later = house.person("cecilia")
    assert house.join(later) is False
    assert house.levels(later) == READER


def test_a_registration_that_is_rolled_back_founds_nothing(house: House) -> None:
    first, second = house.person("aino"), house.person("bertil")
    with house.database.read() as tx:  # is never committed
        assert rights.found_or_join(tx, first, FO, "Företag Ab", "1001", NOW) is True
    assert house.join(second) is True


def test_an_administrator_sets_every_section_of_another_user(house: House) -> None:
    first, second = house.people("aino", "bertil")
    change(house, first, second, NONE | {"contracts": "write", "users": "read"})
    assert house.levels(second) == NONE | {"contracts": "write", "users": "read"}
    assert house.mail() == [(second.id, "rights_changed")]
    assert house.trail() == [("rights_changed", first.id, second.id)]


def test_a_change_that_changes_nothing_tells_nobody(house: House) -> None:
    first, second = house.people("aino", "bertil")
    change(house, first, second, READER)
    assert house.mail() == house.trail() == []


def test_a_change_is_not_sent_to_an_address_that_is_not_confirmed(house: House) -> None:
    (first,) = house.people("aino")
    second = house.person("bertil", confirmed=False)
    house.join(second)
    change(house, first, second, NONE)
    assert house.mail() == []
    assert house.trail()[-1] == ("not_told", "nobody", second.id)


@pytest.mark.parametrize("levels", [{}, READER | {"users": "all"}, {"consumption": "read"}])
def test_what_is_no_level_is_refused(house: House, levels: dict[str, str]) -> None:
    first, second = house.people("aino", "bertil")
    with pytest.raises(ValueError, match="level"):
        change(house, first, second, levels)


@pytest.mark.parametrize("users", ["none", "read"])
def test_a_user_without_write_for_users_changes_nobody(house: House, users: str) -> None:
    _, second, third = house.people("aino", "bertil", "cecilia")
    house.give(second, **(ALL | {"users": users}))
    with pytest.raises(rights.Forbidden):
        change(house, second, third, NONE)


def test_a_user_with_write_for_users_gives_at_most_what_they_hold(house: House) -> None:
    _, second, third = house.people("aino", "bertil", "cecilia")
    house.give(second, contracts="read", users="write")
    change(house, second, third, READER | {"contracts": "read", "users": "write"})
    with pytest.raises(rights.AboveOwnLevel) as refusal:
        change(house, second, third, READER | {"contracts": "write", "users": "write"})
    assert refusal.value.section == "contracts"
    assert house.levels(third) == READER | {"contracts": "read", "users": "write"}


def test_a_user_with_write_for_users_takes_nothing_that_is_above_their_own(house: House) -> None:
    _, second, third = house.people("aino", "bertil", "cecilia")
    house.give(second, invoices="read", users="write")
    house.give(third, invoices="write")
    with pytest.raises(rights.AboveOwnLevel):
        change(house, second, third, READER | {"invoices": "read"})
    change(house, second, third, NONE | {"invoices": "write"})
    assert house.levels(third) == NONE | {"invoices": "write"}


def test_a_user_cannot_raise_their_own_level(house: House) -> None:
    _, second = house.people("aino", "bertil")
    house.give(second, users="write")
    with pytest.raises(rights.AboveOwnLevel):
        change(house, second, second, READER | {"users": "write", "contracts": "read"})


def test_nobody_changes_the_sections_of_an_administrator(house: House) -> None:
    first, second = house.people("aino", "bertil")
    house.give(second, **ALL)
    for actor in (first, second):
        with pytest.raises(rights.Forbidden):
            change(house, actor, first, NONE)


@pytest.mark.parametrize("name", ["remove", "appoint", "hand_over", "demote"])
def test_only_an_administrator_removes_appoints_hands_over_or_demotes(house: House, name: str) -> None:
    first, second, third = house.people("aino", "bertil", "cecilia")
    house.give(second, **ALL)
    for other in (first, third):
        with pytest.raises(rights.Forbidden):
            act(house, name, second, other)
    assert house.administrators() == {first.id}


@pytest.mark.parametrize("name", ["remove", "appoint", "hand_over", "demote"])
def test_an_administrator_has_no_power_in_another_company(house: House, name: str) -> None:
    first, second = house.people("aino", "bertil")
    stranger, other = house.people("cecilia", "daniel", fo_nummer=OTHER_FO)
    attempts = [(stranger, second, house.key(FO)), (stranger, second, house.key(OTHER_FO))]
    attempts += [(first, other, house.key(FO)), (first, second, "no such company")]
    for actor, victim, key in attempts:
        with pytest.raises(rights.Forbidden):
            act(house, name, actor, victim, key)
    for actor, victim, key in attempts:
        with pytest.raises(rights.Forbidden), house.database.write() as tx:
            rights.change(tx, actor, key, victim.id, NONE, NOW)
    assert house.trail() == []


def test_an_administrator_removes_a_user_with_their_customer_numbers(house: House) -> None:
    first, second = house.people("aino", "bertil")
    act(house, "remove", first, second)
    assert house.right(second) is None
    with house.database.read() as tx:
        assert set(tx.scalars(select(CustomerNumber.account_id))) == {first.id}
    assert house.mail() == [(second.id, "user_removed")]
    assert house.trail() == [("user_removed", first.id, second.id)]


def test_a_user_may_leave(house: House) -> None:
    _, second = house.people("aino", "bertil")
    act(house, "remove", second, second)
    assert house.right(second) is None


@pytest.mark.parametrize("name", ["remove", "demote"])
def test_the_last_administrator_cannot_go(house: House, name: str) -> None:
    first, second = house.people("aino", "bertil")
    with pytest.raises(rights.LastAdministrator):
        act(house, name, first, first)
    act(house, "appoint", first, second)
    act(house, name, first, first)
    assert house.administrators() == {second.id}


def test_a_company_may_have_several_administrators(house: House) -> None:
    first, second = house.people("aino", "bertil")
    act(house, "appoint", first, second)
    assert house.administrators() == {first.id, second.id}
    assert house.levels(second) == ALL
    assert house.mail() == [(second.id, "administrator_received")]
    act(house, "appoint", first, second)
    assert len(house.trail()) == 1


def test_an_administrator_hands_the_role_on_and_keeps_their_sections(house: House) -> None:
    first, second = house.people("aino", "bertil")
    act(house, "hand_over", first, second)
    assert house.administrators() == {second.id}
    assert house.levels(first) == house.levels(second) == ALL
    assert house.mail() == [(second.id, "administrator_received"), (first.id, "rights_changed")]
    events = [("administrator_handed_over", first.id, second.id), ("rights_changed", first.id, first.id)]
    assert house.trail() == events


def test_nobody_hands_the_role_to_themselves(house: House) -> None:
    (first,) = house.people("aino")
    with pytest.raises(rights.Forbidden):
        act(house, "hand_over", first, first)


@pytest.mark.parametrize("name", ["remove", "demote"])
def test_of_two_administrators_who_oust_each_other_at_the_same_moment_one_stays(house: House, name: str) -> None:
    for attempt in range(5):
        fo = f"{attempt}234567-1"
        pair = house.people(f"aino{attempt}", f"bertil{attempt}", fo_nummer=fo)
        house.give(pair[1], fo, administrator=True)
        key = house.key(fo)
        start = Barrier(2)

        def oust(actor: Account, other: Account, key: str = key, start: Barrier = start) -> bool:
            start.wait()
            try:
                act(house, name, actor, other, key)
            except rights.Forbidden:
                return False
            return True

        with ThreadPoolExecutor(2) as threads:
            done = list(threads.map(oust, pair, pair[::-1]))
        assert sorted(done) == [False, True]
        assert len(house.administrators(fo)) == 1


def test_of_two_administrators_who_leave_at_the_same_moment_one_stays(house: House) -> None:
    pair = house.people("aino", "bertil")
    house.give(pair[1], administrator=True)
    key = house.key()
    start = Barrier(2)

    def leave(account: Account) -> bool:
        start.wait()
        try:
            act(house, "remove", account, account, key)
        except rights.LastAdministrator:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(leave, pair)) == [False, True]
    assert len(house.administrators()) == 1


def test_a_user_lets_another_existing_user_see_what_they_see(house: House) -> None:
    _, second = house.people("aino", "bertil")
    house.give(second, invoices="write")
    other = house.person("cecilia")
    share(house, second, "CECILIA", "cecilia@EXAMPLE.com", READER | {"invoices": "read"})
    right = house.right(other)
    assert right is not None
    assert (right.levels, right.administrator) == (READER | {"invoices": "read"}, False)
    assert right.customer_numbers == ("1001",)
    assert house.mail() == [(other.id, "rights_given")]
    assert house.trail() == [("rights_given", second.id, other.id)]


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
    house: House, user_name: str, email: str
) -> None:
    _, second = house.people("aino", "bertil")
    house.person("cecilia")
    with pytest.raises(rights.NoSuchUser):
        share(house, second, user_name, email, READER)
    assert house.trail() == []


@pytest.mark.parametrize("user_name", ["cecilia", "nobody"])
def test_nobody_lets_another_see_more_than_they_do(house: House, user_name: str) -> None:
    _, second = house.people("aino", "bertil")
    house.person("cecilia")
    with pytest.raises(rights.AboveOwnLevel) as refusal:
        share(house, second, user_name, "cecilia@example.com", READER | {"contracts": "read"})
    assert refusal.value.section == "contracts"


def test_to_let_another_see_nothing_is_refused(house: House) -> None:
    _, second = house.people("aino", "bertil")
    house.person("cecilia")
    with pytest.raises(rights.NothingGiven):
        share(house, second, "cecilia", "cecilia@example.com", NONE)


def test_who_does_not_represent_the_company_shares_nothing_of_it(house: House) -> None:
    house.people("aino")
    stranger, _ = house.person("bertil"), house.person("cecilia")
    with pytest.raises(rights.Forbidden):
        share(house, stranger, "cecilia", "cecilia@example.com", READER)


def test_sharing_takes_nothing_from_who_has_more_already(house: House) -> None:
    first, second, third = house.people("aino", "bertil", "cecilia")
    house.give(third, consumption="write", contracts="write")
    with house.database.write() as tx:
        tx.add(CustomerNumber(account_id=third.id, fo_nummer=FO, customer_number="1009"))
    share(house, second, "cecilia", "cecilia@example.com", READER)
    assert house.levels(third) == NONE | {"consumption": "write", "contracts": "write"}
    share(house, second, "aino", "aino@example.com", READER)
    assert house.administrators() == {first.id}
    assert house.mail() == house.trail() == []


def test_the_users_of_a_company_are_shown_to_who_may_see_them(house: House) -> None:
    first, second = house.people("aino", "bertil")
    with house.database.read() as tx:
        right, users = rights.users_of(tx, first.id, house.key())
        assert right.administrator
        assert [(user.user_name, user.last_administrator, user.since) for user in users] == [
            ("aino", True, NOW),
            ("bertil", False, NOW),
        ]
        with pytest.raises(rights.Forbidden):
            rights.users_of(tx, second.id, house.key())
    house.give(second, users="read")
    with house.database.read() as tx:
        assert len(rights.users_of(tx, second.id, house.key())[1]) == 2


def test_rights_are_listed_by_company(house: House) -> None:
    (first,) = house.people("aino", fo_nummer=OTHER_FO)
    house.people("bertil")
    house.join(first, number="1002")
    with house.database.read() as tx:
        found = rights.rights_of(tx, first.id)
    assert [(right.fo_nummer, right.administrator, right.customer_numbers) for right in found] == [
        (FO, False, ("1002",)),
        (OTHER_FO, True, ("1001",)),
    ]


def test_the_trail_keeps_what_was_given_and_no_name(house: House) -> None:
    first, second = house.people("aino", "bertil")
    act(house, "appoint", first, second)
    with house.database.read() as tx:
        (record,) = tx.scalars(select(AuditRecord))
    assert record.fo_nummer == FO
    assert record.details == ALL | {"administrator": "yes"}
