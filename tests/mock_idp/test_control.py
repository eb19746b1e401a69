"""The control API: the queue, the clock, rotation, notices, and how it says no."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mock_idp.app import create_app
from mock_idp.config import Config
from tests.harness.relying_party import BASE, SmallRelyingParty, answer_of


def test_an_outcome_waits_for_its_face_dialect_and_shape(rp: SmallRelyingParty) -> None:
    rp.script(provider="op", outcome="fail")
    rp.script(provider="nordea", dialect="isb", outcome="fail")
    rp.script(provider="nordea", shape="own", outcome="fail")
    rp.script(provider="nordea", dialect="telia", shape="shared")
    assert "code" in answer_of(rp.authorize(rp.trip("shared", "telia", acr_values="oidc.nordea.1")))
    assert len(rp.client.get("/control/next").get_json()["queue"]) == 3
    assert "error" in answer_of(rp.authorize(rp.trip("nordea", "telia")))


def test_outcomes_are_used_in_their_order_and_as_often_as_said(rp: SmallRelyingParty) -> None:
    rp.script(outcome="cancel", times=2)
    rp.script(outcome="approve")
    answers = [answer_of(rp.authorize(rp.trip("nordea", "telia"))) for _ in range(3)]
    assert ["error" in answer for answer in answers] == [True, True, False]
    assert rp.authorize(rp.trip("nordea", "telia")).headers["Location"].startswith("/nordea/telia/person/")


def test_an_outcome_of_no_number_lasts_until_the_queue_is_emptied(rp: SmallRelyingParty) -> None:
    rp.script(times=0)
    assert all("code" in answer_of(rp.authorize(rp.trip("nordea", "telia"))) for _ in range(3))
    rp.client.delete("/control/next")
    assert "/person/" in rp.authorize(rp.trip("nordea", "telia")).headers["Location"]


def test_the_face_of_an_outcome_is_picked_where_the_contract_cannot_select(rp: SmallRelyingParty) -> None:
    claims = rp.identify("shared", "ftn", script={"provider": "aktia"})
    assert claims["urn:oid:1.2.246.21"] == "010170-999R"


def test_a_person_may_be_given_inline(rp: SmallRelyingParty) -> None:
    person = {"personal_identity_code": "010594Y9021", "given_name": "Yrjö", "family_name": "Ypsilon", "name": "Y Y"}
    claims = rp.identify("shared", "isb", script={"persona": person})
    assert (claims["personal_identity_code"], claims["name"], claims["birthdate"]) == (
        "010594Y9021",
        "Y Y",
        "1994-05-01",
    )


def test_an_adult_is_made_for_an_inline_birth_date(rp: SmallRelyingParty) -> None:
    claims = rp.identify("shared", "isb", script={"persona": {"birthdate": "1980-12-24", "family_name": "Testi"}})
    assert claims["personal_identity_code"].startswith("241280-9")
    assert claims["family_name"] == "Testi"
    assert claims["given_name"]


def test_a_mobile_persona_that_does_not_confirm_ends_a_scripted_trip_at_once(rp: SmallRelyingParty) -> None:
    rp.script(provider="mobile-certificate", persona="mobile-cancel")
    assert answer_of(rp.authorize(rp.trip("mobile-certificate", "isb")))["error"] == "cancel"


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("next", {"provider": "nobody"}, "provider must be one of"),
        ("next", {"dialect": "saml"}, "dialect must be one of"),
        ("next", {"shape": "round"}, "shape must be one of"),
        ("next", {"outcome": "explode"}, "outcome must be one of"),
        ("next", {"persona": "nobody"}, "no persona of the id"),
        ("next", {"persona": 7}, "persona must be"),
        ("next", {"persona": {"shoe": "43"}}, "unknown member shoe"),
        ("next", {"persona": {"name": 7}}, "each member of persona"),
        ("next", {"persona": {"birthdate": "2020-01-01"}}, "persona.birthdate"),
        ("next", {"persona": {"personal_identity_code": "nobody"}}, "tells no date of birth"),
        ("next", {"persona": {"personal_identity_code": "310290-9021"}}, "tells no date of birth"),
        ("next", {"faults": "invalid-iss"}, "faults must be a list"),
        ("next", {"faults": ["unheard-of"]}, "no fault of the name"),
        ("next", {"fault": {"name": "invalid-iss", "seconds": 3}}, "unknown member seconds; allowed: none"),
        ("next", {"fault": {"name": "token-hang", "seconds": "3"}}, "seconds must be a number"),
        ("next", {"fault": {"name": "token-hang", "seconds": float("nan")}}, "seconds must be a number"),
        ("next", {"dialect": "isb", "fault": "amr-of-another-bank"}, "applies to: telia"),
        ("next", {"times": -1}, "times must be"),
        ("next", {"surprise": 1}, "unknown member surprise"),
        ("next", [], "must be a JSON object"),
        ("rotate", {"kind": "both"}, "kind must be"),
        ("rotate", {"realm": "nobody"}, "realm must be one of"),
        ("clock", {}, "offset must be a number"),
        ("clock", {"offset": True}, "offset must be a number"),
        ("clock", {"offset": float("inf")}, "offset must be a number"),
        ("clock", {"offset": -99_999_999_999}, "offset must be between"),
        ("disturbance", {"text": 7}, "text must be"),
        ("disturbance", {"text": {"de": "x"}}, "unknown member de"),
        ("disturbance", {"unlisted": ["nobody"]}, "unlisted must be"),
    ],
)
def test_a_request_that_cannot_be_read_says_what_is_wrong(
    rp: SmallRelyingParty, path: str, body: Any, words: str
) -> None:
    response = rp.client.post(f"/control/{path}", json=body)
    assert response.status_code == 400
    assert words in response.get_json()["error"]
    assert rp.client.get("/control/next").get_json()["queue"] == []


@pytest.mark.parametrize("kind", [None, "application/x-www-form-urlencoded", "text/plain", "application/json"])
def test_json_is_read_whatever_it_is_called(rp: SmallRelyingParty, kind: str | None) -> None:
    response = rp.client.post("/control/next", data=b'{"outcome": "cancel"}', content_type=kind)
    assert (response.status_code, response.get_json()["queued"]) == (200, 1)


def test_a_web_page_of_another_site_cannot_send_it_as_a_form(rp: SmallRelyingParty) -> None:
    other = {"Origin": "https://other.fi"}
    response = rp.client.post("/control/next", data=b"{}", content_type="text/plain", headers=other)
    assert (response.status_code, "application/json" in response.get_json()["error"]) == (400, True)


def test_requests_are_listed_by_kind_face_and_dialect(rp: SmallRelyingParty) -> None:
    rp.identify("nordea", "telia")
    rp.authorize(rp.trip("aktia", "isb", nonce="short"))
    assert [r["kind"] for r in rp.captured()] == ["authorization", "token", "authorization"]
    assert [r["dialect"] for r in rp.captured(provider="nordea")] == ["telia", "telia"]
    assert len(rp.captured(kind="token")) == 1
    assert len(rp.captured(issuer=f"{BASE}/aktia/isb")) == 1
    assert rp.captured(violations="1")[0]["request_object"]["nonce"] == "short"
    for wrong in ("colour=red", "provider=nordae", "kind=tokens", "dialect=saml"):
        assert rp.client.get(f"/control/requests?{wrong}").status_code == 400
    rp.client.delete("/control/requests")
    assert rp.captured() == []


def test_the_clock_can_be_moved(rp: SmallRelyingParty) -> None:
    answer = rp.client.post("/control/clock", json={"offset": 200}).get_json()
    assert answer["now"] == rp.now + 200
    assert rp.identify("nordea", "telia")["iat"] == int(rp.now + 200)


def published(rp: SmallRelyingParty, path: str) -> list[str]:
    return [key["kid"] for key in rp.client.get(f"{path}/jwks").get_json()["keys"]]


def test_a_rotation_may_keep_the_old_keys_or_replace_them(rp: SmallRelyingParty) -> None:
    before = published(rp, "/pop/isb")
    overlapping = rp.client.post("/control/rotate", json={"realm": "pop", "dialect": "isb"}).get_json()["rotated"]
    assert overlapping[f"{BASE}/pop/isb"]["published"] == published(rp, "/pop/isb")
    assert published(rp, "/pop/isb")[: len(before)] == before
    rp.identify("pop", "isb")
    body = {"realm": "pop", "dialect": "isb", "kind": "replace"}
    replaced = rp.client.post("/control/rotate", json=body).get_json()["rotated"][f"{BASE}/pop/isb"]
    assert published(rp, "/pop/isb") == [replaced["kid"]]
    rp.identify("pop", "isb")


def test_a_notice_of_disturbance_shows_as_op_and_telia_publish_it(rp: SmallRelyingParty) -> None:
    text = {"fi": "Katko\r\n<b>klo 3</b>", "sv": "Avbrott", "en": "Outage"}
    rp.client.post("/control/disturbance", json={"header": "!", "text": text, "unlisted": ["nordea"]})
    listed = rp.client.get("/shared/isb/api/embedded-ui/tunnus?lang=fi").get_json()
    assert listed["disturbanceInfo"] == {"header": "!", "text": text["fi"]}
    assert "fi-nordea" not in [row["ftn_idp_id"] for row in listed["identityProviders"]]
    assert len(listed["identityProviders"]) == 10
    assert {"isbProviderInfo", "isbConsent", "privacyNoticeText", "privacyNoticeLink"} <= listed.keys()
    assert rp.client.get("/shared/telia/resource/maintenance.txt").get_data(as_text=True) == "|".join(text.values())
    rp.client.post("/control/disturbance", json={"unlisted": []})
    assert "disturbanceInfo" not in rp.client.get("/shared/isb/api/embedded-ui/tunnus").get_json()
    assert rp.client.get("/shared/telia/resource/maintenance.txt").get_data(as_text=True) == ""


def test_the_list_of_banks_is_for_known_clients_in_known_languages(rp: SmallRelyingParty) -> None:
    assert rp.client.get("/shared/isb/api/embedded-ui/somebody").status_code == 404
    assert rp.client.get("/shared/isb/api/embedded-ui/tunnus?lang=de").status_code == 404
    assert rp.client.get("/faces/op.svg").mimetype == "image/svg+xml"
    assert rp.client.get("/faces/nobody.svg").status_code == 404
    assert rp.client.get("/privacy").status_code == 200


def test_a_reset_forgets_all_but_the_keys(rp: SmallRelyingParty) -> None:
    kids = published(rp, "/shared/telia")
    rp.script()
    rp.client.post("/control/clock", json={"offset": 5})
    rp.authorize(rp.trip("nordea", "telia"))
    assert rp.client.post("/control/reset").status_code == 200
    assert rp.captured() == []
    assert rp.client.post("/control/clock", json={"offset": 0}).get_json()["now"] == rp.now
    assert published(rp, "/shared/telia") == kids


def test_the_control_api_can_be_switched_off(tmp_path: Path) -> None:
    client = create_app(Config(BASE, tmp_path, control=False)).test_client()
    assert client.get("/control/requests").status_code == 404
    assert client.post("/control/next", json={}).status_code == 404
    assert client.get("/livez").get_json() == {"status": "ok"}
