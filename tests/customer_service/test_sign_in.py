"""Sign-in at the employer's provider, over HTTP: who comes in, with which role, and for how long."""

from __future__ import annotations

import hashlib
import logging
from typing import Any
from urllib.parse import quote

import pytest
import requests
from joserfc.jwk import ECKey

from customer_service.sign_in import attempts
from customer_service.sign_in.attempts import MOST
from tests.harness.customer_service import AARNE, MAIJA, OILI, SVEN, StaffHarness, code_of


def test_who_is_not_signed_in_is_asked_to_and_comes_to_the_page_that_was_asked_for(staff: StaffHarness) -> None:
    browser = staff.browser()
    page = browser.get("/service/cases")
    assert (page.status, page.title) == (401, "Customer service of the Online service")
    assert page.link("Sign in") == "/service/sign-in?to=/service/cases"
    assert browser.sign_in(MAIJA, to="/service/acts").path == "/service/acts"


@pytest.mark.parametrize(
    "to",
    ["https://evil.example/", "//evil.example", "/service/sign-in", "/service/callback", "/service/%0d%0aX", "/other"],
)
def test_signing_in_leads_to_pages_of_ours_only(staff: StaffHarness, to: str) -> None:
    assert staff.browser().sign_in(MAIJA, to=to).path == "/service"


def test_a_proxy_that_ends_tls_leads_to_the_provider_and_another_name_to_ours(staff: StaffHarness) -> None:
    browser = staff.open_site(lambda config: config.update(url="https://staff.energy.example:8443")).test_client()
    for host in ("staff.energy.example", "Staff.Energy.Example:8443"):  # `$host` of nginx has no port
        asked = browser.get("/service/sign-in", base_url=f"http://{host}")
        assert asked.location.startswith(f"{staff.issuer}/authorize?")
    elsewhere = browser.get("/service/sign-in", base_url="http://10.0.0.31:8005")
    assert elsewhere.location == "https://staff.energy.example:8443/service"


def test_the_authorization_request_has_pkce_state_and_nonce(staff: StaffHarness) -> None:
    asked = staff.browser().session.get(f"{staff.url}/service/sign-in", allow_redirects=False)
    sent = code_of(asked.headers["Location"])
    assert asked.headers["Location"].startswith(f"{staff.issuer}/authorize?")
    assert sent["code_challenge_method"] == "S256"
    assert all(len(sent[name]) >= 43 for name in ("state", "nonce", "code_challenge"))
    assert sent["redirect_uri"] == f"{staff.url}/service/callback"
    (cookie,) = asked.cookies
    assert sent["state"] not in str(cookie.value)
    assert sent["nonce"] not in str(cookie.value)


def test_groups_are_roles_and_who_has_none_is_told_so(staff: StaffHarness) -> None:
    roles = {MAIJA: "(customer service)", SVEN: "(supervisor)", AARNE: "(auditor)"}
    for person, role in roles.items():
        assert role in staff.staff(person).get("/service").text
    nobody = staff.browser()
    page = nobody.sign_in(OILI)
    assert (page.status, page.title) == (403, "You do not have a role here")
    assert nobody.get("/service/cases").status == 403
    assert nobody.post("/service/sign-out", page).title == "You are signed out"


def test_an_answer_is_taken_once_and_in_the_browser_that_began(staff: StaffHarness) -> None:
    begun, other = staff.browser(), staff.browser()
    answer = begun.answered(MAIJA)
    assert other.get(answer).title == "Signing in was not completed"
    assert begun.get(answer).path == "/service"
    assert begun.get(answer).title == "Signing in was not completed"


def test_many_sign_ins_that_begin_end_none_that_was_there(staff: StaffHarness) -> None:
    browser = staff.browser()
    answer = browser.answered(MAIJA, to="/service/acts")
    for _ in range(2 * MOST):
        browser.session.get(f"{staff.url}/service/sign-in", allow_redirects=False)
    assert len(browser.session.cookies) == MOST
    assert browser.get(answer).path == "/service/acts"


def test_a_sign_in_that_took_too_long_is_begun_anew(staff: StaffHarness) -> None:
    browser = staff.browser()
    answer = browser.answered(MAIJA)
    staff.clock.ahead = 901
    assert browser.get(answer).title == "Signing in was not completed"


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("iss=", "iss=https%3A%2F%2Fother.example%2F&was="),
        lambda url: url.partition("&iss=")[0] if "&iss=" in url else url,
        lambda url: url.replace("code=", "code=x&was="),
        lambda url: url.replace("code=", "error=access_denied&was="),
        lambda url: url.replace("code=", "nothing="),
        lambda url: url + "&code=another",
    ],
)
def test_an_answer_that_is_not_the_providers_signs_nobody_in(staff: StaffHarness, change: Any) -> None:
    browser = staff.browser()
    answer = browser.answered(MAIJA)
    assert change(answer) != answer
    assert browser.get(change(answer)).title == "You were not signed in"
    assert browser.get("/service").status == 401


