"""Signing in by user name and password: what is counted, what is not, and that nobody learns who is registered."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from kit.serving.networks import network_of, networks_of
from registration.accounts import sign_in
from registration.accounts.passwords import Passwords
from registration.accounts.sign_in import KNOWN_FOR, Refused, TooMany, check
from registration.database.models import Account, Tries
from tests.harness.registration_api import NOW, OTHER, OWNER, PASSWORD, ApiHarness


def tried(api: ApiHarness, times: int, user_name: str = "Aino", address: str = OWNER) -> list[Any]:
    """The outcomes of wrong tries."""
    return [check(api.service, user_name, "wrong", address) for _ in range(times)]


def test_the_owner_signs_in_and_the_audit_trail_tells_how(api: ApiHarness) -> None:
    account = api.person()
    found = check(api.service, "Aino", PASSWORD, OWNER)
    assert isinstance(found, Account)
    assert found.id == account.id
    assert check(api.service, " AINO", PASSWORD, OWNER, by="online_service:portal") != Refused()
    records = api.audited("signed_in")
    assert [(r.actor, r.subject, r.details) for r in records] == [
        (account.id, account.id, {"by": "password"}),
        (account.id, account.id, {"by": "online_service:portal"}),
    ]


def test_a_wrong_password_and_an_unknown_user_name_are_the_same_refusal(api: ApiHarness) -> None:
    api.person()
    assert check(api.service, "Aino", "wrong", OWNER) == Refused()
    assert check(api.service, "nobody", PASSWORD, OWNER) == Refused()
    assert not api.audited("signed_in")


def test_a_password_is_right_in_every_unicode_form(api_on_sqlite: ApiHarness) -> None:
    api_on_sqlite.person(password="Ångström 1")
    assert isinstance(check(api_on_sqlite.service, "aino", "A\u030angstro\u0308m 1", OWNER), Account)


def test_an_unknown_user_name_costs_the_same_statements_and_one_verification(
    api: ApiHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.person()
    verified: list[str | bytes] = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", lambda *args: verified.append(args[1]) or verify(*args))
    tried(api, 1, "somebody", OTHER)  # makes the row of the address
    verified.clear()
    kinds: dict[str, list[list[str]]] = {"Aino": [], "nobody": []}
    for user_name in kinds:
        for _ in range(3):
            with api.counted() as statements:
                assert check(api.service, user_name, "wrong", OTHER) == Refused()
            kinds[user_name].append([statement.split()[0] for statement in statements])
        assert len(verified) == 3
        assert len({str(one).split("$")[3] for one in verified}) == 1  # the same parameters
        verified.clear()
    assert kinds["Aino"] == kinds["nobody"]
    assert kinds["Aino"][0].count("INSERT") == 3, "of the pair, of the address and of the user name"


def test_the_eleventh_wrong_try_of_a_user_name_from_an_address_must_wait(api: ApiHarness) -> None:
    api.person()
    assert tried(api, 10) == [Refused()] * 10
    assert check(api.service, "AINO", PASSWORD, OWNER) == TooMany(900)
    assert isinstance(check(api.service, "Aino", PASSWORD, OTHER), Account)
    api.clock.now = NOW + 899
    assert check(api.service, "Aino", PASSWORD, OWNER) == TooMany(1)
    api.clock.now = NOW + 900
    assert isinstance(check(api.service, "Aino", PASSWORD, OWNER), Account)


def test_too_many_tries_of_an_unknown_user_name_are_answered_alike(api: ApiHarness) -> None:
    assert tried(api, 10, "nobody") == [Refused()] * 10
    assert check(api.service, "nobody", PASSWORD, OWNER) == TooMany(900)


def test_what_is_one_try_too_many_is_not_verified(api_on_sqlite: ApiHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    tried(api_on_sqlite, 10)
    monkeypatch.setattr(Passwords, "verify", None)
    assert tried(api_on_sqlite, 1) == [TooMany(900)]


def test_an_address_has_a_hundred_wrong_tries_over_all_user_names(api_on_sqlite: ApiHarness) -> None:
    api_on_sqlite.person()
    for number in range(100):
        assert tried(api_on_sqlite, 1, f"name-{number}") == [Refused()]
    assert tried(api_on_sqlite, 1, "one-more") == [TooMany(900)]
    assert check(api_on_sqlite.service, "Aino", PASSWORD, OWNER) == TooMany(900)
    assert isinstance(check(api_on_sqlite.service, "Aino", PASSWORD, OTHER), Account)


def test_the_addresses_of_one_ipv6_network_count_as_one(api_on_sqlite: ApiHarness) -> None:
    for number in range(10):
        assert tried(api_on_sqlite, 1, address=f"2001:db8:1:2::{number}") == [Refused()]
    assert tried(api_on_sqlite, 1, address="2001:db8:1:2:ffff::1") == [TooMany(900)]
    assert tried(api_on_sqlite, 1, address="2001:db8:1:3::1") == [Refused()]


def test_what_is_no_address_is_never_everybodys_address(api_on_sqlite: ApiHarness, monkeypatch: Any) -> None:
    monkeypatch.setattr(sign_in, "PER_ADDRESS", 3)
    for number, address in enumerate((None, "", "unix") * 3):
        assert check(api_on_sqlite.service, f"person {number}", "wrong", address) == Refused()
    for number in range(3):
        assert check(api_on_sqlite.service, f"person {number}", "wrong", "192.0.2.200") == Refused()
    assert check(api_on_sqlite.service, "person", "wrong", "192.0.2.200") == TooMany(900)


def test_an_ipv6_site_has_ten_times_the_wrong_tries_of_a_network(
    api_on_sqlite: ApiHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "PER_ADDRESS", 2)
    names = (f"name-{number}" for number in range(50))
    for network in range(20):
        assert tried(api_on_sqlite, 1, next(names), f"2001:db8:1:{network:x}::1") == [Refused()]
    assert tried(api_on_sqlite, 1, next(names), "2001:db8:1:99::1") == [TooMany(900)]
    assert tried(api_on_sqlite, 1, next(names), "2001:db8:2:99::1") == [Refused()]
    assert networks_of("2001:db8:1:2::3") == ("2001:db8:1:2::/64", "2001:db8:1::/48")
    assert networks_of("192.0.2.1") == ("192.0.2.1",)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("192.0.2.1:80", None),
        ("", None),
        ("unix", None),
    ],
)
def test_what_an_address_is_counted_by(address: str, network: str | None) -> None:
    assert network_of(address) == network


def test_a_user_name_is_counted_where_no_address_is_known(api_on_sqlite: ApiHarness) -> None:
    for address in (None, "", "unix") * 3:
        assert check(api_on_sqlite.service, "Aino", "wrong", address) == Refused()
    assert tried(api_on_sqlite, 2, address="?") == [Refused(), TooMany(900)]


def over_all_addresses(api: ApiHarness, tries: int, user_name: str = "Aino") -> list[Any]:
    """Wrong tries from ever new addresses."""
    return [tried(api, 1, user_name, f"203.0.{n >> 8}.{n & 255}")[0] for n in range(tries)]


def test_a_user_name_has_a_hundred_wrong_tries_a_day_over_all_addresses(api_on_sqlite: ApiHarness) -> None:
    api_on_sqlite.person()
    assert over_all_addresses(api_on_sqlite, 100) == [Refused()] * 100
    assert check(api_on_sqlite.service, "Aino", PASSWORD, OWNER) == TooMany(86_400)
    api_on_sqlite.clock.now += 86_400
    assert isinstance(check(api_on_sqlite.service, "Aino", PASSWORD, OWNER), Account)


def test_an_unknown_user_name_has_as_many(api_on_sqlite: ApiHarness) -> None:
    assert over_all_addresses(api_on_sqlite, 101, "nobody") == [Refused()] * 100 + [TooMany(86_400)]


def test_nobody_can_lock_the_owner_out_where_they_have_signed_in_before(api_on_sqlite: ApiHarness) -> None:
    api = api_on_sqlite
    api.person()
    assert isinstance(check(api.service, "Aino", PASSWORD, OWNER), Account)
    over_all_addresses(api, 100)
    assert tried(api, 1, address=OTHER) == [TooMany(86_400)]
    assert isinstance(check(api.service, "Aino", PASSWORD, OWNER), Account)


def test_an_address_that_is_known_to_one_owner_is_not_known_to_another(api_on_sqlite: ApiHarness) -> None:
    api_on_sqlite.person()
    api_on_sqlite.person("Eino")
    assert isinstance(check(api_on_sqlite.service, "Eino", PASSWORD, OWNER), Account)
    over_all_addresses(api_on_sqlite, 100)
    assert check(api_on_sqlite.service, "Aino", PASSWORD, OWNER) == TooMany(86_400)


def test_an_address_is_known_for_ninety_days_after_the_last_time(api_on_sqlite: ApiHarness) -> None:
    api = api_on_sqlite
    api.person()
    check(api.service, "Aino", PASSWORD, OWNER)
    api.clock.now += KNOWN_FOR - 1
    check(api.service, "Aino", PASSWORD, OWNER)
    api.clock.now += KNOWN_FOR - 1
    over_all_addresses(api, 100)
    assert isinstance(check(api.service, "Aino", PASSWORD, OWNER), Account)
    api.clock.now += KNOWN_FOR
    over_all_addresses(api, 100)
    assert check(api.service, "Aino", PASSWORD, OWNER) == TooMany(86_400)


def test_wrong_tries_alone_make_no_address_known(api_on_sqlite: ApiHarness) -> None:
    api_on_sqlite.person()
    tried(api_on_sqlite, 5)
    over_all_addresses(api_on_sqlite, 95)
    assert check(api_on_sqlite.service, "Aino", PASSWORD, OWNER) == TooMany(86_400)


def test_success_lets_the_pair_begin_anew_and_nothing_else(api_on_sqlite: ApiHarness) -> None:
    api = api_on_sqlite
    api.person()
    tried(api, 9)
    assert isinstance(check(api.service, "Aino", PASSWORD, OWNER), Account)
    assert tried(api, 11) == [Refused()] * 10 + [TooMany(900)]
    for number in range(81):
        assert tried(api, 1, f"name-{number}") == [Refused()]
    assert tried(api, 1, "one-more") == [TooMany(900)], "19 tries of Aino, 81 of others"


def test_what_was_right_counts_nowhere(api_on_sqlite: ApiHarness) -> None:
    api = api_on_sqlite
    api.person()
    for number in range(101):
        assert isinstance(check(api.service, "Aino", PASSWORD, f"203.0.113.{number}"), Account)
        assert isinstance(check(api.service, "Aino", PASSWORD, OWNER), Account)


def test_a_try_that_is_not_verified_uses_up_no_other(api_on_sqlite: ApiHarness) -> None:
    api = api_on_sqlite
    api.person()
    over_all_addresses(api, 100)
    for _ in range(20):
        assert check(api.service, "Aino", PASSWORD, OWNER) == TooMany(86_400)
    api.clock.now += 86_400
    assert isinstance(check(api.service, "Aino", PASSWORD, OWNER), Account)


def test_of_many_at_the_same_moment_ten_are_verified(api: ApiHarness) -> None:
    api.person()
    outcomes: list[Any] = []
    threads = [threading.Thread(target=lambda: outcomes.extend(tried(api, 3))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(Refused()) == 10
    assert outcomes.count(TooMany(900)) == 14


def test_a_hash_of_former_parameters_is_made_anew(api: ApiHarness) -> None:
    former = Passwords(2, 16, 1)
    account = api.person(password_hash=former.hash(PASSWORD))
    assert check(api.service, "Aino", "wrong", OWNER) == Refused()
    assert stored(api, account).password_hash == account.password_hash
    assert isinstance(check(api.service, "Aino", PASSWORD, OWNER), Account)
    new = stored(api, account).password_hash
    assert not api.service.passwords.is_outdated(new)
    assert api.service.passwords.verify(PASSWORD, new)
    assert isinstance(check(api.service, "Aino", PASSWORD, OWNER), Account)
    assert stored(api, account).password_hash == new


def test_a_password_that_is_changed_meanwhile_stays_changed(api: ApiHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    account = api.person(password_hash=Passwords(2, 16, 1).hash(PASSWORD))
    changed = api.service.passwords.hash("Another 1 word")

    def hash_meanwhile(_self: Passwords, _password: str) -> str:
        with api.database.write() as transaction:
            transaction.get_one(Account, account.id).password_hash = changed
        return "the former password, hashed anew"

    monkeypatch.setattr(Passwords, "hash", hash_meanwhile)
    check(api.service, "Aino", PASSWORD, OWNER)
    assert stored(api, account).password_hash == changed


def stored(api: ApiHarness, account: Account) -> Account:
    with api.database.read() as transaction:
        return transaction.get_one(Account, account.id)


def test_whatever_is_typed_is_refused_and_never_an_error(api: ApiHarness) -> None:
    api.person()
    for text in ("", "\0", "a\0b", "\ud800", "x" * 3000, "\ufdfa" * 400, "İ", "' OR 1=1 --"):
        assert check(api.service, text, PASSWORD, OWNER) == Refused()
        assert check(api.service, "Aino", text, OWNER) == Refused()


def test_the_database_tells_neither_user_names_nor_addresses_that_were_tried(api_on_sqlite: ApiHarness) -> None:
    api_on_sqlite.person()
    check(api_on_sqlite.service, "Aino", PASSWORD, OWNER)
    tried(api_on_sqlite, 1)
    with api_on_sqlite.database.read() as transaction:
        ids = list(transaction.scalars(select(Tries.id)))
    assert len(ids) == 4
    assert all(len(id) == 64 and set(id) <= set("0123456789abcdef") for id in ids)
    other = [network_of(OWNER) or "", "aino"]
    assert not {
        api_on_sqlite.service.keys.keyed_digest(*parts) for parts in (other, other[::-1], other[:1], other[1:])
    } & set(ids)
