"""Who may do what for a company. All of it within a transaction of its caller; nothing here knows a web page.

founding   the first one registered is the administrator, later ones read consumption
lookup     who has which rights, and the lock under which they change
changes    what administrators, and users who may manage users, change
sharing    a user lets another one see the company's data
customer_service   what customer service changes by command
"""

from __future__ import annotations

from registration.rights.changes import appoint, change, demote, hand_over, remove
from registration.rights.errors import (
    AboveOwnLevel,
    Forbidden,
    LastAdministrator,
    NoSuchUser,
    NothingGiven,
    RightsError,
)
from registration.rights.founding import found, found_or_join, join
from registration.rights.lookup import CompanyUser, Right, representation_in, right_in, rights_of, user_of, users_of
from registration.rights.sharing import share

__all__ = [
    "AboveOwnLevel",
    "CompanyUser",
    "Forbidden",
    "LastAdministrator",
    "NoSuchUser",
    "NothingGiven",
    "Right",
    "RightsError",
    "appoint",
    "change",
    "demote",
    "found",
    "found_or_join",
    "hand_over",
    "join",
    "remove",
    "representation_in",
    "right_in",
    "rights_of",
    "share",
    "user_of",
    "users_of",
]
