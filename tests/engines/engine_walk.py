"""A person at any browser: the steps of registering and of signing in, as they are clicked, typed and read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.remote.webelement import WebElement

from demo.online_service.texts import TEXTS
from demo.runner.registrant import PASSWORD, Company
from kit.pages.texts import translations_of
from registration.pages.rendering import FOLDER
from tests.browser.registration_demo import Demo
from tests.engines.engines import Engine

SECONDS = 20
"""How long a page may take; the machine that runs the tests may be busy."""
MOST_TABS = 40
SIZES = {"narrow": (450, 800), "wide": (1280, 1000)}
"""Of the window, in pixels; neither Firefox nor MiniBrowser has a narrower one."""
BESIDE = "return document.documentElement.scrollWidth - window.innerWidth"
HEIGHT = "return document.documentElement.scrollHeight"
DRAWN = "requestAnimationFrame(() => setTimeout(arguments[0], 300))"
FRAME = 100
"""Pixels that the window may need above the page."""
CHOOSER = {"fi": "Valitse tunnistustapa", "sv": "Välj identifieringssätt"}
LACKING = """
    const lacking = [];
    for (const image of document.images) if (!image.naturalWidth) lacking.push(image.src);
    for (const link of document.querySelectorAll("link[rel=stylesheet]")) if (!link.sheet) lacking.push(link.href);
    for (const button of document.querySelectorAll("button.reveal")) if (button.hidden) lacking.push("the script");
    return lacking;"""
"""What a page names and the browser did not load, be it refused or not found; the last one by what it does."""
TEXT_OF = """
    const part = document.querySelector(arguments[0]);
    return part ? part.innerText.replace(/\\s+/g, " ").trim() : "";"""
FIND = """
    const reads = piece => piece.innerText && piece.innerText.replace(/\\s+/g, " ").trim() === arguments[1];
    const parts = [...document.querySelectorAll(arguments[0])].filter(part => part.getClientRects().length);
    return parts.find(part => !arguments[1] || [part, ...part.querySelectorAll("*")].some(reads)) || null;"""
FOCUSED = "return document.activeElement === arguments[0]"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom the mock of a bank knows. bank: as its row reads. id: of the persona."""

    bank: str
    id: str
    family_name: str


