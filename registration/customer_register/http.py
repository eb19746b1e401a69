"""The customer register as a service of the company's: docs/openapi-customer-register.yaml."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

from kit.json_service import JsonService, NoAnswer, json_object
from kit.typed_text import is_broken, line
from registration.customer_register import FURTHER, LONGEST_NAME, Customer, RegisterUnavailable, further_details

LONGEST_ANSWER = 64 * 1024
"""Bytes."""

_log = logging.getLogger("registration.customer_register")


class HttpRegister:
    """Asks the service at `url`. token: for its Authorization header (RFC 6750), or None. timeout: seconds."""

    def __init__(self, url: str, token: str | None, timeout: float) -> None:
        self._url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._service = JsonService(timeout, LONGEST_ANSWER, headers)

    def find(self, customer_number: str, fo_nummer: str) -> Customer | None:
        """See CustomerRegister; one call, whatever is wrong."""
        url = f"{self._url}/customers/{quote(customer_number, safe='')}"
        try:
            status, body = self._service.get(url, {"fo_nummer": fo_nummer})
            return _customer(status, body, customer_number, fo_nummer)
        except NoAnswer as error:
            _log.warning("the customer register gave no usable answer", extra={"reason": str(error)})
            raise RegisterUnavailable(str(error)) from error


def _customer(status: int, body: bytes, customer_number: str, fo_nummer: str) -> Customer | None:
    if status == 404:
        return None
    if status != 200:
        raise NoAnswer("the status is neither 200 nor 404")
    answer = json_object(body)
    if answer.get("customer_number") != customer_number or answer.get("fo_nummer") != fo_nummer:
        raise NoAnswer("the answer is of another customer")
    return Customer(customer_number, fo_nummer, _name(answer.get("company_name")), **_further(answer))


def _further(answer: dict[str, Any]) -> dict[str, str | None]:
    """What an older service leaves out, or answers as null."""
    texts = {name: value for name, value in answer.items() if isinstance(value, str) and value}
    if "postal_address" in texts:
        texts["postal_address"] = ", ".join(texts["postal_address"].splitlines())
    broken = any(is_broken(texts.get(name, "")) for name in FURTHER)
    wrong_type = any(not isinstance(answer.get(name), str | None) for name in FURTHER)
    try:
        if broken or wrong_type:
            raise ValueError
        return further_details({name: line(text) for name, text in texts.items()})
    except ValueError as error:
        raise NoAnswer("an address or the contract's end is not as described") from error


def _name(value: Any) -> str:
    name = line(value) if isinstance(value, str) and not is_broken(value) else ""
    if not 1 <= len(name) <= LONGEST_NAME:
        raise NoAnswer("the company's name is no usable text")
    return name
