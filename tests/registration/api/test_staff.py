"""The staff API: who may ask, what is found and shown, and that it stays bounded."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from sqlalchemy import event

from registration.database.connection import digest
from registration.database.models import Customer, OutboxEntry, Session
from tests.harness.registration_api import ISSUER, NOW, ApiHarness, basic

FO, OTHER_FO = "1234567-1", "9990001-6"


def company_key(api: ApiHarness, fo_nummer: str = FO) -> str:
    found = api.staff("/search", {"q": fo_nummer}).json["companies"]  # type: ignore[index]
    return next(str(one["key"]) for one in found if one["fo_nummer"] == fo_nummer)


def test_a_member_of_staff_is_named_by_a_digest_of_issuer_and_subject(api_on_sqlite: ApiHarness) -> None:
    account = api_on_sqlite.person()
    assert api_on_sqlite.staff(f"/people/{account.id}").status_code == 200
    (record,) = api_on_sqlite.audited("listed")
    assert record.actor == "staff:" + hashlib.sha256(f"{ISSUER}\nmaija".encode()).hexdigest()[:16]
    assert record.subject == account.id
    assert api_on_sqlite.asks(f"/people/{account.id}").status_code == 200
    assert api_on_sqlite.audited("listed")[1].actor == "client:crm"


@pytest.mark.parametrize(
    ("client_id", "act", "status"),
    [
        ("customer-service", None, 401),
        ("customer-service", {"iss": ISSUER, "sub": "maija", "roles": ["agent"]}, 200),
        ("customer-service", {"iss": ISSUER, "sub": "maija", "roles": ["auditor", "unknown"]}, 200),
        ("customer-service", {"iss": ISSUER, "sub": "maija", "roles": ["unknown"]}, 403),
        ("customer-service", {"iss": ISSUER, "sub": "maija", "roles": []}, 403),
        ("customer-service", {"iss": ISSUER, "sub": "maija"}, 401),
        ("customer-service", {"iss": ISSUER, "sub": "maija", "roles": "agent"}, 401),
        ("customer-service", {"iss": ISSUER, "sub": "maija", "roles": [1]}, 401),
        ("customer-service", {"iss": ISSUER, "sub": "maija", "roles": ["agent"], "email": 1}, 401),
        ("customer-service", {"iss": ISSUER, "roles": ["agent"]}, 401),
        ("customer-service", {"iss": ISSUER, "sub": "", "roles": ["agent"]}, 401),
        ("customer-service", {"iss": ISSUER, "sub": "a\nb", "roles": ["agent"]}, 401),
        ("customer-service", "maija", 401),
        ("crm", {"iss": ISSUER, "sub": "maija", "roles": ["agent"]}, 401),
        ("crm", None, 200),
        ("ec-service", None, 403),
    ],
)
def test_who_may_ask(api_on_sqlite: ApiHarness, client_id: str, act: Any, status: int) -> None:
    assert api_on_sqlite.asks("/search", {"q": "aino"}, client_id, act=act).status_code == status


def test_a_secret_is_not_enough_for_the_staff_api(api_on_sqlite: ApiHarness) -> None:
    api = api_on_sqlite
    assert api.browser.get("/api/staff/acts", headers=basic()).status_code == 401
    assert api.browser.get("/api/staff/acts").status_code == 401
    both = api.by_assertion("crm", "/api/staff/acts") | basic()
    assert api.browser.get("/api/staff/acts", headers=both).status_code == 401


def test_people_and_companies_are_found_by_whatever_staff_know_of_them(api: ApiHarness) -> None:
    aino = api.person("Aino", email="Aino.Ström@Example.fi", given_name="Aino Maria", family_name="Ström")
    api.person("bertil", given_name="Bertil", family_name="Strömberg")
    api.represents(aino, FO, "100001", "100002", administrator=True)
    with api.database.write() as tx:
        tx.add(Customer(customer_number="200001", fo_nummer=OTHER_FO, company_name="Testi-Sähkö Oy"))

    def people(q: str) -> set[str]:
        return {one["user_name"] for one in api.staff("/search", {"q": q}).json["people"]}  # type: ignore[index]

    def companies(q: str) -> list[tuple[str, int]]:
        found = api.staff("/search", {"q": q}).json["companies"]  # type: ignore[index]
        return [(one["fo_nummer"], one["users"]) for one in found]

    for q in (
        "AINO",
        "aino.ström@example.FI",
        "aino.ström＠example.fi",
        "ström aino",
        "Aino Maria STRÖM",
        "100002",
        "10 0002",
    ):
        assert people(q) == {"Aino"}, q
    assert people("ström") == {"Aino", "bertil"}
    assert people("strömb") == {"bertil"}
    assert people("trömberg") == people("%") == people("_") == set()
    for q in ("1234567-1", "FI 12345671", "100001", "bolag 8", "BOLAG"):
        assert companies(q) == [(FO, 1)], q
    for q in ("testisähkö", "Testi-Sähkö Oy", "200001", OTHER_FO):
        assert companies(q) == [(OTHER_FO, 0)], q
    (found,) = api.staff("/search", {"q": "ström aino"}).json["people"]  # type: ignore[index]
    assert found["companies"] == [{"key": company_key(api), "name": "Bolag 8"}]
    assert (found["account_id"], found["email"]) == (aino.id, "Aino.Ström@Example.fi")


def test_a_search_is_bounded_and_says_so(api: ApiHarness) -> None:
    for number in range(21):
        api.represents(api.person(f"user{number}", family_name="Virtanen"), FO, "100001")
    found = api.staff("/search", {"q": "virtanen"}).json
    assert found is not None
    assert (len(found["people"]), found["more"]) == (20, True)


@pytest.mark.parametrize(
    "body", [{}, {"q": ""}, {"q": " "}, {"q": 1}, {"q": "x" * 255}, {"q": "x", "more": 1}, [], "q", {"q": "\u200b"}]
)
def test_what_cannot_be_searched_is_refused(api_on_sqlite: ApiHarness, body: Any) -> None:
    assert api_on_sqlite.staff("/search", body).status_code == 400


def test_a_code_names_who_has_identified(api: ApiHarness) -> None:
    account = api.person()
    for key, sub, account_id in (("a1" * 16, "stranger", None), ("b2" * 16, account.sub, account.id)):
        id = digest(key)
        sealed = api.service.keys.seal(f"session:{id}", [sub, "Cecilia", "Uusi"])
        times = {"identified_at": NOW, "created_at": NOW, "seen_at": NOW, "expires_at": NOW + 3600}
        row = Session(id=id, key=key, account_id=account_id, sub=sub, sealed=sealed, browser="Firefox, Linux", **times)
        with api.database.write() as tx:
            tx.add(row)

    def code(q: str) -> Any:
        return api.staff("/search", {"q": q}).json["code"]  # type: ignore[index]

    facts = {"kind": "registration", "identified_at": NOW, "browser": "Firefox, Linux"}
    assert code("a1a1a1a1") == facts | {"account_id": None, "name": "Cecilia Uusi"}
    assert code("B2B2 B2B2") == facts | {"account_id": account.id, "name": "Åsa Testinen"}
    assert code("c3c3c3c3") is code("a1a1a1a") is None
    api.clock.now += 3600
    assert code("a1a1a1a1") is None


def test_a_company_is_shown_in_pages_administrators_first(api: ApiHarness) -> None:
    for number in range(60):
        one = api.person(f"user{number}", family_name=f"N{number:02}")
        api.represents(one, FO, *(f"1{n:04}" for n in range(number + 1)), administrator=number == 30, given_by=one.id)
    key = company_key(api)
    first = api.staff(f"/companies/{key}").json
    assert first is not None
    second = api.staff(f"/companies/{key}?after={first['next']}").json
    assert second is not None
    assert (first["fo_nummer"], first["name"], first["numbers"], second["next"]) == (FO, "Bolag 8", 60, None)
    assert [len(page["users"]) for page in (first, second)] == [50, 10]
    users = {user["user_name"]: user for user in (*first["users"], *second["users"])}
    assert len(users) == 60
    assert users["user30"] in first["users"]
    names = [user["family_name"] for user in first["users"]]
    assert names == sorted(names)
    shown = users["user59"]
    assert (len(shown["customer_numbers"]), shown["number_count"]) == (50, 60)
    assert shown["given_by"] == {"kind": "user", "account_id": shown["account_id"], "name": "Åsa N59"}
    assert len(api.audited("listed")) == 1, "only the first page is a look"
    assert api.staff("/companies/unknown").status_code == 404
    assert api.staff(f"/companies/{key}?before=1").status_code == 400


def test_a_person_is_shown_with_rights_sessions_and_mail(api: ApiHarness) -> None:
    account = api.person(email_confirmed_at=NOW)
    api.represents(account, FO, "100001", given_by="customer service")
    api.represents(account, OTHER_FO, "200001")
    with api.database.write() as tx:
        mail = {"address": account.email, "locale": "sv", "words": {}, "created_at": NOW, "next_try_at": NOW}
        tx.add(OutboxEntry(id="m", kind="relinked", account_id=account.id, tries=3, **mail))
    shown = api.staff(f"/people/{account.id}").json
    assert shown is not None
    assert shown["mail"] == [{"kind": "relinked", "created_at": NOW, "tries": 3, "sent_at": None}]
    assert {right["fo_nummer"]: right["given_by"]["kind"] for right in shown["rights"]} == {
        FO: "customer_service",
        OTHER_FO: "registration",
    }
    assert (shown["user_name"], shown["email_confirmed_at"], shown["sessions"]) == ("Aino", NOW, 0)
    assert "sub" not in str(shown)
    assert api.staff(f"/people/{'0' * 32}").status_code == 404


def test_the_trail_is_read_by_company_and_by_person_newest_first(api: ApiHarness) -> None:
    account = api.person()
    api.represents(account, FO, "100001")
    key = company_key(api)
    for _ in range(26):
        api.staff(f"/companies/{key}")
        api.staff(f"/people/{account.id}")
    of_company = api.staff(f"/trail?company={key}").json
    of_person = api.staff(f"/trail?account={account.id}").json
    assert of_company is not None
    assert of_person is not None
    assert [record["seq"] for record in of_company["records"]] == list(range(51, 0, -2))
    assert of_company["records"][0]["company"] == {"key": key, "name": "Bolag 8"}
    assert of_person["records"][0]["subject_name"] == "Åsa Testinen"
    assert of_person["records"][0]["actor_name"] is None
    assert of_person["next"] is None
    assert [record["seq"] for record in api.staff(f"/trail?account={account.id}&before=4").json["records"]] == [2]  # type: ignore[index]
    assert api.staff(f"/trail?company={'0' * 32}").json == {"records": [], "next": None}
    assert api.staff("/trail?account=%00").status_code == 400
    for wrong in ("", f"?company={key}&account={account.id}", f"?company={key}&before=x", "?account=&q=1"):
        assert api.staff(f"/trail{wrong}").status_code == 400


def test_no_answer_takes_more_questions_for_more_users(api: ApiHarness) -> None:
    """Bounded by count of statements; bench/staff.py measures what they cost."""
    people = [api.person(f"user{number}") for number in range(30)]
    for one in people:
        api.represents(one, FO, "100001", "100002", given_by=people[0].id)
    key = company_key(api)
    for most, path, body in (
        (16, "/search", {"q": "1234567-1"}),
        (16, "/search", {"q": "testinen"}),
        (16, f"/companies/{key}", None),
        (12, f"/people/{people[0].id}", None),
    ):
        with api.counted() as seen:
            assert api.staff(path, body).status_code == 200
        assert len([one for one in seen if one.startswith(("SELECT", "WITH"))]) <= most, path


def test_every_question_of_a_search_and_a_page_is_of_an_index(api: ApiHarness) -> None:
    """As the database plans it: SQLite by itself, PostgreSQL where it may not read whole tables."""
    account = api.person()
    api.represents(account, FO, "100001")
    key = company_key(api)
    asked: list[tuple[str, tuple[Any, ...]]] = []

    def see(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH")) and not parameters_are_many(parameters):
            asked.append((statement, parameters))

    event.listen(api.database.engine, "before_cursor_execute", see)
    try:
        for q in ("1234567-1", "testinen", "100001", "asa@example.fi", "a1a1a1a1"):
            api.staff("/search", {"q": q})
        api.staff(f"/companies/{key}?after={account.id}")
        api.staff(f"/people/{account.id}")
        api.staff(f"/trail?company={key}")
        api.staff(f"/trail?account={account.id}&before=9")
    finally:
        event.remove(api.database.engine, "before_cursor_execute", see)
    tables = ("account", "company", "customer", "customer_number", "representation", "audit", "session")
    whole = (
        [f"SCAN {name}" for name in tables] if api.database.is_sqlite else [f"Seq Scan on {name}" for name in tables]
    )
    with api.database.engine.connect() as connection:
        if not api.database.is_sqlite:
            connection.exec_driver_sql("SET enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN " if api.database.is_sqlite else "EXPLAIN "
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(explain + statement, parameters)
            lines = [str(row[-1]) for row in rows]
            scans = [
                line
                for line in lines
                if line.rstrip() in whole or line.strip().startswith(tuple(f"{one} " for one in whole))
            ]
            assert [line for line in scans if "USING" not in line] == [], statement


def parameters_are_many(parameters: Any) -> bool:
    """Whether a statement is executed for many rows at once."""
    return isinstance(parameters, list)
