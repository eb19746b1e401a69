"""What a request works with: the parts, handed in by `create_app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from customer_service.broker_lookup import BrokerLookup
from customer_service.keys import Keys
from customer_service.pages.rendering import Pages
from customer_service.registration_api import RegistrationApi
from customer_service.settings import Settings
from customer_service.sign_in.counts import SignInCounts
from customer_service.sign_in.provider import Provider
from customer_service.sign_in.sessions import Sessions


@dataclass(frozen=True)
class Service:
    """The parts of a process. clock: seconds since the epoch."""

    settings: Settings
    keys: Keys
    pages: Pages
    provider: Provider
    sessions: Sessions
    sign_ins: SignInCounts
    registration: RegistrationApi
    broker: BrokerLookup
    clock: Callable[[], float]

    @property
    def now(self) -> int:
        """Whole seconds since the epoch."""
        return int(self.clock())
