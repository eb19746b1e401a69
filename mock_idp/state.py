"""What the banks remember, in memory only: queued outcomes, trips under way, codes, used jti values, what was sent.

Every collection is bounded; what is oldest goes first. One process serves; a restart forgets everything.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from mock_idp.people.faces import Face
from mock_idp.people.personas import Persona
from mock_idp.protocol.issuers import SHARED, Issuer

CAPTURED = 1000
REMEMBERED = 20_000
INTERACTION_SECONDS = 900
CODE_SECONDS = 120

Outcome = Literal["approve", "cancel", "fail", "time_out"]


@dataclass(frozen=True, slots=True)
class FaultUse:
    """A fault by name, with its parameters (seconds, bytes)."""

    name: str
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scripted:
    """The next outcome for a face: what `/authorize` answers without asking anyone.

    provider: a face's id or `*`. dialect, shape: None for any. persona: None for the face's first person.
    times: how often; 0 until a reset.
    """

    provider: str
    dialect: str | None
    shape: Literal["shared", "own"] | None
    outcome: Outcome
    persona: Persona | None
    faults: tuple[FaultUse, ...]
    times: int

    def fits(self, issuer: Issuer, face: Face | None) -> bool:
        """Whether it is meant for this request; face: None where the contract cannot select."""
        shape = "shared" if issuer.realm == SHARED else "own"
        return (
            (face is None or self.provider in ("*", face.id))
            and self.dialect in (None, issuer.dialect_name)
            and self.shape in (None, shape)
        )


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A verified authorization request, as far as the answer needs it."""

    issuer: Issuer
    face: Face | None
    redirect_uri: str
    state: str
    nonce: str
    acr: str
    profile: bool
    code_challenge: str | None
    ui_locale: str
    service_name: str


@dataclass(slots=True)
class Interaction:
    """A person at the bank's page. event_code, started, polls: of the mobile certificate's waiting page."""

    request: AuthorizationRequest
    face: Face | None
    expires: float
    persona: Persona | None = None
    event_code: str = ""
    started: float = 0.0
    polls: int = 0
    faults: tuple[FaultUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Login:
    """A person identified, for whom a code was issued."""

    request: AuthorizationRequest
    face: Face
    persona: Persona
    auth_time: int
    faults: tuple[FaultUse, ...]
    expires: float


class Memory:
    """Everything the banks remember; safe for threads."""

    def __init__(self) -> None:
        self.guard = threading.RLock()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        with self.guard:
            self.clock_offset = 0.0
            self.queue: list[Scripted] = []
            self.interactions: OrderedDict[str, Interaction] = OrderedDict()
            self.codes: OrderedDict[str, Login] = OrderedDict()
            self.used_codes: OrderedDict[str, bool] = OrderedDict()
            self.used_jtis: OrderedDict[str, bool] = OrderedDict()
            self.captured: deque[dict[str, Any]] = deque(maxlen=CAPTURED)
            self.jwks_faults: dict[Issuer, ArmedFault] = {}
            self.disturbances: dict[str, Disturbance] = {}
            self.unlisted: frozenset[str] = frozenset()
            self.notice_fault: str | None = None
            self.notice_fetches = 0

    def take_scripted(self, issuer: Issuer, face: Face | None) -> Scripted | None:
        """The first outcome in the queue that fits; one use of it is spent."""
        with self.guard:
            for position, scripted in enumerate(self.queue):
                if scripted.fits(issuer, face):
                    if scripted.times == 1:
                        del self.queue[position]
                    elif scripted.times > 1:
                        self.queue[position] = replace(scripted, times=scripted.times - 1)
                    return scripted
        return None

    def start_interaction(self, interaction: Interaction) -> str:
        """Keep a trip under way; its id."""
        handle = secrets.token_urlsafe(24)
        with self.guard:
            _remember(self.interactions, handle, interaction)
        return handle

    def interaction(self, handle: str, issuer: Issuer, now: float) -> Interaction | None:
        """The trip of that id at that issuer, unless it lapsed."""
        with self.guard:
            found = self.interactions.get(handle)
        return found if found and found.request.issuer == issuer and now < found.expires else None

    def end_interaction(self, handle: str) -> Interaction | None:
        """Take a trip: only one caller gets it."""
        with self.guard:
            return self.interactions.pop(handle, None)

    def issue_code(self, login: Login, length: int) -> str:
        """A fresh code for a login."""
        code = secrets.token_urlsafe(length)
        with self.guard:
            _remember(self.codes, code, login)
        return code

    def redeem_code(self, code: str) -> Login | Literal["used", "unknown"]:
        """What a code stands for; a second time it is `used`."""
        with self.guard:
            login = self.codes.pop(code, None)
            if login is None:
                return "used" if code in self.used_codes else "unknown"
            _remember(self.used_codes, code, True)
            return login

    def first_use(self, jti: str) -> bool:
        """Whether a jti was never seen before; it is now."""
        with self.guard:
            if jti in self.used_jtis:
                return False
            _remember(self.used_jtis, jti, True)
            return True

    def capture(self, record: dict[str, Any]) -> None:
        """Keep what a relying party sent."""
        with self.guard:
            self.captured.append(record)

    def captured_requests(self) -> Sequence[dict[str, Any]]:
        """What relying parties sent, oldest first."""
        with self.guard:
            return list(self.captured)


@dataclass(slots=True)
class ArmedFault:
    """A fault of the key set, in force until the issuer's next authorization request; fetches: seen since."""

    use: FaultUse
    kid: str
    fetches: int = 0


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A notice of a disturbance: header and text by language."""

    header: Mapping[str, str]
    text: Mapping[str, str]


_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def _remember(store: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
    store[key] = value
    while len(store) > REMEMBERED:
        store.popitem(last=False)
