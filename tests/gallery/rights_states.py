"""Registration's pages that show what stands in its database: drawn by the whole application, for people made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse
from werkzeug.wrappers import Response

from registration import audit, cases
from registration.accounts.new_email import SENT
from registration.audit import By
from registration.cases import codes
from registration.customer_register import Customer
from registration.database.models import Account, Company, NumberStatus, Share
from registration.rights import founding, lookup, sharing
from registration.rights_pages.sharing import SHARED
from registration.rights_pages.users import CHANGED, CONFIRMED, CONFIRMED_PAGE, LEFT, REMOVED
from tests.gallery.state import Draw, State, states
from tests.harness.registration_rights import NONE, NOW, READER, Harness, open_app, open_harness, sign_in

SERVICE = "rights"
COMPANIES = {
    "1234567-1": "Pohjois-Hämeen Sähköurakointi ja Kiinteistöhuolto Virtanen & Pojat Oy",
    "9990001-6": "Oy Ab Å",
    "0112038-9": "Lounaisrannikonkaukolämpölaitostenhuoltopalveluyhdistys ry",
}
LARGE, SMALL, OTHER = COMPANIES
NAMES = (
    ("Aino", "Virtanen"),
    ("Åke Björn Christian Dag", "af Hällström-Gyllenbögel"),
    ("Wolfgang-Maximilian", "Hohenzollern-Sigmaringen-Schönborn"),
    ("Li", "Xu"),
    ("Maria", "O’Connor & Co"),
    ("Nguyễn Thị", "Minh Khai"),
)
REQUESTS = {
    "by letter": ("founding", "letter", ""),
    "by e-mail": ("founding", "email", "sent"),
    "code over": ("founding", "letter", "over"),
    "by customer service": ("founding", "approval", ""),
    "to join": ("joining", "approval", ""),
    "disputed": ("disputed", "approval", ""),
    "granted": ("joining", "approval", "grant"),
    "refused": ("joining", "approval", "refuse"),
    "withdrawn": ("disputed", "approval", "withdraw"),
}
"""Kind and way of a request, and what became of it."""
TOO_MANY = 8
"""More tries than a day allows."""


@dataclass(frozen=True)
class People:
    """Registration, with people in it. chief: administrator of both; alone: of one company, and its only user.

    clerk: may see users and change their rights; reader: consumption only; stranger: nothing; guesser: has tried
    too often.
    """

    harness: Harness
    app: Flask
    chief: Account
    deputy: Account
    clerk: Account
    reader: Account
    alone: Account
    stranger: Account
    guesser: Account
    guest: Account
    suspended: Account
    requests: Mapping[str, tuple[Account, str]]
    """Who asks for something, and the address of their request."""

    def get(
        self,
        account: Account,
        path: str,
        locale: str,
        said: str = "",
        identified_at: int | None = NOW,
        *,
        identified: bool = False,
    ) -> TestResponse:
        """A page as somebody sees it. said: the notice that the page before has left."""
        client = sign_in(self.harness, self.app, account, identified_at, identified=identified).client
        if said:
            with client.session_transaction() as cookie:
                cookie["_flashes"] = [("message", said)]
        return client.get(path, query_string={"ui_locales": locale})

    def post(
        self, account: Account, path: str, fields: Mapping[str, str], locale: str, *, identified: bool = False
    ) -> TestResponse:
        """What somebody gets for a form that is refused."""
        browser = sign_in(self.harness, self.app, account, identified=identified)
        return browser.post(f"{path}?ui_locales={locale}", fields)

    def users(self, *more: str, fo_nummer: str = LARGE) -> str:
        """An address below a company's users."""
        return "/".join(["/companies", self.harness.key(fo_nummer), "users", *more])

    def given(self) -> str:
        """The address of what the chief has given to the reader on top of their right."""
        with self.harness.database.read() as tx:
            share = tx.scalars(select(Share)).one()
        return self.users(share.account_id, "given", share.id)

    def close(self) -> None:
        """Let the database go."""
        self.app.extensions["registration"].database.close()
        self.harness.database.close()

    def share(self, fo_nummer: str = LARGE) -> str:
        """The address where a company's data is shared."""
        return f"/companies/{self.harness.key(fo_nummer)}/share"