class Walk:
    """One browser of one person, in Swedish. locale: of the page that is open. pictures: a folder for them, if any."""

    def __init__(self, demo: Demo, engine: Engine, pictures: Path | None = None) -> None:
        self.demo = demo
        self.engine = engine
        self.driver = engine.driver
        self.locale = "sv"
        self._pictures = pictures

    # What is on the page

    def text(self, msgid: str, **values: str) -> str:
        """A text of registration in the person's language."""
        return str(translations_of(self.locale, FOLDER).ugettext(msgid)) % values

    def online(self, name: str) -> str:
        """A text of the online service in the person's language."""
        return TEXTS[self.locale][name]

    def field(self, id: str) -> WebElement:
        """A part of the page by its id."""
        return self.find(f"#{id}")

    def find(self, selector: str, text: str = "") -> WebElement:
        """The first part of a kind that shows, as soon as there is one. text: of it, or of a piece of it."""
        found: list[WebElement] = []

        def look() -> bool:
            found[:] = [self.driver.execute_script(FIND, selector, text)]
            return found[0] is not None

        self.wait(look, f"no {selector} {text}")
        return found[0]

    def wait(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds. Raises AssertionError with `what`, where the browser is and what it logged."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            try:
                if holds():
                    return
            except WebDriverException:
                pass  # the page is being replaced by the next one
            time.sleep(0.05)
        raise AssertionError(f"{what} at {self.driver.current_url}: {self.driver.title}; {self.engine.console()}")

    def sees(self, text: str, selector: str = "main") -> None:
        """The page says a text, and has loaded all of itself."""
        self.wait(lambda: text in self._text_of(selector), f"no {text!r} in {selector}")
        self.wait(lambda: self.driver.execute_script(LACKING) == [], "a part of the page was not loaded")

    def sees_heading(self, text: str) -> None:
        """The page's heading is a text."""
        self.wait(lambda: self._text_of("h1") == text, f"no heading {text!r}")
        self.sees(text, "h1")

    def _text_of(self, selector: str) -> str:
        return self.driver.execute_script(TEXT_OF, selector) or ""  # nothing where a page is just being replaced

    def is_at(self, address: str) -> None:
        """The browser shows an address; what it asks for stands behind it."""
        self.wait(lambda: self.driver.current_url.split("?")[0] == address, f"not at {address}")

    def has_focus(self, selector: str) -> None:
        """The focus is at a part of the page."""
        self.wait(lambda: self.driver.switch_to.active_element == self.find(selector), f"no focus at {selector}")

    def has_cookie(self, start: str) -> str:
        """The browser keeps a cookie as it was meant: for this host, Lax, out of scripts' reach. Return its value.

        start: of its name; an attempt's own is part of it.
        """
        kept: list[dict[str, Any]] = self.driver.get_cookies()
        cookie = next(cookie for cookie in kept if cookie["name"].startswith(start))
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/"), cookie
        assert cookie["domain"] == urlsplit(self.driver.current_url).hostname
        assert self.driver.execute_script("return document.cookie") == ""
        return str(cookie["value"])

    def fits(self, name: str) -> None:
        """None of the page is beside the window, wide or narrow. Pictures of both are kept, where they are wanted."""
        for size, (width, height) in SIZES.items():
            self.driver.set_window_size(width, height)
            self.wait(lambda: bool(self.driver.execute_script(BESIDE) <= 0), f"{name} scrolls sideways, {size}")
            if self._pictures:
                self.driver.set_window_size(width, self.driver.execute_script(HEIGHT) + FRAME)
                self.driver.execute_async_script(DRAWN)
                self._pictures.mkdir(parents=True, exist_ok=True)
                self.driver.save_screenshot(self._pictures / f"{self.engine.name.lower()}-{name}-{size}.png")
        self.driver.set_window_size(*SIZES["wide"])

    # What a person does

    def go(self, url: str) -> None:
        """Open an address."""
        self.driver.get(url)

    def press(self, text: str) -> None:
        """Click a button or a link that reads so."""
        self.find("button, a", text).click()

    def type(self, id: str, text: str) -> None:
        """Type into a field, instead of what stands there."""
        field = self.field(id)
        field.clear()
        field.send_keys(text)

    def keys(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, selector: str, text: str = "") -> None:
        """Press Tab until a part of the page has the focus. Raises AssertionError if it cannot be reached."""
        place = self.find(selector, text)
        for _ in range(MOST_TABS):
            self.keys(Keys.TAB)
            if self.driver.execute_script(FOCUSED, place):
                return
        raise AssertionError(f"{selector} {text} cannot be reached with Tab")

    # Registering

    def answers(self, company: Company, user_name: str, **fields: str) -> dict[str, str]:
        """What a person answers in the form, by field; fields: answers other than usual."""
        usual = {
            "company_name": company.name,
            "fo_nummer": company.fo_nummer,
            "customer_number": company.customer_number,
            "email": f"{user_name}@example.com",
            "user_name": user_name,
            "password": PASSWORD,
        }
        return usual | fields

    def has_typed(self, answers: dict[str, str]) -> None:
        """The form holds these answers and both ticks, but for the password, which no page holds."""
        for id, value in answers.items():
            assert self.field(id).get_property("value") == ("" if id == "password" else value), id
        for id in ("terms", "right"):
            assert self.field(id).get_property("checked"), id

    def open_mail(self, address: str) -> None:
        """Open the link in the newest e-mail to an address; wait until it has come."""

        def has_come() -> bool:
            self.go(f"{self.demo.mailbox}/?to={address}")
            return bool(self.driver.find_elements("css selector", "details a"))

        self.wait(has_come, "no e-mail")
        self.find("details a").click()

    def identify(self, person: Person) -> None:
        """Choose the person's bank at the broker, and the person at the bank."""
        self.sees_heading(CHOOSER[self.locale])
        self.press(person.bank)
        self.sees("TEST BANK", "header")
        self.find(f'button[value="persona:{person.id}"]').click()

    def close(self) -> None:
        """Raises AssertionError if a page logged something, where the browser tells."""
        logged = self.engine.console()
        assert logged == [], logged
