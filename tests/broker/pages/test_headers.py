"""Headers of pages and static files, and the cookie that keeps a language."""

from __future__ import annotations

import re

import pytest

from kit.pages.assets import STATIC_TYPES
from tests.harness.broker_pages import PAGES, Harness, build_harness, chooser

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


@pytest.mark.parametrize("name", [*PAGES, "bad request"])
def test_every_page_has_the_security_headers(harness: Harness, name: str) -> None:
    response = harness.pages.bad_request() if name == "bad request" else PAGES[name][0](harness, "fi")
    assert response.headers["Content-Security-Policy"] == POLICY
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.content_type == "text/html; charset=utf-8"
    assert "Set-Cookie" not in response.headers


def test_following_a_language_link_keeps_the_language(harness: Harness) -> None:
    with harness.app.test_request_context("/choose/abc?ui_locales=sv"):
        response = chooser(harness, "sv")
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("tunnus_locale=sv; ")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


def test_on_plain_http_the_language_is_kept_without_secure() -> None:
    harness = build_harness(issuer="http://127.0.0.1:8000")
    with harness.app.test_request_context("/choose/abc?ui_locales=sv"):
        assert "Secure" not in chooser(harness, "sv").headers["Set-Cookie"]


def test_a_page_in_no_given_language_is_in_that_of_the_request(harness: Harness) -> None:
    with harness.app.test_request_context("/nowhere", headers={"Accept-Language": "en-GB"}):
        assert 'lang="en"' in harness.pages.not_found().get_data(as_text=True)


def test_static_files_may_be_kept_for_ever_because_their_names_follow_their_content(
    harness: Harness,
) -> None:
    client = harness.app.test_client()
    assert {name.split(".")[0] for name in harness.pages.assets} == {"tunnus", "favicon", "form-post", "forms"}
    for name in harness.pages.assets:
        response = client.get(f"/static/{name}")
        assert re.fullmatch(r"[\w-]+\.[0-9a-f]{12}\.(css|svg|js)", name)
        assert "immutable" in response.headers["Cache-Control"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.content_type in STATIC_TYPES.values()


def test_a_static_file_of_another_release_is_not_found(harness: Harness) -> None:
    assert harness.app.test_client().get("/static/tunnus.000000000000.css").status_code == 404