def test_no_page_at_the_callback_repeats_its_address(staff: StaffHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise KeyError("of a test")

    browser = staff.browser()
    answer = browser.answered(MAIJA)
    monkeypatch.setattr(attempts, "find", fails)
    page = browser.get(answer)
    sent = code_of(answer)
    assert page.status == 500
    assert [name for name in ("code", "state") if sent[name] in page.text] == []
    assert "ui_locales" not in page.text, "a language link would lead to the callback without its answer"


def test_a_session_ends_after_half_an_hour_without_a_request_and_after_eight_hours(staff: StaffHarness) -> None:
    browser = staff.staff()
    staff.clock.ahead = 1799
    assert browser.get("/service").status == 200
    staff.clock.ahead += 1801
    assert browser.get("/service").status == 401
    busy = staff.browser()
    staff.clock.ahead = 0
    busy.sign_in(MAIJA)
    for staff.clock.ahead in range(1700, 28_800, 1700):
        assert busy.get("/service").status == 200
    staff.clock.ahead = 28_801
    assert busy.get("/service").status == 401


def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(staff: StaffHarness) -> None:
    browser, copy = staff.staff(), staff.browser()
    copy.session.cookies.update(browser.session.cookies)
    assert copy.get("/service").status == 200
    page = browser.post("/service/sign-out", browser.get("/service"))
    assert page.title == "You are signed out"
    assert page.link("Sign out of your work account too") == (
        f"{staff.issuer}/logout?client_id=customer-service"
        f"&post_logout_redirect_uri={quote(staff.url + '/service', safe='')}"
    )
    assert copy.get("/service").status == 401


def test_each_sign_in_has_a_session_of_its_own_and_ends_the_one_before(staff: StaffHarness) -> None:
    browser, copy = staff.staff(MAIJA), staff.browser()
    copy.session.cookies.update(browser.session.cookies)
    browser.sign_in(SVEN)
    assert copy.get("/service").status == 401


def test_a_provider_that_does_not_answer_is_told_and_signs_nobody_in(staff: StaffHarness) -> None:
    staff.open_site(lambda config: config["sign_in"].update(back_url="http://127.0.0.1:9"))
    page = staff.browser().get("/service/sign-in")
    assert (page.status, page.title) == (503, "Your employer's sign-in service does not answer")
    assert page.headers["Retry-After"]


def test_another_key_under_the_kid_of_before_is_fetched_once_a_minute(staff: StaffHarness) -> None:
    (key,) = requests.get(f"{staff.issuer}/jwks", timeout=5).json()["keys"]
    before = ECKey.generate_key("P-256", {"kid": key["kid"]}).as_dict(private=False)
    provider = staff.site.extensions["customer_service"].provider
    provider._jwks = (staff.clock(), (before,))
    assert staff.browser().sign_in(MAIJA).title == "You were not signed in"
    provider._jwks = (staff.clock() - 61, (before,))
    assert staff.browser().sign_in(MAIJA).status == 200


def test_metadata_of_another_issuer_are_refused(staff: StaffHarness) -> None:
    issuer = staff.issuer.replace("127.0.0.1", "localhost")
    staff.open_site(lambda config: config["sign_in"].update(issuer=issuer, back_url=staff.issuer))
    assert staff.browser().get("/service/sign-in").status == 503


@pytest.mark.parametrize(
    ("method", "headers"),
    [("GET", {"Sec-Purpose": "prefetch"}), ("GET", {"Purpose": "prefetch"}), ("HEAD", {})],
)
def test_a_browser_that_looks_ahead_begins_nothing(staff: StaffHarness, method: str, headers: dict[str, str]) -> None:
    url = f"{staff.url}/service/sign-in"
    answer = staff.browser().session.request(method, url, headers=headers, allow_redirects=False)
    assert (answer.status_code, len(answer.cookies)) == (204, 0)


def test_our_public_keys_are_published_and_nothing_private(staff: StaffHarness) -> None:
    (key,) = staff.browser().session.get(f"{staff.url}/service/jwks").json()["keys"]
    assert key["kty"] == "EC"
    assert "d" not in key


def test_the_log_names_staff_by_their_id_and_nobody_by_name(
    staff: StaffHarness, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        staff.staff(MAIJA).get("/service")
    lines = [record for record in caplog.records if getattr(record, "endpoint", "") == "search.home"]
    id = hashlib.sha256(f"{staff.issuer}\n{MAIJA}".encode()).hexdigest()[:16]
    assert [getattr(record, "staff", None) for record in lines][-1] == id
    assert "Meikäläinen" not in caplog.text


def test_every_page_has_the_security_headers_and_a_cookie_that_no_script_reads(staff: StaffHarness) -> None:
    browser = staff.staff()
    page = browser.get("/service")
    assert page.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    (cookie,) = [one for one in browser.session.cookies if one.name == "customer_service_session"]
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "Lax"
