"""Registration's staff API, as its client `customer-service`: JSON, and a client assertion that names who asks.

The assertion is a JWT of ours (RFC 7523 §3) with the claim `act` (RFC 8693 §4.1): the member of staff and their roles.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from pydantic import ValidationError

from customer_service import answers
from customer_service.answers import Answer
from customer_service.keys import Keys
from customer_service.settings.models import RegistrationSettings
from customer_service.sign_in.sessions import Staff
from kit.client_authentication.signing import sign_assertion
from kit.json_service import JsonService, NoAnswer, json_object

log = logging.getLogger("customer_service.registration")
LONGEST_ANSWER = 1024 * 1024
"""Bytes."""
Model = TypeVar("Model", bound=Answer)


class ApiError(Exception):
    """Why registration has not answered, or not done, what was asked for."""


class Unavailable(ApiError):
    """Registration cannot be reached, or cannot work now, or does not take our assertion. The message is constant."""


class Forbidden(ApiError):
    """The member of staff has not the role for it."""


class NotFound(ApiError):
    """There is no such company, person, case or act, or no longer."""


class Refused(ApiError):
    """An act that does not fit what there is. reason: a code. left: of wrong digits, how often one may try again."""

    def __init__(self, reason: str, left: int = 0) -> None:
        self.reason, self.left = reason, left
        super().__init__(reason)


class DecidedBefore(ApiError):
    """Somebody else was first. decided: who, when and how."""

    def __init__(self, decided: answers.AlreadyDecided) -> None:
        self.decided = decided
        super().__init__("already_decided")


class RegistrationApi:
    """The API. clock: seconds since the epoch. Every method raises ApiError."""

    def __init__(self, settings: RegistrationSettings, keys: Keys, clock: Callable[[], float]) -> None:
        self._settings, self._keys, self._clock = settings, keys, clock
        self._base = settings.back_url or settings.url
        self._calls = JsonService(settings.timeout, LONGEST_ANSWER)

    def search(self, staff: Staff, text: str) -> answers.Found:
        """Companies, people and a code of ours that fit a text."""
        return self._call(staff, "/search", answers.Found, {"q": text})

    def company(self, staff: Staff, key: str, after: str | None = None) -> answers.Company:
        """A company and a page of its users."""
        return self._call(staff, f"/companies/{quote(key, safe='')}", answers.Company, after=after)

    def person(self, staff: Staff, account_id: str) -> answers.Person:
        """A person."""
        return self._call(staff, f"/people/{quote(account_id, safe='')}", answers.Person)

    def trail(
        self, staff: Staff, before: int | None, *, company: str | None = None, account: str | None = None
    ) -> answers.Trail:
        """What has happened. company: its key. account: an id. One of them."""
        return self._call(staff, "/trail", answers.Trail, company=company, account=account, before=before)

    def cases(self, staff: Staff, state: str, after: str | None) -> answers.Cases:
        """Cases of a state."""
        return self._call(staff, "/cases", answers.Cases, state=state, after=after)

    def case(self, staff: Staff, id: str) -> answers.Case:
        """A case."""
        return self._call(staff, f"/cases/{quote(id, safe='')}", answers.Case)

    def reasons(self, staff: Staff) -> tuple[str, ...]:
        """The reasons that an act may have."""
        return self._call(staff, "/acts/vocabulary", answers.Vocabulary).reasons

    def waiting(self, staff: Staff) -> tuple[answers.WaitingAct, ...]:
        """The acts that wait for a second member of staff."""
        return self._call(staff, "/acts", answers.WaitingActs, state="waiting").acts

    def act(self, staff: Staff, asked: Mapping[str, Any]) -> answers.Outcome:
        """Do something, or ask a second member of staff to confirm it; the same `request_id` does it once."""
        return self._call(staff, "/acts", answers.Outcome, asked)

    def decide(self, staff: Staff, id: str, decision: Mapping[str, Any]) -> answers.Outcome:
        """Confirm or refuse another's act."""
        return self._call(staff, f"/acts/{quote(id, safe='')}", answers.Outcome, decision)

    def ask_caller(self, staff: Staff, asked: Mapping[str, Any]) -> answers.CallerCheck:
        """Begin a check of who is on the phone, which is this member of staff's alone."""
        return self._call(staff, "/caller-checks", answers.CallerCheck, asked)

    def caller_check(self, staff: Staff, id: str) -> answers.CallerCheckState:
        """How a check stands."""
        return self._call(staff, f"/caller-checks/{quote(id, safe='')}", answers.CallerCheckState)

    def name_caller(self, staff: Staff, id: str, digits: str) -> answers.Caller:
        """Who the caller is, once, for the four digits that they read aloud."""
        return self._call(staff, f"/caller-checks/{quote(id, safe='')}/name", answers.Caller, {"digits": digits})

    def _call(
        self,
        staff: Staff,
        path: str,
        model: type[Model],
        value: Mapping[str, Any] | None = None,
        **query: str | int | None,
    ) -> Model:
        """A POST of a value, or a GET if there is none. query: only keys and ids of ours; what is None is left out."""
        path = f"/api/staff{path}"
        headers = {"Client-Assertion": self._assertion(staff, path)}
        asked = {name: str(part) for name, part in query.items() if part is not None}
        url = self._base + path + (f"?{urlencode(asked)}" if asked else "")
        try:
            status, body = (
                self._calls.get(url, headers=headers) if value is None else self._calls.post(url, value, headers)
            )
            if status in (200, 202):
                return model.model_validate(json_object(body))
        except NoAnswer as error:
            log.warning("registration gave no usable answer", extra={"reason": str(error)})
            raise Unavailable(str(error)) from error
        except ValidationError as error:
            log.error("registration gave an answer of another form", extra={"reason": model.__name__})
            raise Unavailable("the answer is of another form") from error
        raise _error(status, body)

    def _assertion(self, staff: Staff, path: str) -> str:
        act = {"iss": staff.issuer, "sub": staff.subject, "roles": sorted(staff.roles)}
        if staff.email:
            act["email"] = staff.email
        settings = self._settings
        return sign_assertion(self._keys.client, settings.client_id, settings.url + path, self._clock(), act=act)


def _error(status: int, body: bytes) -> ApiError:
    """What a status that is no success means."""
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    said: Mapping[str, Any] = told if isinstance(told, dict) else {}
    if status == 403:
        return Forbidden()
    if status == 404:
        return NotFound()
    if status == 409:
        known = {name: said.get(name) for name in answers.AlreadyDecided.model_fields}
        try:
            return DecidedBefore(answers.AlreadyDecided.model_validate(known))
        except ValidationError:
            return DecidedBefore(answers.AlreadyDecided())
    if status == 422:
        reason = said.get("reason")
        left = said.get("left")
        return Refused(reason if isinstance(reason, str) else "invalid", left if isinstance(left, int) else 0)
    if status == 400:
        return Refused("invalid")
    log.error("registration does not answer us", extra={"status": status})
    return Unavailable("the status is neither a success nor a refusal")