def settle(folder: Path) -> People:
    """Fill a new database. folder: for it and for keys."""
    url = f"sqlite:///{folder / 'registration.sqlite'}"
    harness = open_harness(url)
    app = open_app(folder, url)
    chief, deputy, clerk, reader, *others = [
        _person(harness, f"user-{place}", *name) for place, name in enumerate(NAMES)
    ]
    stranger, guesser = harness.person("stranger"), harness.person("guesser")
    others += [
        _person(harness, f"hilja-maria.korhonen-lindqvist.{place}@example.com", "Hilja", f"Testinen {place}")
        for place in range(8)
    ]
    _join(harness, LARGE, [chief, deputy, clerk, reader, guesser, *others])
    _join(harness, OTHER, [chief], numbers=("3001", "3002", "3003", "3004", "3005", "3006"))
    alone = harness.person("alone", family_name="Yksinäinen")
    _join(harness, SMALL, [alone])
    harness.give(deputy, LARGE, administrator=True)
    harness.give(clerk, LARGE, users="write", contracts="read")
    harness.give(others[0], LARGE, consumption="none")
    harness.give(others[1], LARGE, consumption="write", contracts="write", invoices="write", users="write")
    harness.give(others[2], LARGE, users="read", invoices="write")
    guest, suspended = _person(harness, "guest", "Eeva-Liisa", "Vieras"), harness.person("suspended")
    further = _person(harness, "further", "Onni", "Seuraava")
    _join(harness, OTHER, [suspended], numbers=("4001", "4002"))
    with harness.database.write() as tx:
        sharing.share(tx, clerk, harness.key(LARGE), "guest", guest.email, READER, NOW, NOW + 40 * 86_400)
        more = READER | {"invoices": "read"}
        sharing.share(tx, chief, harness.key(LARGE), reader.user_name, reader.email, more, NOW, NOW + 40 * 86_400)
        company = tx.get_one(Company, LARGE)
        company.reviewed_at = NOW - 300 * 86_400
    with harness.database.write() as tx:
        sharing.share(tx, guest, harness.key(LARGE), "further", further.email, READER, NOW)
        gone = NumberStatus.customer_number.in_(["4001", "4002"])
        tx.execute(update(NumberStatus).where(gone).values(suspended_at=NOW - 86_400))
        audit.record(tx, "signed_in", now=NOW - 60, actor=guest.id, subject=guest.id, by="password")
        audit.record(tx, "listed", now=NOW - 30, actor="operator:maija", subject=guest.id, reason="asked by phone")
        audit.record(tx, "refused", now=NOW, actor="nobody", subject=guest.id, reason="other_person")
    requests = {name: _asks(harness, app, name, *how) for name, how in REQUESTS.items()}
    return People(harness, app, chief, deputy, clerk, reader, alone, stranger, guesser, guest, suspended, requests)


def _asks(harness: Harness, app: Flask, name: str, kind: str, way: str, then: str) -> tuple[Account, str]:
    account = _person(harness, name.replace(" ", "."), "Hilja", "Korhonen-Lindqvist")
    customer = Customer("7001234", LARGE, COMPANIES[LARGE])
    with harness.database.write() as tx:
        case = cases.open_case(tx, account, kind, customer, NOW, way=way)
        if then in cases.OUTCOMES:
            cases.decide(tx, case.id, then, By("operator:maija", NOW, {"reason": "by phone"}))
        elif then:
            codes.make(app.extensions["registration"].keys, case, NOW if then == "sent" else 1)
        return account, f"/requests/{case.id}"


def rights_states(people: People) -> list[State]:
    """The states of these pages."""
    ours = _rights(people) | _new_email(people) | _users(people) | _user(people)
    return states(SERVICE, ours | _sharing(people) | _requests(people) | _others(people))


def _rights(people: People) -> dict[str, Draw]:
    return {
        "my rights, one company": lambda locale: people.get(people.reader, "/rights", locale),
        "my rights, two companies": lambda locale: people.get(people.chief, "/rights", locale),
        "my rights, none": lambda locale: people.get(people.stranger, "/rights", locale),
        "my rights, shared": lambda locale: people.get(people.reader, "/rights", locale, SHARED),
        "my rights, suspended": lambda locale: people.get(people.suspended, "/rights", locale),
        "history": lambda locale: people.get(people.guest, "/history", locale),
        "history, none": lambda locale: people.get(people.stranger, "/history", locale),
        "my rights, until a day": lambda locale: people.get(people.guest, "/rights", locale),
        "my rights, left": lambda locale: people.get(people.stranger, "/rights", locale, LEFT),
        "my rights, new e-mail address": lambda locale: people.get(people.reader, "/rights", locale, SENT),
        "sessions, real": lambda locale: people.get(people.chief, "/sessions", locale),
    }


