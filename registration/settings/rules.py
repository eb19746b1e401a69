"""The table `rules`: who may register, how often something may be tried, and when rights end."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from kit.settings.report import refusal
from kit.settings.types import Section

LEAST_TO_READ = 20
"""Seconds."""


def _readable(seconds: int) -> int:
    """WCAG 2.2.1: a page that leads on by itself must leave time to be read, and to be stopped."""
    if 0 < seconds < LEAST_TO_READ:
        raise refusal("is too short to read a page", allowed=f"0, or {LEAST_TO_READ} or more", mend="0 for never")
    return seconds


class RulesSettings(Section):
    """least_age: years. draft: seconds a form is kept. The tries are wrong ones per day.

    starts_per_address: identifications begun in a quarter of an hour; an office full of people has one address, and
    an IPv6 site (/48) ten times as many. starts_in_all: from everywhere; each is a record of about a kilobyte.
    confirmations_per_mail_address: e-mails a day that ask one mail address for a confirmation, for all accounts.
    continue_after: seconds until the last page leads on to the online service; 0 for never.
    number_grace_days: from when a customer number has left the register until its rights are suspended, and from the
    notice that a contract ends. review_days: until administrators are asked to confirm their users' rights; 0: never.
    second_person: whether a second member of staff confirms what makes an administrator, or joins an account to
    somebody who has identified anew.
    founding: what makes the first administrator of a company: the numbers of its bill; a code that goes to the
    address which the customer register has; or customer service's approval. joining: whether whoever comes later just
    joins, joins and the administrators are told, or waits for their approval.
    """

    founding: Literal["numbers", "activation", "approval"] = "numbers"
    joining: Literal["open", "notify", "approve"] = "notify"

    least_age: Annotated[int, Field(ge=0, le=120)] = 18
    draft: Annotated[int, Field(ge=7200, le=604_800)] = 86_400
    tries_per_person: Annotated[int, Field(ge=1, le=100)] = 5
    tries_per_customer_number: Annotated[int, Field(ge=1, le=1000)] = 20
    starts_per_address: Annotated[int, Field(ge=1, le=100_000)] = 300
    starts_in_all: Annotated[int, Field(ge=1, le=10_000_000)] = 20_000
    confirmations_per_mail_address: Annotated[int, Field(ge=1, le=1000)] = 6
    continue_after: Annotated[int, Field(ge=0, le=3600), AfterValidator(_readable)] = 30
    number_grace_days: Annotated[int, Field(ge=0, le=365)] = 14
    review_days: Annotated[int, Field(ge=0, le=3650)] = 365
    second_person: bool = True
