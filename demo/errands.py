"""Registration as a proof: through a provider, a first and a second person of a company; their rights compared."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import requests

from demo.client import SECONDS
from demo.mock import MockBanks
from demo.registering import PASSWORD, Company, NotRegistered, Registrant
from demo.services import Services

FIRST = {"consumption": "write", "contracts": "write", "invoices": "write", "users": "write"}
LATER = {"consumption": "read", "contracts": "none", "invoices": "none", "users": "none"}


@dataclass(frozen=True, slots=True)
class Errand:
    """The result of one. problem: None if everything is right. milliseconds: of the whole way."""

    provider: str
    which: str
    milliseconds: float
    problem: str | None


def register_pairs(
    services: Services, mock: MockBanks, providers: tuple[str, ...], companies: list[Company]
) -> Iterator[Errand]:
    """Through each provider two made-up adults register for a company of its own."""
    for provider, company in zip(providers, companies, strict=False):
        for which, wanted in (("first", FIRST), ("second", LATER)):
            user_name = f"{which}-{provider}"
            begun = time.perf_counter()
            try:
                person = Registrant(services.registration, mock, mock.made_adult())
                person.register(provider, company, user_name, f"{user_name}@example.com")
                problem = differences(services, user_name, company, wanted, administrator=which == "first")
            except (NotRegistered, requests.RequestException) as error:
                problem = f"{type(error).__name__}: {error}"
            yield Errand(provider, which, (time.perf_counter() - begun) * 1000, problem)


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
