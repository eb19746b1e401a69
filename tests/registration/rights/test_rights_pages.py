"""The pages of rights in the real application: what they show, what they change, and for whom they are closed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import html5lib
import pytest
from flask import Flask

from registration.accounts import limits
from registration.accounts.person import right_facts
from registration.database.models import Account
from registration.rights import lookup
from registration.rights_pages.sharing import NO_SUCH_USER, SHARE_TRIES
from tests.harness.registration_rights import (
    ALL,
    NONE,
    NOW,
    OTHER_FO,
    READER,
    Browser,
    Harness,
    open_app,
    open_harness,
    sign_in,
)

Enter = Callable[[Account], Browser]
NOWHERE = "0" * 32


@pytest.fixture
def harness(sqlite_tables: str) -> Iterator[Harness]:
    harness = open_harness(sqlite_tables)
    yield harness
    harness.database.close()


@pytest.fixture
def app(opened_app: Callable[[str], Flask], sqlite_tables: str) -> Flask:
    return opened_app(sqlite_tables)


@pytest.fixture
def enter(harness: Harness, app: Flask) -> Enter:
    """A signed-in browser of an account."""
    return lambda account: sign_in(harness, app, account)


def users(harness: Harness, *more: str, fo_nummer: str = "1234567-1") -> str:
    """An address below a company's users."""
    return "/".join(["/companies", harness.key(fo_nummer), "users", *more])


def masked(text: str, *ids: str) -> str:
    """A page without what its reader has typed, and without the form's token, which holds the time."""
    text = re.sub(r'name="csrf_token" value="[^"]+"', "", text)
    for id in ids:
        text = text.replace(id, "x")
    return text


def test_my_rights_show_companies_levels_numbers_and_since_when(harness: Harness, enter: Enter) -> None:
    first, _ = harness.people("aino", "bertil")
    harness.join(harness.person("cecilia"), OTHER_FO)
    harness.join(first, OTHER_FO, number="2002")
    page = enter(first).get("/rights")
    assert page.status_code == 200
    for text in ("Företag 123 Ab", "Företag 999 Ab", "1001", "2002", "Administrator", "Consumption: Read-only"):
        assert text in page.text
    assert users(harness) in page.text
    assert users(harness, fo_nummer=OTHER_FO) + '"' not in page.text
    assert page.text.count("/share") == 2


def test_who_has_no_rights_is_told_so(harness: Harness, enter: Enter) -> None:
    page = enter(harness.person("aino")).get("/rights")
    assert "You have no access rights at the moment" in page.text
    assert "Go to the Online service" not in page.text


def test_whoever_is_not_signed_in_is_led_to_sign_in(harness: Harness, app: Flask) -> None:
    (first,) = harness.people("aino")
    for path in ("/rights", users(harness), users(harness, first.id), users(harness, first.id, "remove")):
        assert app.test_client().get(path).status_code == 401


def test_the_list_of_users_shows_name_user_name_rights_and_since_when(harness: Harness, enter: Enter) -> None:
    first, second = harness.people("aino", "bertil")
    page = enter(first).get(users(harness))
    assert page.status_code == 200
    rows = re.findall(r"<tr>.*?</tr>", page.text, re.DOTALL)[1:]
    assert len(rows) == 2
    for text in ("Aino Testinen", "You", "Administrator", "must have at least one administrator"):
        assert text in rows[0]
    assert f"/{first.id}" not in page.text  # nothing of the last administrator can be changed
    for text in ("Bertil Testinen", "bertil", "Consumption: Read-only", f"{second.id}/remove", 'data-label="Username"'):
        assert text in rows[1]
    assert re.search(r'data-label="User since">\d{1,2} [A-Z][a-z]+ \d{4}\s', rows[1])


def test_who_may_only_see_users_finds_nothing_to_change(harness: Harness, enter: Enter) -> None:
    _, second = harness.people("aino", "bertil")
    harness.give(second, users="read")
    page = enter(second).get(users(harness))
    assert page.status_code == 200
    assert "Change access rights" not in page.text
    assert "Remove user" not in page.text