def _new_email(people: People) -> dict[str, Draw]:
    page, reader = "/new-email", people.reader

    def refused(address: str) -> Draw:
        return lambda locale: people.post(reader, page, {"email": address}, locale)

    return {
        "new e-mail address": lambda locale: people.get(reader, page, locale),
        "new e-mail address, not freshly identified": lambda locale: people.get(
            reader, page, locale, identified_at=None
        ),
        "new e-mail address, none": refused("hilja example.com"),
        "new e-mail address, the present one": refused(reader.email),
    }


def _first_page(people: People, locale: str) -> TestResponse:
    """A company's users as if there were too many for one page."""
    with patch.object(lookup, "USERS_OF_A_PAGE", 3):
        return people.get(people.chief, people.users(), locale)


def _users(people: People) -> dict[str, Draw]:
    return {
        "users, many": lambda locale: people.get(people.chief, people.users(), locale),
        "users, several pages": lambda locale: _first_page(people, locale),
        "users, one": lambda locale: people.get(people.alone, people.users(fo_nummer=SMALL), locale),
        "users, not an administrator": lambda locale: people.get(people.clerk, people.users(), locale),
        "users, changed": lambda locale: people.get(people.chief, people.users(), locale, CHANGED),
        "users, confirmed": lambda locale: people.get(people.chief, people.users(), locale, CONFIRMED),
        "users, changed meanwhile": lambda locale: people.post(people.chief, people.users("confirmed"), {}, locale),
        "users, page confirmed": lambda locale: people.get(people.chief, people.users(), locale, CONFIRMED_PAGE),
        "users, removed": lambda locale: people.get(people.chief, people.users(), locale, REMOVED),
    }


def _user(people: People) -> dict[str, Draw]:
    reader, deputy, chief, alone = people.reader.id, people.deputy.id, people.chief.id, people.alone.id
    role = {"role": ""}
    return {
        "user": lambda locale: people.get(people.chief, people.users(reader), locale),
        "user, an administrator": lambda locale: people.get(people.chief, people.users(deputy), locale),
        "user, last administrator": lambda locale: people.get(
            people.alone, people.users(alone, fo_nummer=SMALL), locale
        ),
        "user, by a clerk": lambda locale: people.get(people.clerk, people.users(reader), locale),
        "user, above own level": lambda locale: people.post(
            people.clerk, people.users(reader), NONE | {"contracts": "write"}, locale
        ),
        "remove": lambda locale: people.get(people.chief, people.users(reader, "remove"), locale),
        "take back": lambda locale: people.get(people.chief, people.given(), locale),
        "my rights, given on top": lambda locale: people.get(people.chief, "/rights", locale),
        "remove, with what was given on top": lambda locale: people.get(
            people.deputy, people.users(chief, "remove"), locale
        ),
        "remove, with what hangs on it": lambda locale: people.get(
            people.chief, people.users(people.clerk.id, "remove"), locale
        ),
        "give up, with what hangs on it": lambda locale: people.get(
            people.clerk, people.users(people.clerk.id, "remove"), locale
        ),
        "remove, not freshly identified": lambda locale: people.get(
            people.chief, people.users(reader, "remove"), locale, identified_at=None
        ),
        "administrator, not freshly identified": lambda locale: people.get(
            people.chief, people.users(reader, "administrator"), locale, identified_at=None
        ),
        "user, not freshly identified": lambda locale: people.get(
            people.chief, people.users(reader), locale, identified_at=None
        ),
        "give up": lambda locale: people.get(people.reader, people.users(reader, "remove"), locale),
        "administrator": lambda locale: people.get(people.chief, people.users(reader, "administrator"), locale),
        "administrator, none chosen": lambda locale: people.post(
            people.chief, people.users(reader, "administrator"), role, locale
        ),
        "administrator, another": lambda locale: people.get(
            people.chief, people.users(deputy, "administrator"), locale
        ),
        "administrator, oneself": lambda locale: people.get(people.chief, people.users(chief, "administrator"), locale),
        "last administrator": lambda locale: people.get(
            people.alone, people.users(alone, "remove", fo_nummer=SMALL), locale
        ),
    }


