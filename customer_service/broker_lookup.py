"""The error codes of the broker's pages: what its operations port tells of a transaction, without who it was."""

from __future__ import annotations

import logging
import re
from datetime import datetime

from pydantic import ValidationError

from customer_service.answers import Answer
from customer_service.settings.models import BrokerSettings
from kit.json_service import JsonService, NoAnswer, json_object

log = logging.getLogger("customer_service.broker")
LONGEST_ANSWER = 256 * 1024
"""Bytes."""
_CODE = re.compile("[A-Z2-7]{8,26}")
"""A `txn`, or its beginning: what people see is eight characters."""


class Transaction(Answer):
    """An event of a transaction in the broker's audit trail."""

    txn: str
    time: str | int | float
    event: str
    outcome: str | None = None
    step: str | None = None
    code: str | None = None
    provider: str | None = None
    client: str | None = None

    @property
    def at(self) -> float | None:
        """When, in seconds since the epoch; None if the time is written in another way."""
        try:
            return self.time if isinstance(self.time, int | float) else datetime.fromisoformat(self.time).timestamp()
        except ValueError:
            return None


class Transactions(Answer):
    """What was found."""

    transactions: tuple[Transaction, ...] = ()


class BrokerLookup:
    """The brokers' operations ports; without an address nothing is looked up."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._urls = settings.operations_urls
        self._calls = JsonService(settings.timeout, LONGEST_ANSWER)

    def find(self, text: str) -> tuple[Transaction, ...] | None:
        """The transactions that a code begins; none if it is no code of the broker's.

        None if no broker gives an answer: then the search still shows what registration has found.
        """
        code = "".join(text.split()).upper()
        if not _CODE.fullmatch(code) or not self._urls:
            return ()
        answered = [found for url in self._urls if (found := self._ask(url, code)) is not None]
        return tuple(one for found in answered for one in found) if answered else None

    def _ask(self, url: str, code: str) -> tuple[Transaction, ...] | None:
        try:
            status, body = self._calls.get(f"{url}/transactions", {"txn": code})
            if status != 200:
                raise NoAnswer("the status is not 200")
            return Transactions.model_validate(json_object(body)).transactions
        except NoAnswer as error:
            log.warning("the broker gave no usable answer", extra={"reason": str(error)})
        except ValidationError:
            log.error("the broker gave an answer of another form")
        return None