def test_the_pages_have_titles_of_their_own_and_parse(harness: Harness, enter: Enter) -> None:
    first, second = harness.people("aino", "bertil")
    browser = enter(first)
    paths = ["/rights", users(harness), users(harness, second.id), users(harness, second.id, "remove")]
    paths += [users(harness, second.id, "administrator"), f"/companies/{harness.key()}/share"]
    paths += [users(harness, first.id, "remove")]
    titles = set()
    for path in paths:
        page = browser.get(path)
        html5lib.HTMLParser(strict=True).parse(page.text)
        assert page.text.count("<h1>") == 1
        titles.add(re.findall("<title>(.*)</title>", page.text)[0])
    assert len(titles) == len(paths)


def test_an_administrator_changes_a_users_sections(harness: Harness, enter: Enter) -> None:
    first, second = harness.people("aino", "bertil")
    browser = enter(first)
    answer = browser.post(users(harness, second.id), NONE | {"invoices": "write"})
    assert (answer.status_code, answer.location) == (303, users(harness))
    assert harness.levels(second) == NONE | {"invoices": "write"}
    page = browser.get(users(harness))
    assert "The access rights were changed." in page.text
    assert "The access rights were changed." not in browser.get(users(harness)).text


def test_a_section_that_is_not_sent_stays_as_it_is(harness: Harness, enter: Enter) -> None:
    first, second = harness.people("aino", "bertil")
    enter(first).post(users(harness, second.id), {"invoices": "read"})
    assert harness.levels(second) == READER | {"invoices": "read"}


def test_a_level_that_there_is_not_is_refused(harness: Harness, enter: Enter) -> None:
    first, second = harness.people("aino", "bertil")
    assert enter(first).post(users(harness, second.id), NONE | {"users": "all"}).status_code == 422
    assert harness.levels(second) == READER


def test_fields_that_a_form_does_not_have_change_nothing(harness: Harness, enter: Enter) -> None:
    first, second = harness.people("aino", "bertil")
    more = {"administrator": "1", "fo_nummer": OTHER_FO, "account_id": first.id, "since": "1", "given_by": "x"}
    enter(first).post(users(harness, second.id), READER | {"contracts": "read"} | more)
    right = harness.right(second)
    assert right is not None
    assert (right.administrator, right.levels, right.since) == (False, READER | {"contracts": "read"}, NOW)
    other = harness.person("cecilia")
    person_option = {"user_name": "cecilia", "email": "cecilia@example.com"}
    enter(first).post(f"/companies/{harness.key()}/share", person_option | READER | more | {"customer_number": "666"})
    right = harness.right(other)
    assert right is not None
    assert (right.administrator, right.levels, right.customer_numbers) == (False, READER, ("1001",))
    assert harness.right(other, OTHER_FO) is None
    assert harness.administrators() == {first.id}


def test_who_manages_users_is_offered_and_allowed_no_more_than_they_hold(harness: Harness, enter: Enter) -> None:
    first, second, third = harness.people("aino", "bertil", "cecilia")
    harness.give(second, users="write")
    browser = enter(second)
    page = browser.get(users(harness, third.id))
    options = re.findall(r'<select[^>]* name="(\w+)".*?</select>', page.text, re.DOTALL)
    assert options == ["consumption", "contracts", "invoices", "users"]
    assert page.text.count("<option") == 2 + 1 + 1 + 3
    answer = browser.post(users(harness, third.id), READER | {"contracts": "write"})
    assert answer.status_code == 422
    assert "more access than you have" in answer.text
    assert "<title>Error: " in answer.text
    assert harness.levels(third) == READER
    for path in (
        users(harness, first.id),
        users(harness, third.id, "remove"),
        users(harness, third.id, "administrator"),
    ):
        assert browser.get(path).status_code == 403
        assert browser.post(path, NONE | {"role": "add"}).status_code == 403


