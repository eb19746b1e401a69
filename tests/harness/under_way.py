"""People in the middle of an identification while something happens to the store, and what becomes of each."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.requests_client import OAuthError

from broker.store import slotted
from tests.harness.broker import Broker
from tests.harness.browser import Arrival, Browser

STEPS = ("chooser", "bank", "code")
"""Where a person is: before the chooser, at the bank that has identified them, or back at the client with a code."""
PATIENCE = 90.0
"""Seconds after which a person who gets nowhere fails the test."""
AGAIN = 0.05
"""Seconds before a page or a request that says so is tried again; people and clients take longer."""


@dataclass
class Person:
    """One person. arrival: the last thing they saw. restarts: how often they had to go to the bank or begin again.

    noticed: set when they were told to try again.
    """

    browser: Browser
    step: str
    noticed: threading.Event
    arrival: Arrival
    restarts: int = 0
    key: str = field(init=False)
    """A key of the store that stands where all of this identification does."""
    codes: dict[str, int] = field(default_factory=dict)
    """How many tokens each of their codes gave."""

    def __post_init__(self) -> None:
        answer, path = self.arrival.answer, urlsplit(self.arrival.url).path
        self.key = slotted("any", answer.get("code") or answer.get("state") or path.split("/")[-1]).name

    def goes_on(self) -> None:
        """All the way to a token, as a patient person: tries again what says so, begins again where there is no way."""
        end = time.monotonic() + PATIENCE
        while not self._has_token():
            assert time.monotonic() < end, f"nowhere after {PATIENCE} s: {self.arrival.url}"
            if self._is_back and "code" in self.arrival.answer:
                if self.asks() in (200, 503):
                    continue
                self._begins_again()
            elif self.arrival.page is None and not self._is_back:
                self._opens(self.arrival.url)
            else:
                self._follows_the_page()

    def asks(self) -> int:
        """Send a token request with the code once; the status of the answer. Twice a token is a code that came back."""
        code, client = self.arrival.answer["code"], self.browser.client
        with client.session() as session:
            try:
                answer = session.fetch_token(
                    f"{client.issuer}/token",
                    authorization_response=self.arrival.url,
                    code_verifier=self.browser.verifier,
                )
            except requests.RequestException:  # 503, or no answer
                self._waits()
                return 503
            except OAuthError:
                return 400
        self.browser.client.verify(answer["id_token"], self.browser.nonce)
        self.codes[code] = self.codes.get(code, 0) + 1
        return 200

    @property
    def _is_back(self) -> bool:
        """At the client."""
        return self.arrival.page is None and self.arrival.url.startswith(self.browser.client.redirect_uri)

    def _has_token(self) -> bool:
        return bool(self.codes.get(self.arrival.answer.get("code", "")))

    def _follows_the_page(self) -> None:
        arrival = self.arrival
        same_bank = [link for link in arrival.links() if "/identify/" in link] if arrival.page is not None else []
        if arrival.page is not None and (arrival.url in arrival.links() or "Refresh" in arrival.page.headers):
            self._waits()
            self._opens(arrival.url)
        elif same_bank and "/choose/" in arrival.url and not self.restarts and self.step == "chooser":
            self._opens(same_bank[0])
        elif same_bank:
            self.restarts += "/choose/" not in arrival.url
            self._opens(next((link for link in same_bank if link.endswith("/op")), same_bank[0]))
        else:
            self._begins_again()

    def _begins_again(self) -> None:
        self.restarts += 1
        self._opens(self.browser.authorize_url(idp_hint="op"))

    def _opens(self, url: str) -> None:
        try:
            self.arrival = self.browser.open(url)
        except requests.RequestException:
            self._waits()

    def _waits(self) -> None:
        self.noticed.set()
        time.sleep(AGAIN)


def person_at(broker: Broker, step: str, noticed: threading.Event) -> Person:
    """A person who has come as far as a step."""
    browser = Browser(broker.client)
    if step == "chooser":
        return Person(browser, step, noticed, browser.start())
    arrival = browser.start(idp_hint="op", stop_before="/callback/" if step == "bank" else "")
    return Person(browser, step, noticed, arrival)


@dataclass
class Told:
    """A row of the table: logins under way, who of them had to begin again, tokens given for a code twice."""

    under_way: int
    again: list[Person]
    twice: int
    seconds: float

    @property
    def begun_again(self) -> Counter[str]:
        """How many, by the step at which they were."""
        return Counter(person.step for person in self.again)

    def __str__(self) -> str:
        lost = sum(self.begun_again.values())
        where = ", ".join(f"{number} at the {step}" for step, number in sorted(self.begun_again.items()))
        return f"under way {self.under_way}, begun again {lost} ({where}), twice {self.twice}, {self.seconds:.1f} s"


def drill(
    broker: Broker,
    people: int,
    fault: Callable[[], Any],
    *,
    before: Callable[[list[Person]], Any] = lambda people: None,
    meanwhile: Callable[[threading.Event], Any] = lambda noticed: None,
) -> Told:
    """People at each step, and some who have used their code; the fault; all go on at once; used codes are used again.

    people: at each step. before: what is done before codes are used, with those under way. fault: returns at once.
    meanwhile: runs beside all who go on; it gets an event that is set when somebody has noticed the fault.
    """
    noticed = threading.Event()
    under_way = [person_at(broker, step, noticed) for step in STEPS for _ in range(people)]
    used = [person_at(broker, "code", noticed) for _ in range(people)]
    before(under_way)
    for person in used:
        person.goes_on()
    begun = time.monotonic()
    fault()
    with ThreadPoolExecutor(len(under_way) + len(used) + 1) as pool:
        beside = pool.submit(meanwhile, noticed)
        going = [pool.submit(person.goes_on) for person in under_way]
        again = [pool.submit(_until_answered, person) for person in used]
        for done in going:
            done.result()
        seconds = time.monotonic() - begun
        for done in (beside, *again):
            done.result()
    for person in under_way:
        person.asks()  # once more, when all is well again
    again = [person for person in under_way if person.restarts]
    twice = sum(number > 1 for person in (*under_way, *used) for number in person.codes.values())
    return Told(len(under_way), again, twice, seconds)


def _until_answered(person: Person) -> None:
    end = time.monotonic() + PATIENCE
    while person.asks() == 503:
        assert time.monotonic() < end, "the token endpoint does not get well"
