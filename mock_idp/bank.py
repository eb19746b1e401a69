"""Everything one running set of mock banks consists of, handed to each endpoint."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from mock_idp.config import Config
from mock_idp.protocol.keys import KeyStore
from mock_idp.protocol.relying_party import RelyingParty
from mock_idp.state import Memory


@dataclass(frozen=True, slots=True)
class Bank:
    """Settings, keys, relying party and memory. stopping: set when the server ends, so that no fault hangs on."""

    config: Config
    keys: KeyStore
    relying_party: RelyingParty
    memory: Memory = field(default_factory=Memory)
    stopping: threading.Event = field(default_factory=threading.Event)

    def now(self) -> float:
        """Seconds since the epoch by the banks' clock, offset included."""
        return self.config.clock() + self.memory.clock_offset


def open_bank(config: Config) -> Bank:
    """The banks for these settings."""
    return Bank(config, KeyStore(config.state_dir), RelyingParty(config))