def test_a_removal_asks_first(harness: Harness, enter: Enter) -> None:
    first, second = harness.people("aino", "bertil")
    browser = enter(first)
    assert browser.get(users(harness, second.id, "remove")).status_code == 200
    assert harness.right(second) is not None
    assert browser.post(users(harness, second.id, "remove"), {}).location == users(harness)
    assert harness.right(second) is None


def test_a_user_gives_up_their_own_rights(harness: Harness, enter: Enter) -> None:
    _, second = harness.people("aino", "bertil")
    browser = enter(second)
    assert "Give up my access rights" in browser.get(users(harness, second.id, "remove")).text
    answer = browser.post(users(harness, second.id, "remove"), {})
    assert (answer.status_code, answer.location) == (303, "/rights")
    assert "You no longer have access" in browser.get("/rights").text
    assert harness.right(second) is None


def test_the_last_administrator_cannot_go_and_is_told_why(harness: Harness, enter: Enter) -> None:
    first, _ = harness.people("aino", "bertil")
    browser = enter(first)
    for last in ("remove", "administrator"):
        path = users(harness, first.id, last)
        for answer in (browser.get(path), browser.post(path, {"role": "take"})):
            assert answer.status_code == 409
            assert "Make another user an administrator first." in answer.text
    assert harness.administrators() == {first.id}


@pytest.mark.parametrize(("role", "left"), [("add", {"aino", "bertil"}), ("hand_over", {"bertil"})])
def test_the_administrators_role_is_shared_or_handed_over(
    harness: Harness, enter: Enter, role: str, left: set[str]
) -> None:
    people = harness.people("aino", "bertil")
    first, second = people
    browser = enter(first)
    path = users(harness, second.id, "administrator")
    assert browser.get(path).status_code == 200
    assert browser.post(path, {"role": role}).location == users(harness)
    assert harness.administrators() == {account.id for account in people if account.user_name in left}


@pytest.mark.parametrize("role", ["", "give", "__class__"])
def test_a_choice_has_to_be_made_about_the_administrators_role(harness: Harness, enter: Enter, role: str) -> None:
    first, second = harness.people("aino", "bertil")
    answer = enter(first).post(users(harness, second.id, "administrator"), {"role": role})
    assert answer.status_code == 422
    assert "Choose who should be an administrator." in answer.text
    assert harness.administrators() == {first.id}


def test_an_administrator_takes_the_role_from_another(harness: Harness, enter: Enter) -> None:
    first, second = harness.people("aino", "bertil")
    harness.give(second, administrator=True, **ALL)
    browser = enter(first)
    path = users(harness, second.id, "administrator")
    assert "Take away administrator rights" in browser.get(path).text
    browser.post(path, {"role": "take"})
    assert harness.administrators() == {first.id}


def everything_of(harness: Harness, people: list[Account]) -> list[tuple[object, ...]]:
    """What people hold of the other company."""
    rights = [harness.right(person, OTHER_FO) for person in people]
    return [(right_facts(right), right.given_by, right.ends_at) for right in rights if right]


PATHS = ["users", "users/{0}", "users/{0}/remove", "users/{0}/administrator", "share"]


@pytest.mark.parametrize("path", PATHS)
def test_a_foreign_company_and_an_unknown_one_give_the_same_page_and_change_nothing(
    harness: Harness, enter: Enter, path: str
) -> None:
    first, _ = harness.people("aino", "bertil")
    others = harness.people("cecilia", "daniel", fo_nummer=OTHER_FO)
    browser = enter(first)
    keys = [harness.key(OTHER_FO), NOWHERE, "no-such-company"]
    before = everything_of(harness, others)
    fields = NONE | {"role": "add", "user_name": "aino", "email": "aino@example.com"}
    places = {key: f"/companies/{key}/{path.format(others[1].id)}" for key in keys}
    pages = {masked(browser.get(place).text, key) for key, place in places.items()}
    assert len(pages) == 1
    for place in places.values():
        assert browser.get(place).status_code == 403
        assert browser.post(place, fields).status_code in {403, 405}
    if path != "users":
        assert len({masked(browser.post(place, fields).text, key) for key, place in places.items()}) == 1
    assert everything_of(harness, others) == before


