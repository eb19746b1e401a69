"""Registration's pages that need no database: each of page_house.PAGES, and some states more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from flask import Response

from registration.pages import forms
from tests.gallery.brand import NAMES, whole_brand
from tests.gallery.state import State, states
from tests.harness.registration_pages import (
    DRAFT,
    PAGES,
    SETTINGS,
    Page,
    PagesHarness,
    build_pages_harness,
    company_form,
    done,
)

SERVICE = "registration"
LONG_EMAIL = "hilja-maria.korhonen-lindqvist.sahkourakointi@pohjois-hameen-kiinteistohuolto.example.fi"


def form_with(**errors: str) -> dict[str, Any]:
    """The form as it was filled in, with errors at some of its fields."""
    values = company_form()
    form = values["form"]
    for name, error in errors.items():
        form[name].errors = [error]
    return values | {"problems": form.problems()}


MORE = {
    "form, not together": Page(
        "form.html", lambda: form_with(customer_number=forms.NOT_TOGETHER), "/form", "POST", 422
    ),
    "form, user name taken": Page("form.html", lambda: form_with(user_name=forms.TAKEN), "/form", "POST", 422),
    "form, names asked": Page("form.html", lambda: company_form(names=True), "/form"),
    "review, long names": Page(
        "review.html",
        lambda: {"draft": DRAFT | {"email": LONG_EMAIL, "user_name": LONG_EMAIL}, "form": forms.ConfirmForm()},
        "/review",
    ),
    "done, long names": Page(
        "done.html",
        lambda: done(administrator=True) | {"email_address": LONG_EMAIL},
        "/done",
    ),
}


BRANDED = {
    "sign in, of a brand": PAGES["sign in"],
    "done, of a brand": PAGES["done, first"],
    "form, of a brand": PAGES["form, wrong"],
}


def registration_states(folder: Path, issuer: str) -> tuple[list[State], list[PagesHarness]]:
    """The states, and the houses whose static files they refer to. folder: for a logo. issuer: of the broker."""
    plain, branded = _built(issuer), _built(issuer, **whole_brand(folder))
    draws = {_name(name): _drawn(plain, page) for name, page in (PAGES | MORE).items()}
    draws |= {name: _drawn(branded, page) for name, page in BRANDED.items()}
    draws["accessibility"] = _drawn(branded, None)
    return states(SERVICE, draws, printed=("done", "terms", "problem", "review")), [plain, branded]


def _built(issuer: str, **brand: Any) -> PagesHarness:
    changed = {
        "brand": SETTINGS["brand"] | {"name": NAMES} | brand,
        "broker": SETTINGS["broker"] | {"issuer": issuer},
    }
    with patch.dict(SETTINGS, changed):
        return build_pages_harness()


def _name(name: str) -> str:
    """Every problem is a page of its own to the person."""
    return name.replace("problem, ", "problem ").replace("problem with a code", "problem fault, with a code")


def _drawn(harness: PagesHarness, page: Page | None) -> Callable[[str], Response]:
    """page: None for the accessibility statement, which has no values."""

    def draw(locale: str) -> Response:
        path, method = (page.path, page.method) if page else ("/accessibility", "GET")
        with harness.app.test_request_context(path, query_string={"ui_locales": locale}, method=method):
            return page.response(harness.pages) if page else harness.pages.accessibility()

    return draw
