"""The whole registration in a text browser: nothing on the way needs a picture, a style or a script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.online_service.texts import TEXTS
from demo.runner.registrant import PASSWORD, Company
from kit.pages.texts import translations_of
from registration.pages.rendering import FOLDER
from tests.browser.registration_demo import Demo
from tests.engines.engine_walk import CHOOSER
from tests.engines.text_browser import TextBrowser, text_browser

pytestmark = [pytest.mark.engines, pytest.mark.enable_socket]

BANK, PERSON = "Danske Bank", "Dan Testman"
ONLINE = TEXTS["sv"]
MOST_RELOADS = 60
"""Of the page of caught e-mail, until one has come."""


@pytest.fixture
def w3m(demo_elsewhere: Demo, tmp_path: Path, ran: set[str]) -> Iterator[TextBrowser]:
    """w3m, in Swedish, at registration's first page."""
    with text_browser(tmp_path, f"{demo_elsewhere.registration}/?ui_locales=sv") as browser:
        ran.add(browser.version)
        yield browser


def text(msgid: str) -> str:
    """A text of registration in Swedish."""
    return str(translations_of("sv", FOLDER).ugettext(msgid))


def identify(w3m: TextBrowser) -> None:
    w3m.sees(CHOOSER["sv"])
    w3m.press(BANK)
    w3m.sees("TEST BANK")
    w3m.press(PERSON)


def fill_in(w3m: TextBrowser, company: Company, user_name: str) -> None:
    answers = {
        "Company name": company.name,
        "Business ID": "1234567-2",
        "Customer number": company.customer_number,
        "E-mail address": f"{user_name}@example.com",
        "Username": user_name,
        "Password": PASSWORD,
    }
    for label, answer in answers.items():
        w3m.type(text(label), answer)
    w3m.tick(text("I have read and accept the terms of use"))
    w3m.tick(text("I have the right to see the data of the company I represent"))


def open_mail(w3m: TextBrowser, demo: Demo, address: str) -> None:
    w3m.go(f"{demo.mailbox}/?to={address}")
    w3m.sees("Demo mailbox")
    link = f"{demo.registration}/confirm/"
    for _ in range(MOST_RELOADS):
        if link in w3m.text():
            break
        w3m.reload()
    w3m.press(link)


def test_a_person_registers_and_confirms_the_address_and_signs_in_both_ways_in_a_text_browser(
    w3m: TextBrowser, demo_elsewhere: Demo
) -> None:
    company, user_name = demo_elsewhere.company(), demo_elsewhere.name("text")
    w3m.tick(text("Corporate customer"))
    w3m.press(text("Continue"))
    identify(w3m)
    w3m.sees(text("We received your name when you identified yourself."))
    fill_in(w3m, company, user_name)
    w3m.press(text("Check the details"))
    w3m.sees(text("Check the Business ID. It has seven digits, a hyphen and a check digit."))
    w3m.type(text("Business ID"), company.fo_nummer)
    w3m.press(text("Check the details"))
    w3m.sees(text("Check your details before you send the form"))
    w3m.sees(company.fo_nummer)
    w3m.press(text("Send the form"))
    w3m.sees(text("Your registration is complete"))
    open_mail(w3m, demo_elsewhere, f"{user_name}@example.com")
    w3m.sees(text("Confirm your e-mail address"))
    w3m.press(text("Confirm the address"))
    w3m.sees(text("Your e-mail address is confirmed"))
    w3m.press(text("Go to the Online service"))
    w3m.sees(ONLINE["do_sign_in"])
    w3m.type(ONLINE["user_name"], user_name)
    w3m.type(ONLINE["password"], PASSWORD)
    w3m.press_next()
    w3m.sees(company.name)
    w3m.press(ONLINE["sign_out"])
    w3m.sees(ONLINE["do_sign_in"])
    w3m.press(ONLINE["identify"])
    identify(w3m)
    w3m.sees(company.name)
    w3m.sees(ONLINE["administrator"])
