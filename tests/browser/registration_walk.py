"""A person at a browser: the steps of registering and of signing in, as they are clicked and typed."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from demo.online_service.texts import TEXTS
from demo.runner.registrant import PASSWORD, Company
from kit.pages.texts import translations_of
from registration.pages.rendering import FOLDER
from tests.browser.registration_demo import BANK, Demo, User

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 360, "height": 640}
SIZES = {"wide": WIDE, "narrow": NARROW}
CHOOSER = {
    "fi": "Valitse tunnistustapa",
    "sv": "Välj identifieringssätt",
    "en": "Choose how to identify yourself",
}
CANCEL_AT_BROKER = {
    "fi": "Peruuta ja palaa palveluun",
    "sv": "Avbryt och gå tillbaka till tjänsten",
    "en": "Cancel and return to the service",
}
MOST_TABS = 20
SECONDS = 10
"""How long a page may take; the machine that runs the tests may be busy."""
STATUS = re.compile(r"Failed to load resource: the server responded with a status of [45]\d\d")
"""What Chromium says of a page, not of a part of one, whose status tells that something was refused."""


class Visit:
    """One browser of one person. page: the tab they look at. problems: what no page may cause."""

    def __init__(self, demo: Demo, browser: Browser) -> None:
        self.demo = demo
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.problems: list[str] = []
        self.locale = "sv"
        self.page = self.open_browser()

    def open_browser(self, locale: str = "sv", size: str = "wide", **options: Any) -> Page:
        """A fresh browser instead of the one before, whose cookies it does not have; its first tab."""
        self.locale = locale
        context = self._browser.new_context(viewport=SIZES[size], locale=f"{locale}-FI", **options)  # type: ignore[arg-type]
        context.set_default_timeout(SECONDS * 1000)
        context.on("console", self._note)
        context.on("weberror", lambda error: self.problems.append(str(error.error)))
        context.on("request", self._note_request)
        self._contexts.append(context)
        self.page = context.new_page()
        return self.page

    def second_tab(self) -> Page:
        """Another tab of the same browser."""
        return self.page.context.new_page()

    def close(self) -> None:
        """Close the browsers. Raises AssertionError if a page did what none may."""
        for context in self._contexts:
            context.close()
        assert not self.problems, "; ".join(self.problems)

    def _note(self, message: ConsoleMessage) -> None:
        place = urlsplit(message.location["url"])
        if STATUS.match(message.text) and (place.path == "/favicon.ico" or not place.path.startswith("/static/")):
            return
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.text} at {place.path}")

    def _note_request(self, request: Request) -> None:
        place = urlsplit(request.url)
        if place.scheme in ("http", "https") and place.hostname != "127.0.0.1":
            self.problems.append(f"a request to {place.hostname}")

    # What is on the page

    def text(self, msgid: str, **values: str) -> str:
        """A text of registration in the person's language."""
        return str(translations_of(self.locale, FOLDER).ugettext(msgid)) % values

    def online(self, name: str) -> str:
        """A text of the online service in the person's language."""
        return TEXTS[self.locale][name]

    def button(self, msgid: str) -> Locator:
        """A button of registration."""
        return self.page.get_by_role("button", name=self.text(msgid), exact=True)

    def link(self, msgid: str) -> Locator:
        """A link of registration."""
        return self.page.get_by_role("link", name=self.text(msgid), exact=True)

    def field(self, id: str) -> Locator:
        """A field of a form."""
        return self.page.locator(f"#{id}")

    def sees(self, msgid: str, **values: str) -> None:
        """The page says a text of registration."""
        expect(self.page.locator("main")).to_contain_text(self.text(msgid, **values))

    def sees_heading(self, msgid: str) -> None:
        """The page's heading is a text of registration, its language the person's, and it fits the screen."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.text(msgid))
        self.fits()

    def fits(self) -> None:
        """The page is in the person's language, and none of it is beside the screen."""
        expect(self.page.locator("html")).to_have_attribute("lang", self.locale)
        self.does_not_scroll_sideways()

    def does_not_scroll_sideways(self) -> None:
        """None of the page is beside the screen."""
        assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    def is_at(self, path: str) -> None:
        """The tab shows an address of registration."""
        expect(self.page).to_have_url(re.compile(f"{re.escape(self.demo.registration + path)}(#.*)?$"))

    def sees_error_at(self, id: str, msgid: str) -> None:
        """The form is shown again: the title says so, the summary has the focus and leads to the field."""
        expect(self.page).to_have_title(re.compile(f"^{re.escape(self.text('Error: %(title)s', title=''))}"))
        expect(self.field("summary")).to_be_focused()
        expect(self.field(f"{id}-error")).to_have_text(self.text(msgid))
        self.field("summary").get_by_role("link", name=self.text(msgid)).click()
        expect(self.field(id)).to_be_focused()

    # Registering

    def go(self, path: str) -> None:
        """Open an address of registration."""
        self.page.goto(self.demo.registration + path)

    def comes_back_as(self, persona: Any) -> None:
        """Let the bank answer at once the next time, with a person."""
        self.demo.mock.next(BANK, persona=persona)

    def identify(self, persona: Any = None, purpose: str = "register") -> None:
        """Come back from the bank; persona: somebody new unless given."""
        self.comes_back_as(persona or self.demo.adult())
        self.go(f"/start?idp_hint={BANK}&purpose={purpose}")

    def choose_company_customer(self) -> None:
        """Step 1."""
        self.page.get_by_label(self.text("Corporate customer")).check()
        self.button("Continue").click()

    def choose_bank(self, name: str) -> None:
        """Step 2, at the broker."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(CHOOSER[self.locale])
        self.fits()
        self.page.get_by_role("link", name=name, exact=True).click()

    def choose_persona(self, name: str) -> None:
        """Step 2, at the mock of the bank. name: of one whom the page shows first."""
        self.page.get_by_role("button", name=name).first.click()

    def cancel_at_the_chooser(self) -> None:
        """Leave the broker without having identified."""
        self.page.get_by_role("link", name=CANCEL_AT_BROKER[self.locale]).click()

    def fill(self, company: Company, user_name: str, **fields: str) -> None:
        """Step 3 but for its button."""
        usual = {
            "company_name": company.name,
            "fo_nummer": company.fo_nummer,
            "customer_number": company.customer_number,
            "email": f"{user_name}@example.com",
            "user_name": user_name,
            "password": PASSWORD,
        }
        for id, value in (usual | fields).items():
            self.field(id).fill(value)
        self.field("terms").check()
        self.field("right").check()

    def tab_to(self, place: Locator) -> None:
        """Press Tab until something has the focus."""
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if place.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"{place} cannot be reached with Tab")

    def check_details(self) -> None:
        """The form's button."""
        self.button("Check the details").click()

    def send(self) -> None:
        """Step 4's button."""
        self.button("Send the form").click()

    def come_to_review(self, company: Company, user_name: str, persona: Any = None) -> None:
        """Identify, fill in the form and have it checked."""
        self.identify(persona)
        self.fill(company, user_name)
        self.check_details()
        self.is_at("/review")

    # Signing in

    def sign_in(self, user: User, password: str = PASSWORD) -> None:
        """At registration's own pages, by password."""
        self.go("/sign-in")
        self.field("user_name").fill(user.name)
        self.field("password").fill(password)
        self.button("Sign in").click()

    def confirm(self, user: User, button: str) -> None:
        """Press the button of what hurts, identify as a user, and press it once more on the page that kept it all."""
        self.comes_back_as(user.persona)
        self.sees("You will identify yourself again before this is done. What you have filled in is kept.")
        self.button(button).click()
        self.choose_bank("Nordea")
        self.button(button).click()

    def confirm_address(self, user: User) -> None:
        """Follow the link of the e-mail that asks to confirm an address."""
        self.open_mail(user.email).get_by_role("link").first.click()
        self.button("Confirm the address").click()
        self.sees_heading("Your e-mail address is confirmed")

    def sign_in_online(self, user_name: str, password: str = PASSWORD) -> None:
        """At the online service, by password, from the page that is open."""
        self.field("user_name").fill(user_name)
        self.field("password").fill(password)
        self.page.get_by_role("button", name=self.online("do_sign_in")).click()

    def sees_online(self, text: str) -> None:
        """The online service says a text."""
        expect(self.page.locator("main")).to_contain_text(text)
        assert self.page.url.startswith(self.demo.online_service)

    def open_mail(self, address: str) -> Locator:
        """The newest e-mail to an address, on the page of caught e-mail; waits until it has come."""
        mail = self.page.locator("details")
        for _ in range(SECONDS * 2):
            self.page.goto(f"{self.demo.mailbox}/?to={address}")
            if mail.count():
                break
            self.page.wait_for_timeout(500)
        return mail.first

    # What is kept

    def has_typed(self, company: Company, user_name: str) -> None:
        """The form holds what `fill` typed."""
        expect(self.field("company_name")).to_have_value(company.name)
        expect(self.field("fo_nummer")).to_have_value(company.fo_nummer)
        expect(self.field("customer_number")).to_have_value(company.customer_number)
        expect(self.field("email")).to_have_value(f"{user_name}@example.com")
        expect(self.field("user_name")).to_have_value(user_name)

    def has_registered_once(self, user_name: str) -> None:
        """There is one account of the name, and one e-mail to confirm its address."""
        query = "SELECT account.id FROM account JOIN outbox ON outbox.account_id = account.id WHERE user_name = ?"
        assert len(self.demo.rows(query, user_name)) == 1
