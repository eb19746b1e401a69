"""Is the company still there? PRH's open data of the Business Information System (YTJ API v3) is asked.

`GET {url}/companies?businessId=NNNNNNN-N` answers `totalResults` and `companies[]`. Of a company we read
`businessId.value`, `endDate` (when it ended) and `companySituations[]`, each with `type` and perhaps its own
`endDate`; `KONK` is a bankruptcy. Source: https://avoindata.prh.fi/opendata-ytj-api/v3/schema, and the answers that
others keep in their public tests.

Not read: `status`, which is 2 for living and ended companies alike; and `tradeRegisterStatus`, since who leaves the
trade register (a sole trader, say) may go on in business. Unconfirmed, as PRH publishes no list of them that we
could read: the codes of liquidation and reorganisation, in which a company still uses electricity and is not
stopped. 300 questions a minute are said to be what all users of the service share; more get status 429.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kit.json_service import JsonService, NoAnswer, json_object
from registration.settings.models import CompanyCheckSettings

LONGEST_ANSWER = 512 * 1024
"""Bytes. A company comes with its whole history of names and entries."""
BANKRUPTCY = "KONK"

State = Literal["active", "ceased", "unknown", "unreachable", "off"]
Reason = Literal["ended", "bankrupt"]

_log = logging.getLogger("registration.company_check")


@dataclass(frozen=True, slots=True)
class Check:
    """What is known of a company. reason: why it is `ceased`, else None.

    `unknown`: not in the open data, as sole traders are not. `unreachable`: no usable answer. `off`: not asked.
    """

    state: State
    reason: Reason | None = None

    @property
    def stops(self) -> bool:
        """Whether nobody can become its representative."""
        return self.state == "ceased"


class CompanyCheck:
    """Asks PRH, if the configuration says so."""

    def __init__(self, settings: CompanyCheckSettings) -> None:
        self._url = f"{settings.url.rstrip('/')}/companies" if settings.enabled else None
        self._service = JsonService(settings.timeout, LONGEST_ANSWER)

    def check_company(self, fo_nummer: str) -> Check:
        """What is known of a company. fo_nummer: as NNNNNNN-N. Raises nothing: no answer is `unreachable`."""
        if self._url is None:
            return Check("off")
        try:
            status, body = self._service.get(self._url, {"businessId": fo_nummer})
            if status != 200:
                raise NoAnswer("the status is not 200")
            return _judge(json_object(body), fo_nummer)
        except NoAnswer as error:
            _log.warning("the company check got no usable answer", extra={"reason": str(error)})
            return Check("unreachable")


def _judge(answer: dict[str, Any], fo_nummer: str) -> Check:
    total, companies = answer.get("totalResults"), _objects(answer.get("companies"))
    if type(total) is not int or (total == 0) != (not companies):
        raise NoAnswer("the number of companies is not as described")
    if not companies:
        return Check("unknown")
    company = next((one for one in companies if _business_id(one) == fo_nummer), None)
    if company is None:
        raise NoAnswer("the answer is of another company")
    situations = _objects(company.get("companySituations") or [])
    if any(one.get("type") == BANKRUPTCY and not _has_ended(one) for one in situations):
        return Check("ceased", "bankrupt")
    return Check("ceased", "ended") if _has_ended(company) else Check("active")


def _objects(value: Any) -> Sequence[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise NoAnswer("a list is not as described")
    return value


def _business_id(company: dict[str, Any]) -> Any:
    business_id = company.get("businessId")
    return business_id.get("value") if isinstance(business_id, dict) else None


def _has_ended(thing: dict[str, Any]) -> bool:
    end = thing.get("endDate")
    if not isinstance(end, str | None):
        raise NoAnswer("an end date is no text")
    return bool(end)