@pytest.mark.parametrize("path", PATHS[1:4])
def test_a_user_of_another_company_and_an_unknown_one_give_the_same_page(
    harness: Harness, enter: Enter, path: str
) -> None:
    first, _ = harness.people("aino", "bertil")
    stranger, other = harness.people("cecilia", "daniel", fo_nummer=OTHER_FO)
    browser = enter(first)
    ids = [stranger.id, other.id, NOWHERE]
    places = {id: f"/companies/{harness.key()}/{path.format(id)}" for id in ids}
    for send in (browser.get, lambda place: browser.post(place, NONE | {"role": "add"})):
        answers = {id: send(place) for id, place in places.items()}
        assert {answer.status_code for answer in answers.values()} == {403}
        assert len({masked(answer.text, id) for id, answer in answers.items()}) == 1
    assert harness.levels(other, OTHER_FO) == READER


@pytest.mark.parametrize("path", PATHS[:4])
def test_a_user_without_rights_to_users_reaches_none_of_their_pages(harness: Harness, enter: Enter, path: str) -> None:
    first, second, third = harness.people("aino", "bertil", "cecilia")
    browser = enter(second)
    for other in (first, third):
        place = f"/companies/{harness.key()}/{path.format(other.id)}"
        assert browser.get(place).status_code == 403
        assert browser.post(place, NONE | {"role": "add"}).status_code in {403, 405}
    assert harness.trail() == []


def test_an_id_that_is_none_of_ours_is_forbidden_like_any_other(tmp_path: Path, database_url: str) -> None:
    harness, app = open_harness(database_url), open_app(tmp_path, database_url)
    (first,) = harness.people("aino")
    browser = sign_in(harness, app, first)
    for strange in ("%00", "a%00b", "x" * 5000, "%ED%A0%80", "..%5c"):
        assert browser.get(f"/companies/{strange}/users").status_code == 403
        assert browser.get(users(harness, strange)).status_code == 403
    for database in (harness.database, app.extensions["registration"].database):
        database.close()


@pytest.mark.parametrize("level", ["none", "read"])
def test_who_may_not_change_users_is_not_shown_how(harness: Harness, enter: Enter, level: str) -> None:
    _, second = harness.people("aino", "bertil")
    harness.give(second, users=level)
    assert enter(second).get(users(harness, second.id)).status_code == 403


@pytest.mark.parametrize("path", PATHS[1:])
def test_a_form_without_its_token_changes_nothing(harness: Harness, enter: Enter, path: str) -> None:
    first, second = harness.people("aino", "bertil")
    harness.person("cecilia")
    browser = enter(first)
    fields = NONE | {"role": "add", "user_name": "cecilia", "email": "cecilia@example.com", "invoices": "read"}
    answer = browser.client.post(f"/companies/{harness.key()}/{path.format(second.id)}", data=fields)
    assert answer.status_code == 400
    assert harness.trail() == []


def test_a_user_lets_another_one_see_the_data(harness: Harness, enter: Enter) -> None:
    _, second = harness.people("aino", "bertil")
    other = harness.person("cecilia")
    browser = enter(second)
    path = f"/companies/{harness.key()}/share"
    assert browser.get(path).text.count("<option") == 2 + 1 + 1 + 1
    person_option = {"user_name": " Cecilia ", "email": "cecilia@Example.com"}
    assert browser.post(path, person_option | READER).location == "/rights"
    assert "The other user now has the access rights you chose." in browser.get("/rights").text
    assert harness.levels(other) == READER


