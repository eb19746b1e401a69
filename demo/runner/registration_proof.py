"""Registration as a proof: through a provider, a first and a second person of a company; their rights compared."""

from __future__ import annotations

import html
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from demo.runner.client import SECONDS
from demo.runner.mock_banks import MockBanks
from demo.runner.progress import waiting_for
from demo.runner.registrant import PASSWORD, Company, NotRegistered, Registrant
from demo.runner.services import Services

MAIL_SECONDS = 30
FIRST = {"consumption": "write", "contracts": "write", "invoices": "write", "users": "write"}
LATER = {"consumption": "read", "contracts": "none", "invoices": "none", "users": "none"}


@dataclass(frozen=True, slots=True)
class Places:
    """The addresses of a running demo."""

    registration: str
    online_service: str
    mailbox: str


@dataclass(frozen=True, slots=True)
class RegistrationProof:
    """The result of one. problem: None if everything is right. milliseconds: of the whole way."""

    provider: str
    which: str
    milliseconds: float
    problem: str | None


def register_pairs(
    services: Services, mock: MockBanks, providers: tuple[str, ...], companies: list[Company]
) -> Iterator[RegistrationProof]:
    """Through each provider two made-up adults register for a company of its own."""
    for provider, company in zip(providers, companies, strict=False):
        for which, wanted in (("first", FIRST), ("second", LATER)):
            user_name = f"{which}-{provider}"
            waiting_for(f"the registration of the {which} person through {provider}")
            begun = time.perf_counter()
            try:
                person = Registrant(services.registration, mock, mock.made_adult())
                person.register(provider, company, user_name, f"{user_name}@example.com")
                problem = differences(services, user_name, company, wanted, administrator=which == "first")
            except (NotRegistered, requests.RequestException) as error:
                problem = f"{type(error).__name__}: {error}"
            yield RegistrationProof(provider, which, (time.perf_counter() - begun) * 1000, problem)


def register_company(places: Places, mock: MockBanks, company: Company) -> str | None:
    """One person from registration to the online service, e-mail included; what went wrong, None if nothing did."""
    user_name = f"walk-{secrets.token_hex(4)}"
    address = f"{user_name}@example.com"
    try:
        person = Registrant(places.registration, mock, mock.made_adult())
        person.register("nordea", company, user_name, address)
        link = confirmation_link(places.mailbox, address)
        person.expect("/confirmed", person.post(urlsplit(link).path, person.get(link)))
        visitor = Registrant(places.online_service, mock)
        page = visitor.post("/sign-in", visitor.get("/"), user_name=user_name, password=PASSWORD)
    except (NotRegistered, requests.RequestException) as error:
        return f"{type(error).__name__}: {error}"
    return None if html.escape(company.name) in page.text else f"the online service: {page.status} {page.title}"


def confirmation_link(mailbox: str, address: str) -> str:
    """The link in the e-mail that an address got. Raises NotRegistered if none comes."""
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(MAIL_SECONDS * 5):
            mails = session.get(f"{mailbox}/api/mails", params={"to": address}, timeout=SECONDS).json()["mails"]
            links = [link for mail in mails for link in mail["links"] if "/confirm/" in link]
            if links:
                return str(links[0])
            time.sleep(0.2)
    raise NotRegistered(f"no e-mail within {MAIL_SECONDS} s")


def differences(
    services: Services, user_name: str, company: Company, wanted: dict[str, str], *, administrator: bool
) -> str | None:
    """What of a person's rights is not as it must be, by the API that the online service uses; None if nothing is."""
    with requests.Session() as session:
        session.trust_env = False
        session.auth = ("online-service", services.secret)
        body = {"user_name": user_name, "password": PASSWORD, "address": "192.0.2.1"}
        person = session.post(f"{services.registration}/api/sign-in", json=body, timeout=SECONDS)
        if person.status_code != 200:
            return f"sign-in: {person.status_code}"
        query = {"sub": person.json()["sub"]}
        rights = session.get(f"{services.registration}/api/rights", params=query, timeout=SECONDS)
    if rights.status_code != 200:
        return f"rights: {rights.status_code}"
    found = rights.json()["companies"]
    if len(found) != 1 or found[0]["fo_nummer"] != company.fo_nummer:
        return "rights: another company"
    (right,) = found
    wrong = [name for name, level in wanted.items() if right["sections"].get(name) != level]
    wrong += ["administrator"] if right["administrator"] != administrator else []
    wrong += ["customer_numbers"] if right["customer_numbers"] != [company.customer_number] else []
    return f"wrong or missing: {', '.join(wrong)}" if wrong else None