def _sharing(people: People) -> dict[str, Draw]:
    nobody = {"user_name": "nobody", "email": "nobody@example.com"}
    deputy = {"user_name": people.deputy.user_name, "email": people.deputy.email}

    def refused(account: Account, fields: Mapping[str, str]) -> Draw:
        return lambda locale: people.post(account, people.share(), fields, locale)

    def too_many(locale: str) -> Response:
        answers = [people.post(people.guesser, people.share(), nobody | READER, locale) for _ in range(TOO_MANY)]
        return answers[-1]

    return {
        "share": lambda locale: people.get(people.reader, people.share(), locale),
        "share, by an administrator": lambda locale: people.get(people.chief, people.share(), locale),
        "share, not freshly identified": lambda locale: people.get(
            people.reader, people.share(), locale, identified_at=None
        ),
        "share, no such day": refused(people.chief, deputy | READER | {"ends": "31.2.2030"}),
        "share, empty": refused(people.chief, {"user_name": "", "email": ""} | READER),
        "share, no such user": _once(refused(people.chief, nobody | READER)),
        "share, nothing given": refused(people.reader, deputy | NONE),
        "share, above own level": refused(people.reader, deputy | READER | {"invoices": "write"}),
        "share, too many tries": too_many,
    }


def _requests(people: People) -> dict[str, Draw]:
    """What waits for a decision."""
    waiting, page = people.requests["by letter"]
    joining = people.requests["to join"][1].removeprefix("/")
    decision = f"/companies/{people.harness.key(LARGE)}/{joining}"
    disputing = {"identified": True}
    wrong = {"company_name": COMPANIES[LARGE], "fo_nummer": LARGE, "customer_number": "999"}

    def too_many(locale: str) -> Response:
        answers = [people.post(people.guesser, "/dispute", wrong, locale, **disputing) for _ in range(TOO_MANY)]
        return answers[-1]

    def of(account: Account, path: str) -> Draw:
        return lambda locale: people.get(account, path, locale)

    return {
        **{f"request, {name}": of(*request) for name, request in people.requests.items()},
        "request, wrong code": lambda locale: people.post(waiting, f"{page}/code", {"code": ""}, locale),
        "my rights, waiting": of(waiting, "/rights"),
        "decision": of(people.chief, decision),
        "dispute": lambda locale: people.get(people.reader, "/dispute", locale, **disputing),
        "dispute, signed in by password": of(people.reader, "/dispute"),
        "dispute, empty": lambda locale: people.post(people.reader, "/dispute", {}, locale, **disputing),
        "dispute, too many tries": too_many,
    }


def _once(draw: Draw) -> Draw:
    """The answer to the first try in each language: one more would be one too many."""
    drawn: dict[str, Response] = {}

    def once(locale: str) -> Response:
        if locale not in drawn:
            drawn[locale] = draw(locale)
        return drawn[locale]

    return once


def _others(people: People) -> dict[str, Draw]:
    def open_to_all(path: str) -> Draw:
        return lambda locale: people.app.test_client().get(path, query_string={"ui_locales": locale})

    return {
        "terms, in force": open_to_all("/terms"),
        "start, whole application": open_to_all("/"),
        "sign in, whole application": open_to_all("/sign-in"),
        "not found, whole application": open_to_all("/nowhere"),
        "forbidden, whole application": lambda locale: people.get(people.stranger, people.users(), locale),
    }


def _person(harness: Harness, user_name: str, given_name: str, family_name: str) -> Account:
    account = harness.person(user_name, family_name=family_name)
    with harness.database.write() as tx:
        tx.get_one(Account, account.id).given_name = given_name
    account.given_name = given_name
    if "@" in user_name:
        with harness.database.write() as tx:
            tx.get_one(Account, account.id).email = user_name
    return account


def _join(harness: Harness, fo_nummer: str, accounts: Sequence[Account], numbers: Sequence[str] = ("1001",)) -> None:
    found: Callable[..., bool] = founding.found_or_join
    for place, account in enumerate(accounts):
        for number in numbers:
            with harness.database.write() as tx:
                found(tx, account, fo_nummer, COMPANIES[fo_nummer], number, NOW - 86_400 * 30 * place)