@pytest.mark.parametrize("year", [2030, 2999, 9999])
def test_the_last_day_is_the_one_that_was_given_however_far_it_is(harness: Harness, enter: Enter, year: int) -> None:
    first, *_ = harness.people("aino", "bertil")
    other = harness.person("cecilia")
    whom = {"user_name": "cecilia", "email": "cecilia@example.com", "ends": f"31.12.{year}"}
    assert enter(first).post(f"/companies/{harness.key()}/share", READER | whom).location == "/rights"
    for page in (enter(other).get("/rights"), enter(first).get(users(harness))):
        assert (page.status_code, f"Last day: 31 December {year}" in page.text) == (200, True)


@pytest.mark.parametrize(
    ("levels", "message"),
    [(NONE, "Choose at least one access right."), (READER | {"invoices": "write"}, "more access than you have")],
)
def test_what_may_not_be_shared_is_said_at_its_field_and_is_no_wrong_try(
    harness: Harness, enter: Enter, levels: dict[str, str], message: str
) -> None:
    _, second = harness.people("aino", "bertil")
    harness.person("cecilia")
    browser = enter(second)
    person_option = {"user_name": "cecilia", "email": "cecilia@example.com"}
    for _ in range(SHARE_TRIES + 1):
        answer = browser.post(f"/companies/{harness.key()}/share", person_option | levels)
        assert answer.status_code == 422
        assert message in answer.text
        assert 'value="cecilia@example.com"' in answer.text


def test_wrong_user_names_and_addresses_get_one_and_the_same_answer_five_times_a_day(
    harness: Harness, enter: Enter
) -> None:
    first, second = harness.people("aino", "bertil")
    harness.person("cecilia")
    browser, path = enter(second), f"/companies/{harness.key()}/share"
    wrong = [("cecilia", "nobody@example.com"), ("nobody", "cecilia@example.com"), ("nobody", "nobody@example.com")]
    wrong += [("bertil", "bertil@example.com"), ("aino", "cecilia@example.com")]
    assert len(wrong) == SHARE_TRIES
    seen = set()
    for user_name, email in wrong:
        answer = browser.post(path, READER | {"user_name": user_name, "email": email})
        assert answer.status_code == 422
        assert NO_SUCH_USER in answer.text
        seen.add(masked(answer.text, f'value="{user_name}"', f'value="{email}"'))
    assert len(seen) == 1
    right = READER | {"user_name": "cecilia", "email": "cecilia@example.com"}
    answer = browser.post(path, right)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) == limits.DAY
    assert enter(first).post(path, right).status_code == 303


def test_right_tries_are_not_counted(harness: Harness, enter: Enter) -> None:
    _, second = harness.people("aino", "bertil")
    browser = enter(second)
    for number in range(SHARE_TRIES + 2):
        harness.person(f"person{number}")
        person_option = {"user_name": f"person{number}", "email": f"person{number}@example.com"}
        assert browser.post(f"/companies/{harness.key()}/share", READER | person_option).status_code == 303


def test_a_company_of_many_users_has_pages_administrators_first(
    harness: Harness, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "USERS_OF_A_PAGE", 3)
    first, *_ = harness.people(*(f"person{number}" for number in range(8)))
    browser, seen, path = enter(first), [], users(harness)
    for _ in range(3):
        page = browser.get(path).text
        seen.append(re.findall(r"<td[^>]*>(person\d)</td>", page))
        link = re.search(r'href="([^"]+)" rel="nofollow next"', page)
        path = link[1] if link else ""
    assert path == ""
    assert [len(names) for names in seen] == [3, 3, 2]
    assert len({name for names in seen for name in names}) == 8
    assert "person0" in seen[0]
    assert browser.get(f"{users(harness)}?after=%00").status_code == 200
    assert len(re.findall(r"<td[^>]*>(person\d)</td>", browser.get(f"{users(harness)}?after=nobody").text)) == 3
