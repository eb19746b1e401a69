"""What staff do: by whom, once, for which reason, and what a second member of staff confirms."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select, update

from registration import cases, customer_register
from registration.api.staff.acts import EXPIRES
from registration.api.staff.table import ACTS, REASONS
from registration.database.connection import digest
from registration.database.models import Account, Customer, OutboxEntry, Representation, Session, StaffAct
from tests.harness.registration_api import NOW, ApiHarness
from tests.registration.api.test_staff import FO, OTHER_FO, company_key

WHY = {"reason": "asked_by_phone", "text": "", "request_id": "0" * 32}


@pytest.fixture
def account(api: ApiHarness) -> Account:
    return person_of(api)


@pytest.fixture
def one(api_on_sqlite: ApiHarness) -> Account:
    return person_of(api_on_sqlite)


def person_of(api: ApiHarness) -> Account:
    """A user of a company who is no administrator; the company has one."""
    api.represents(api.person("head"), FO, "100001", administrator=True)
    account = api.person("bertil", email="bertil@example.com", email_confirmed_at=NOW)
    api.represents(account, FO, "100001")
    with api.database.write() as tx:
        for number in ("100001", "100002"):
            tx.add(Customer(customer_number=number, fo_nummer=FO, company_name="Bolag 8"))
    return account


def identified(api: ApiHarness, key: str = "a1" * 16, given_name: str = "Åsa", family_name: str = "Testinen") -> str:
    """The code of somebody who has identified and has no account."""
    id = digest(key)
    sealed = api.service.keys.seal(f"session:{id}", ["new-sub", given_name, family_name])
    times = {"identified_at": NOW, "created_at": NOW, "seen_at": NOW, "expires_at": NOW + 3600}
    with api.database.write() as tx:
        tx.add(Session(id=id, key=key, sub="new-sub", sealed=sealed, browser="Firefox", **times))
    return key[:8]


def right(api: ApiHarness, account: Account) -> Representation | None:
    with api.database.read() as tx:
        return tx.get(Representation, (account.id, FO))


def rows(api: ApiHarness) -> list[str]:
    with api.database.read() as tx:
        return [row.state for row in tx.scalars(select(StaffAct))]


def test_a_further_customer_number_is_granted_and_the_trail_says_who_and_why(api: ApiHarness, account: Account) -> None:
    more = {"reason": "identified_in_person", "text": "second meter"}
    done = api.act("grant", account_id=account.id, company=company_key(api), customer_numbers=["10 0002"], **more)
    assert (done.status_code, done.json) == (200, {"state": "done"})
    (record,) = api.audited("granted")
    assert record.actor.startswith("staff:")
    assert (record.subject, record.fo_nummer) == (account.id, FO)
    assert record.details.items() >= {"reason": "identified_in_person", "text": "second meter", "new": "no"}.items()
    shown = api.staff(f"/people/{account.id}").json
    assert shown is not None
    assert shown["rights"][0]["customer_numbers"] == ["100001", "100002"]
    assert [mail["kind"] for mail in shown["mail"]] == ["rights_changed"]


def test_a_company_that_nobody_represents_gets_its_first_user(api: ApiHarness, account: Account) -> None:
    with api.database.write() as tx:
        tx.add(Customer(customer_number="200001", fo_nummer=OTHER_FO, company_name="Uusi Oy"))
    first = {"account_id": account.id, "fo_nummer": "99900016", "customer_numbers": ["200001"]}
    assert api.act("grant", **first).json == refused("administrator_needed")
    asked = api.act("grant", **first, administrator=True)
    assert asked.status_code == 202
    (waits,) = api.staff("/acts?state=waiting").json["acts"]  # type: ignore[index]
    assert waits["company"] == {"key": None, "fo_nummer": OTHER_FO, "name": None}
    confirmed = api.staff(f"/acts/{waits['id']}", {"decision": "confirm", "reason": "other", "text": ""}, "pekka")
    assert confirmed.json == {"state": "done"}
    assert api.audited("granted")[0].details["new"] == "yes"


def refused(reason: str) -> dict[str, str]:
    return {"error": "refused", "error_description": "it does not fit what there is", "reason": reason}


def test_each_refusal_has_a_reason_and_changes_nothing(api: ApiHarness, account: Account) -> None:
    key, mine = company_key(api), {"account_id": account.id}
    head = api.staff("/search", {"q": "head"}).json["people"][0]["account_id"]  # type: ignore[index]
    code = identified(api, given_name="Cecilia")
    own = {"account_id": account.id, "code": "ffffffff"}
    for act, arguments, reason in (
        ("grant", {"account_id": "0" * 32, "company": key, "customer_numbers": ["100002"]}, "unknown_user"),
        ("grant", mine | {"company": "0" * 32, "customer_numbers": ["100002"]}, "unknown_company"),
        ("grant", mine | {"company": key, "customer_numbers": ["100009"]}, "not_together"),
        ("grant", mine | {"company": key}, "nothing_to_do"),
        ("grant", mine | {"fo_nummer": OTHER_FO, "administrator": True}, "name_needed"),
        ("grant", mine | {"company": key, "administrator": True, "levels": {"users": "none"}}, "administrator_has_all"),
        ("revoke", {"account_id": head, "company": key}, "last_administrator"),
        ("revoke", mine | {"company": key, "customer_numbers": ["100002"]}, "unknown_number"),
        ("revoke", mine | {"company": key, "customer_numbers": ["100001"]}, "last_number"),
        ("confirmation", mine, "nothing_to_do"),
        ("relink", own, "unknown_code"),
        ("relink", own | {"code": code}, "other_name"),
    ):
        answered = api.act(act, **arguments)
        assert (answered.status_code, answered.json) == (422, refused(reason)), (act, arguments)
    assert rows(api) == []
    assert {event for event in ("granted", "revoked", "relinked", "act_asked") if api.audited(event)} == set()


def test_a_revoked_right_is_on_the_list_of_erasures(api: ApiHarness, account: Account) -> None:
    assert api.act("revoke", account_id=account.id, company=company_key(api)).status_code == 200
    assert right(api, account) is None
    assert api.audited("revoked")[0].details["customer_numbers"] == "all"


def test_the_confirmation_is_sent_again_within_the_limit(api: ApiHarness, account: Account) -> None:
    with api.database.write() as tx:
        tx.get_one(Account, account.id).email_confirmed_at = None
    assert [api.act("confirmation", account_id=account.id).status_code for _ in range(7)] == [200] * 6 + [422]
    with api.database.read() as tx:
        assert [mail.words["company"] for mail in tx.scalars(select(OutboxEntry))] == ["Bolag 8"] * 6
    assert len(api.audited("confirmation_sent")) == 6


def test_all_sessions_of_a_person_end(api: ApiHarness, account: Account) -> None:
    api.browser.post("/sign-in")
    times = {"created_at": NOW, "seen_at": NOW, "expires_at": NOW + 3600}
    with api.database.write() as tx:
        tx.add(Session(id="s", key="k", account_id=account.id, browser="Firefox", **times))
    assert api.act("end_sessions", account_id=account.id).status_code == 200
    with api.database.read() as tx:
        assert tx.get(Session, "s") is None
    assert api.audited("sessions_ended")[0].actor.startswith("staff:")


def test_what_makes_an_administrator_waits_for_another_supervisor(api: ApiHarness, account: Account) -> None:
    asked = api.act("grant", account_id=account.id, company=company_key(api), administrator=True)
    assert (asked.status_code, asked.json["state"]) == (202, "waiting")  # type: ignore[index]
    id = asked.json["id"]  # type: ignore[index]
    assert not right(api, account).administrator  # type: ignore[union-attr]
    assert api.audited("act_asked")[0].details["act"] == "grant"
    (shown,) = api.staff("/acts?state=waiting").json["acts"]  # type: ignore[index]
    assert (shown["act"], shown["own"], shown["name"]) == ("grant", True, "Åsa Testinen")
    assert shown["arguments"] == {"account_id": account.id, "company": company_key(api), "administrator": True}
    assert not api.staff("/acts?state=waiting", who="pekka").json["acts"][0]["own"]  # type: ignore[index]
    confirm = {"decision": "confirm", "reason": "other", "text": ""}
    for decided in (confirm, confirm | {"decision": "refuse"}):
        assert api.staff(f"/acts/{id}", decided).json == refused("own_act")
        assert api.staff(f"/acts/{id}", decided, "pekka", ["agent"]).status_code == 403
        assert api.staff(f"/acts/{id}", decided, "bertil", email="Bertil@example.com").json == refused("own_act")
    assert api.staff(f"/acts/{id}", confirm, "pekka").json == {"state": "done"}
    assert right(api, account).administrator  # type: ignore[union-attr]
    (record,) = api.audited("granted")
    assert record.actor == shown["asked_by"] != record.details["second"]
    assert record.details["second"].startswith("staff:")
    again = api.staff(f"/acts/{id}", confirm, "liisa")
    assert again.status_code == 409
    told = {"by": record.details["second"], "at": NOW, "outcome": "done"}
    assert again.json is not None
    assert again.json.items() >= told.items()


def test_a_second_member_of_staff_may_refuse_and_the_trail_tells(api: ApiHarness, account: Account) -> None:
    code = identified(api)
    id = api.act("relink", account_id=account.id, code=code).json["id"]  # type: ignore[index]
    refuse = {"decision": "refuse", "reason": "security", "text": "called back"}
    assert api.staff(f"/acts/{id}", refuse, "pekka").json == {"state": "refused"}
    details = {"act": "relink", "reason": "security", "text": "called back"}
    assert api.audited("act_refused")[0].details == details
    assert api.audited("relinked") == []


def test_a_system_is_one_party_and_another_one_confirms(api: ApiHarness, account: Account) -> None:
    code = identified(api)
    asked = api.asks("/acts", {"act": "relink", **WHY, "account_id": account.id, "code": code})
    id = asked.json["id"]  # type: ignore[index]
    confirm = {"decision": "confirm", "reason": "other", "text": ""}
    assert api.asks(f"/acts/{id}", confirm).json == refused("own_act")
    assert api.staff(f"/acts/{id}", confirm).json == {"state": "done"}
    with api.database.read() as tx:
        assert tx.get_one(Account, account.id).sub == "new-sub"


def test_one_waits_a_week_and_can_then_be_asked_for_anew(api_on_sqlite: ApiHarness, one: Account) -> None:
    api = api_on_sqlite
    id = api.act("grant", account_id=one.id, company=company_key(api), administrator=True).json["id"]  # type: ignore[index]
    api.clock.now += EXPIRES
    assert api.staff("/acts?state=waiting", who="pekka").json == {"acts": []}
    late = api.staff(f"/acts/{id}", {"decision": "confirm", "reason": "other"}, "pekka")
    assert late.status_code == 409
    assert late.json is not None
    assert late.json["outcome"] == "expired"
    assert api.staff(f"/acts/{'0' * 32}", {"decision": "confirm", "reason": "other"}).status_code == 404


def test_without_the_rule_one_person_is_enough(api_on_sqlite: ApiHarness, one: Account, monkeypatch: Any) -> None:
    api = api_on_sqlite
    monkeypatch.setitem(api.service.settings.rules.__dict__, "second_person", False)
    assert api.act("grant", account_id=one.id, company=company_key(api), administrator=True).json == {"state": "done"}


@pytest.mark.parametrize(
    ("roles", "act", "status"),
    [
        (["auditor"], "end_sessions", 403),
        (["agent"], "end_sessions", 200),
        (["supervisor"], "end_sessions", 200),
        (["agent"], "relink", 403),
        (["agent", "auditor"], "relink", 403),
        (["supervisor"], "relink", 202),
    ],
)
def test_who_may_do_what(api_on_sqlite: ApiHarness, one: Account, roles: list[str], act: str, status: int) -> None:
    arguments = {"code": identified(api_on_sqlite)} if act == "relink" else {}
    assert api_on_sqlite.act(act, roles=roles, account_id=one.id, **arguments).status_code == status


def test_nobody_acts_on_their_own_account(api_on_sqlite: ApiHarness, one: Account) -> None:
    body = {"act": "end_sessions", **WHY, "account_id": one.id}
    assert api_on_sqlite.staff("/acts", body, email="BERTIL@example.com").json == refused("own_act")
    assert api_on_sqlite.staff("/acts", body, email="maija@example.com").status_code == 200


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"reason": "whim"}, "reason"),
        ({"reason": None}, "reason"),
        ({"text": "x" * 201}, "text"),
        ({"text": "two\nlines"}, "text"),
        ({"request_id": "short"}, "request_id"),
        ({"account_id": "aino"}, "account_id"),
        ({"customer_numbers": ["1 & 2"]}, "customer_numbers"),
        ({"customer_numbers": ["1"] * 101}, "customer_numbers"),
        ({"levels": {"users": "all"}}, "levels"),
        ({"levels": {"everything": "read"}}, "levels"),
        ({"fo_nummer": "1234567-2"}, "fo_nummer"),
        ({"administrator": "perhaps"}, "administrator"),
        ({"unknown": 1}, None),
    ],
)
def test_what_is_not_as_described_is_refused_by_its_member(
    api_on_sqlite: ApiHarness, one: Account, changes: dict[str, Any], member: str | None
) -> None:
    body = {"act": "grant", **WHY, "account_id": one.id, "company": "0" * 32, **changes}
    answered = api_on_sqlite.staff("/acts", body)
    assert answered.status_code == 400
    assert answered.json is not None
    assert answered.json["member"] == member


@pytest.mark.parametrize("body", [{}, [], "grant", {"act": "forget"}, {"act": ["grant"]}])
def test_what_is_no_act_is_refused(api_on_sqlite: ApiHarness, body: Any) -> None:
    assert api_on_sqlite.staff("/acts", body).status_code == 400


def test_the_vocabulary_is_told(api_on_sqlite: ApiHarness) -> None:
    assert api_on_sqlite.staff("/acts/vocabulary").json == {"reasons": list(REASONS)}
    assert set(ACTS) == {"grant", "revoke", "confirmation", "end_sessions", "relink", "decide"}


def test_an_act_that_is_sent_twice_is_done_once(api: ApiHarness, account: Account) -> None:
    body = {"act": "end_sessions", **WHY, "account_id": account.id}
    assert [api.staff("/acts", body).status_code for _ in range(2)] == [200, 200]
    assert len(api.audited("sessions_ended")) == 1
    assert api.staff("/acts", body | {"text": "another"}).status_code == 400
    assert api.staff("/acts", body, "pekka").status_code == 200, "an id of one's own"
    assert len(api.audited("sessions_ended")) == 2
    with api.database.read() as tx:
        done = tx.scalars(select(StaffAct.id)).all()
    confirm = {"decision": "confirm", "reason": "other"}
    assert [api.staff(f"/acts/{id}", confirm, "liisa").status_code for id in done] == [404, 404], "nothing waits"


def at_once(*asked: Any) -> list[Any]:
    """What each call gives, all begun in the same moment."""
    barrier = Barrier(len(asked))

    def begin(call: Any) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(asked)) as threads:
        return list(threads.map(begin, asked))


def test_an_act_that_is_sent_many_times_at_once_is_done_once(api: ApiHarness, account: Account) -> None:
    """On PostgreSQL the second INSERT waits for the first one's commit; SQLite has one writer."""
    body = {"act": "grant", **WHY, "account_id": account.id, "company": company_key(api), "levels": {"users": "read"}}
    answers = at_once(*[lambda: api.staff("/acts", body) for _ in range(6)])
    assert [answer.status_code for answer in answers] == [200] * 6
    assert len(api.audited("granted")) == 1
    assert rows(api) == ["done"]


