"""Who may act for a company, where the numbers of an electricity bill alone do not decide it; no web page in here.

authority  what becomes of one who registers, by the rules founding and joining
case       what waits for a decision: opened, listed, decided, once
codes      activation codes, which go to the address that the customer register holds
letters    the codes as letters, PDF and CSV

All of it is done within a transaction of its caller.
"""

from __future__ import annotations

from registration.cases.authority import ask
from registration.cases.case import (
    KINDS,
    OUTCOMES,
    STATES,
    WAYS,
    AlreadyDecided,
    AlreadyOpen,
    Decided,
    NoSuchCase,
    case,
    cases_of,
    decide,
    decide_as_administrator,
    mail_waiting,
    open_case,
    open_cases,
)

__all__ = [
    "KINDS",
    "OUTCOMES",
    "STATES",
    "WAYS",
    "AlreadyDecided",
    "AlreadyOpen",
    "Decided",
    "NoSuchCase",
    "ask",
    "case",
    "cases_of",
    "decide",
    "decide_as_administrator",
    "mail_waiting",
    "open_case",
    "open_cases",
]
