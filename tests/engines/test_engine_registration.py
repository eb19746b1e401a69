"""Registering in Firefox and in WebKit, with what each does differently: focus, cookies, redirects after forms."""

from __future__ import annotations

import pytest
from selenium.webdriver import Keys

from demo.runner.registrant import PASSWORD
from tests.browser.registration_demo import Demo
from tests.engines.engine_walk import CHOOSER, Person, Walk

pytestmark = [pytest.mark.engines, pytest.mark.enable_socket]

PEOPLE = {
    "Firefox": Person("Ålandsbanken", "alva-testholm", "Testholm"),
    "WebKitGTK": Person("Aktia", "tero-ayramo", "Äyrämö"),
}
PEOPLE_WITH_KEYS = {
    "Firefox": Person("Nordea", "aino-virtanen", "Virtanen"),
    "WebKitGTK": Person("S-Banken", "sanna-testilainen", "Testiläinen"),
}
"""Who registers in each, at which bank."""


def test_a_person_registers_and_confirms_the_address_and_signs_in_both_ways(walk: Walk, demo_elsewhere: Demo) -> None:
    company, user_name = demo_elsewhere.company(), demo_elsewhere.name("engine")
    person = PEOPLE[walk.engine.name]
    walk.go(f"{demo_elsewhere.registration}/?ui_locales=sv")
    walk.sees_heading(walk.text("Registration for the Online service"))
    walk.field("kind").click()
    walk.press(walk.text("Continue"))  # a form whose answer leads to the broker
    walk.sees_heading(CHOOSER["sv"])
    walk.has_cookie("registration-attempt-")
    walk.has_cookie("tunnus_browser")
    walk.fits("chooser")
    walk.identify(person)
    walk.sees_heading(walk.text("Company details and terms of use"))
    walk.sees(person.family_name)
    fill_in_with_one_mistake(walk, answers := walk.answers(company, user_name))
    walk.press("Suomi")
    walk.locale = "fi"
    walk.sees_heading(walk.text("Company details and terms of use"))
    walk.has_typed(answers)
    walk.press(walk.text("Check the details"))
    walk.sees_heading(walk.text("Check your details before you send the form"))
    for id in set(answers) - {"password"}:
        walk.sees(answers[id])
    walk.press(walk.text("Send the form"))
    walk.sees_heading(walk.text("Your registration is complete"))
    walk.fits("done")
    walk.open_mail(answers["email"])
    walk.sees_heading(walk.text("Confirm your e-mail address"))
    walk.press(walk.text("Confirm the address"))
    walk.sees_heading(walk.text("Your e-mail address is confirmed"))
    sign_in_by_password(walk, user_name)
    walk.sees(company.name)
    walk.press(walk.online("sign_out"))
    walk.field("user_name")
    open_online_service(walk)
    walk.press(walk.online("identify"))
    walk.identify(person)
    walk.sees(company.name)
    walk.sees(walk.online("administrator"))


def test_a_person_registers_and_signs_in_with_the_keyboard_only(walk: Walk, demo_elsewhere: Demo) -> None:
    company, user_name = demo_elsewhere.company(), demo_elsewhere.name("keys")
    person = PEOPLE_WITH_KEYS[walk.engine.name]
    walk.go(f"{demo_elsewhere.registration}/?ui_locales=sv")
    walk.tab_to("#kind")
    walk.keys(Keys.SPACE)
    walk.tab_to("button", walk.text("Continue"))
    walk.keys(Keys.ENTER)
    walk.sees_heading(CHOOSER["sv"])
    walk.tab_to("a", person.bank)
    walk.keys(Keys.ENTER)
    walk.sees("TEST BANK", "header")
    walk.tab_to(f'button[value="persona:{person.id}"]')
    walk.keys(Keys.ENTER)
    walk.sees_heading(walk.text("Company details and terms of use"))
    walk.tab_to("a.skip")
    walk.keys(Keys.ENTER)
    for id, text in walk.answers(company, user_name).items():
        walk.tab_to(f"#{id}")
        walk.keys(text)
    for id in ("terms", "right"):
        walk.tab_to(f"#{id}")
        walk.keys(Keys.SPACE)
    walk.keys(Keys.ENTER)  # in a field: it must send the form and not choose a language
    walk.sees_heading(walk.text("Check your details before you send the form"))
    walk.tab_to("button", walk.text("Send the form"))
    walk.keys(Keys.ENTER)
    walk.sees_heading(walk.text("Your registration is complete"))
    walk.tab_to("a", walk.text("Go to the Online service"))
    walk.keys(Keys.ENTER)
    walk.tab_to("#user_name")
    walk.keys(user_name)
    walk.tab_to("#password")
    walk.keys(PASSWORD, Keys.ENTER)
    walk.sees(company.name)


def fill_in_with_one_mistake(walk: Walk, answers: dict[str, str]) -> None:
    for id, text in (answers | {"fo_nummer": "1234567-2"}).items():
        walk.type(id, text)
    walk.field("terms").click()
    walk.field("right").click()
    walk.press(walk.text("Check the details"))
    message = walk.text("Check the Business ID. It has seven digits, a hyphen and a check digit.")
    walk.sees(message, "#fo_nummer-error")
    walk.has_focus("#summary")
    assert walk.driver.title.startswith(walk.text("Error: %(title)s", title=""))
    walk.fits("form-with-an-error")
    walk.press(message)
    walk.has_focus("#fo_nummer")
    walk.type("fo_nummer", answers["fo_nummer"])


def sign_in_by_password(walk: Walk, user_name: str) -> None:
    open_online_service(walk)
    walk.type("user_name", user_name)
    walk.type("password", PASSWORD)
    walk.press(walk.online("do_sign_in"))


def open_online_service(walk: Walk) -> None:
    walk.go(f"{walk.demo.online_service}/?ui_locales={walk.locale}")
    walk.sees_heading(walk.online("sign_in"))