def test_of_members_of_staff_who_decide_at_once_one_wins_and_the_others_are_told(
    api: ApiHarness, account: Account
) -> None:
    id = api.act("grant", account_id=account.id, company=company_key(api), administrator=True).json["id"]  # type: ignore[index]
    why = {"reason": "other", "text": ""}
    decisions = [("pekka", "confirm"), ("liisa", "refuse"), ("olli", "confirm"), ("kaisa", "refuse")]
    answers = at_once(
        *[
            lambda who=who, decision=decision: api.staff(f"/acts/{id}", {"decision": decision, **why}, who)
            for who, decision in decisions
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    outcome = next(answer.json["state"] for answer in answers if answer.status_code == 200)
    assert {answer.json["outcome"] for answer in answers if answer.status_code == 409} == {outcome}
    assert len(api.audited("granted")) + len(api.audited("act_refused")) == 1
    assert right(api, account).administrator == (outcome == "done")  # type: ignore[union-attr]


def case_of(api: ApiHarness, account: Account, kind: str = "joining", fo_nummer: str = FO) -> str:
    """A case that is open."""
    with api.database.write() as tx:
        return cases.open_case(tx, account, kind, customer_register.Customer("100002", fo_nummer, "Bolag 8"), NOW).id


def test_a_case_is_shown_and_decided(api: ApiHarness, account: Account) -> None:
    asker = api.person("cecilia")
    id = case_of(api, asker)
    (listed,) = api.staff("/cases?state=open").json["cases"]  # type: ignore[index]
    shown = api.staff(f"/cases/{id}").json
    assert shown == listed
    key = company_key(api)
    assert shown["company"] == {"key": key, "fo_nummer": FO, "name": "Bolag 8"}  # type: ignore[index]
    assert (shown["kind"], shown["state"], shown["name"]) == ("joining", "open", "Åsa Testinen")  # type: ignore[index]
    for path in (f"/companies/{key}", f"/people/{asker.id}"):
        assert api.staff(path).json["cases"] == [shown]  # type: ignore[index]
    assert api.act("decide", roles=["agent"], case=id, decision="grant", text="called back").json == {"state": "done"}
    assert right(api, asker) is not None
    (record,) = api.audited("case_decided")
    assert record.details.items() >= {"reason": "asked_by_phone", "text": "called back", "outcome": "granted"}.items()
    assert api.staff("/cases").json == {"cases": [], "next": None}
    again = api.act("decide", who="pekka", case=id, decision="refuse")
    assert again.status_code == 409
    assert (again.json or {}).items() >= {"by": record.actor, "at": NOW, "outcome": "granted"}.items()


def test_a_mail_that_cannot_be_sent_shows_on_the_case(api: ApiHarness, account: Account) -> None:
    asker = api.person("cecilia", email_confirmed_at=NOW)
    id = case_of(api, asker)
    assert not api.staff(f"/cases/{id}").json["mail_waiting"]  # type: ignore[index]
    api.act("decide", case=id, decision="refuse")
    assert api.staff(f"/cases/{id}").json["mail_waiting"]  # type: ignore[index]
    with api.database.write() as tx:
        tx.execute(update(OutboxEntry).values(sent_at=NOW))
    assert not api.staff(f"/cases/{id}").json["mail_waiting"]  # type: ignore[index]


def test_a_dispute_is_a_supervisors_and_granting_it_needs_a_second_one(api: ApiHarness, account: Account) -> None:
    asker = api.person("cecilia")
    id = case_of(api, asker, "disputed")
    head = api.staff("/search", {"q": "head"}).json["people"][0]["account_id"]  # type: ignore[index]
    for decision in ("grant", "refuse"):
        assert api.act("decide", roles=["agent"], case=id, decision=decision).status_code == 403
    asked = api.act("decide", case=id, decision="grant", ending=[head])
    assert asked.status_code == 202
    waits = asked.json["id"]  # type: ignore[index]
    confirm = {"decision": "confirm", "reason": "other", "text": ""}
    assert api.staff(f"/acts/{waits}", confirm, "pekka").json == {"state": "done"}
    with api.database.read() as tx:
        held = {row.account_id: row.administrator for row in tx.scalars(select(Representation))}
    assert held == {account.id: False, asker.id: True}
    assert api.audited("case_decided")[0].details["second"].startswith("staff:")


def test_a_right_is_on_the_list_of_erasures_once_a_second_member_of_staff_has_confirmed_its_end(
    api: ApiHarness, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    erasures = api.service.erasures
    monkeypatch.setattr(erasures, "file", tmp_path / "erasures")
    erasures.make()
    id = case_of(api, api.person("cecilia"), "disputed")
    waits = api.act("decide", case=id, decision="grant", ending=[account.id]).json["id"]  # type: ignore[index]
    assert erasures.read() == []
    assert api.staff(f"/acts/{waits}", {"decision": "confirm", "reason": "other"}, "pekka").json == {"state": "done"}
    assert [erasure.account for erasure in erasures.read()] == [account.id]


def test_two_who_decide_a_case_at_once_one_wins_and_the_other_is_told(api: ApiHarness, account: Account) -> None:
    asker = api.person("cecilia")
    id = case_of(api, asker)
    answers = at_once(
        *[
            lambda who=who, decision=decision: api.act("decide", who, case=id, decision=decision)
            for who, decision in (("maija", "grant"), ("pekka", "refuse"), ("liisa", "grant"))
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert len(api.audited("case_decided")) == 1
    assert len(rows(api)) == 1, "who was too late has done nothing"


def test_cases_come_in_pages_of_a_state(api_on_sqlite: ApiHarness) -> None:
    api = api_on_sqlite
    for number in range(51):
        case_of(api, api.person(f"user{number}"), "founding", OTHER_FO)
    first = api.staff("/cases").json or {}
    second = api.staff(f"/cases?after={first['next']}").json or {}
    assert (len(first["cases"]), len(second["cases"]), second["next"]) == (50, 1, None)
    assert {case["company"]["key"] for case in first["cases"]} == {None}
    assert api.staff("/cases?state=granted").json == {"cases": [], "next": None}
    assert api.staff("/cases?state=lost").status_code == 400
    assert api.staff("/cases?after=unknown").status_code == api.staff("/cases/unknown").status_code == 404
    assert api.act("decide", case="0" * 32, decision="grant").status_code == 404
