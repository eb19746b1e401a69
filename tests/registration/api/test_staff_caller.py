"""Who is on the phone, for a member of staff by the API: asked, waited for, shown for four digits."""

from __future__ import annotations

from typing import Any

import pytest

from registration import cases
from registration.customer_register import Customer
from registration.database.models import Account, CallerCheck
from tests.harness.caller import identify
from tests.harness.registration_api import NOW, ApiHarness
from tests.registration.api.test_staff_description import described


def begun(api: ApiHarness, **asked: Any) -> dict[str, Any]:
    answer = api.staff("/caller-checks", {"by": "voice", **asked})
    assert answer.status_code == 200, answer.json
    found: dict[str, Any] = answer.json  # type: ignore[assignment]
    return found


def test_a_member_of_staff_asks_waits_and_sees(api: ApiHarness) -> None:
    account = api.person()
    check = begun(api, account_id=account.id)
    assert check["page"].endswith("/caller")
    assert api.staff(f"/caller-checks/{check['id']}").json == {"state": "waiting", "expires_at": check["expires_at"]}
    digits = identify(api, check["code"], account.sub)
    assert api.staff(f"/caller-checks/{check['id']}").json["state"] == "identified"  # type: ignore[index]
    wrong = api.staff(f"/caller-checks/{check['id']}/name", {"digits": f"{(int(digits) + 1) % 10_000:04}"})
    assert (wrong.status_code, wrong.json["reason"], wrong.json["left"]) == (422, "wrong_digits", 2)  # type: ignore[index]
    seen = api.staff(f"/caller-checks/{check['id']}/name", {"digits": digits})
    assert seen.json == {
        "given_name": "Åsa",
        "family_name": "Testinen",
        "birth_date": "1981-02-17",
        "owner": True,
        "identified_at": NOW,
    }
    assert api.staff(f"/caller-checks/{check['id']}").json["state"] == "ended"  # type: ignore[index]
    assert api.staff(f"/caller-checks/{check['id']}/name", {"digits": digits}).status_code == 404
    assert [record.subject for record in api.audited("caller_shown")] == [account.id]


def test_a_check_about_a_case_is_about_who_has_opened_it(api_on_sqlite: ApiHarness) -> None:
    api = api_on_sqlite
    account = api.person()
    with api.database.write() as tx:
        customer = Customer("100001", "9990001-6", "Testisähkö Oy")
        case = cases.open_case(tx, tx.get_one(Account, account.id), "disputed", customer, NOW).id
    check = begun(api, case=case)
    digits = identify(api, check["code"], account.sub)
    seen = api.staff(f"/caller-checks/{check['id']}/name", {"digits": digits})
    assert seen.json["owner"] is True  # type: ignore[index]
    assert [record.details["case"] for record in api.audited("caller_shown")] == [case]


def test_a_check_is_for_who_has_asked(api_on_sqlite: ApiHarness) -> None:
    check = begun(api_on_sqlite)
    digits = identify(api_on_sqlite, check["code"], "a-sub")
    path = f"/caller-checks/{check['id']}"
    assert api_on_sqlite.staff(path, who="another").status_code == 404
    assert api_on_sqlite.staff(f"{path}/name", {"digits": digits}, who="another").status_code == 404
    assert api_on_sqlite.staff(f"{path}/name", {"digits": digits}).json["owner"] is None  # type: ignore[index]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 400),
        ({"by": "letter"}, 400),
        ({"by": "voice", "more": 1}, 400),
        ({"by": "voice", "account_id": "x"}, 400),
        ({"by": "voice", "account_id": "0" * 32}, 422),
        ({"by": "voice", "case": "0" * 32}, 422),
        ({"by": "email"}, 422),
    ],
)
def test_what_is_asked_wrongly_is_refused(api_on_sqlite: ApiHarness, asked: Any, status: int) -> None:
    assert api_on_sqlite.staff("/caller-checks", asked).status_code == status
    with api_on_sqlite.database.read() as tx:
        assert tx.query(CallerCheck).count() == 0


def test_an_auditor_asks_nobody(api_on_sqlite: ApiHarness) -> None:
    check = begun(api_on_sqlite)
    digits = identify(api_on_sqlite, check["code"], "a-sub")
    asked = api_on_sqlite.staff("/caller-checks", {"by": "voice"}, roles=["auditor"])
    seen = api_on_sqlite.staff(f"/caller-checks/{check['id']}/name", {"digits": digits}, roles=["auditor"])
    assert (asked.status_code, seen.status_code) == (403, 403)


def test_digits_are_four_and_tries_count(api_on_sqlite: ApiHarness) -> None:
    check = begun(api_on_sqlite)
    path = f"/caller-checks/{check['id']}/name"
    assert api_on_sqlite.staff(path, {"digits": "0000"}).status_code == 404, "the caller has not identified"
    digits = identify(api_on_sqlite, check["code"], "a-sub")
    assert [api_on_sqlite.staff(path, {"digits": wrong}).status_code for wrong in ("12345", "٣٣٣٣", "")] == [400] * 3
    wrong = f"{(int(digits) + 1) % 10_000:04}"
    assert [api_on_sqlite.staff(path, {"digits": wrong}).status_code for _ in range(4)] == [422, 422, 422, 404]
    assert api_on_sqlite.staff(path, {"digits": digits}).status_code == 404


def test_every_answer_is_as_described(api_on_sqlite: ApiHarness) -> None:
    api = api_on_sqlite
    check = begun(api)
    path = f"/caller-checks/{check['id']}"
    seen = [described(api, "/caller-checks", {"by": by}) for by in ("voice", "email", "letter")]
    seen += [described(api, "/caller-checks", {"by": "voice"}, roles=roles) for roles in ([], ["auditor"])]
    seen += [described(api, path), described(api, f"/caller-checks/{'0' * 32}"), described(api, f"{path}?x=1")]
    digits = identify(api, check["code"], "a-sub")
    wrong = f"{(int(digits) + 1) % 10_000:04}"
    seen += [described(api, f"{path}/name", {"digits": typed}) for typed in (wrong, "x", digits, digits)]
    assert seen == [200, 422, 400, 403, 403, 200, 404, 400, 422, 400, 200, 404]
