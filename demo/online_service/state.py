"""What the views of the online service work with."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from flask import session

from demo.online_service.api import Company, RegistrationApi, Rights
from demo.online_service.sign_ins import Visitor, Visitors
from demo.portal.client_keys import ClientKeys


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is. url: our own address, as browsers see it; so are issuer and registration.

    back: where this server itself reaches the broker, if that differs (in containers).
    """

    url: str
    issuer: str
    registration: str
    back: str | None = None


@dataclass
class OnlineService:
    """The parts of the process. session_key: signs the cookie. clock: seconds since the epoch."""

    places: Places
    api: RegistrationApi
    keys: ClientKeys
    session_key: str = field(repr=False)
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        self.visitors = Visitors(self.clock)

    @property
    def today(self) -> date:
        """The day up to which there is made-up data."""
        return datetime.fromtimestamp(self.clock(), UTC).date()

    def visitor(self) -> Visitor | None:
        """The person who is signed in."""
        return self.visitors.get(session.get("visitor"))

    def enter(self, visitor: Visitor) -> None:
        """Begin their session; of what the browser had before only its language is left."""
        language = session.get("language")
        self.leave()
        session["visitor"] = self.visitors.add(visitor)
        if language:
            session["language"] = language

    def leave(self) -> None:
        """End the browser's session."""
        self.visitors.remove(session.get("visitor"))
        session.clear()

    def rights(self, visitor: Visitor) -> Rights:
        """What they may see now; asked for each page, as it may have been taken from them. Raises Unavailable."""
        token = visitor.id_token if self.clock() < visitor.token_until else None
        visitor.rights = self.api.rights(visitor.sub, token, visitor.rights)
        return visitor.rights

    def company(self, visitor: Visitor, key: str) -> Company | None:
        """The company of an address, if they may see anything of it. Raises Unavailable."""
        return next((company for company in self.rights(visitor).companies if self.key_of(company) == key), None)

    def key_of(self, company: Company) -> str:
        """What stands in addresses instead of the FO-nummer, which is a sole trader's own number."""
        return hmac.digest(self.session_key.encode(), company.fo_nummer.encode(), "sha256").hex()[:16]
