"""Who may do what for a company. All of it within a transaction of its caller; nothing here knows a web page.

founding   the first one registered is the administrator, later ones read consumption
lookup     who has which rights, and the lock under which they change
changes    what administrators, and users who may manage users, change
ending     a right ends, and what becomes of those that its holder has given
sharing    a user lets another one see the company's data
customer_service   what customer service changes by command
"""

from __future__ import annotations

from registration.rights.changes import appoint, change, confirm, demote, hand_over
from registration.rights.ending import given_by, remove
from registration.rights.errors import (
    AboveOwnLevel,
    Forbidden,
    HasOwnRight,
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
    "HasOwnRight",
    "LastAdministrator",
    "NoSuchUser",
    "NothingGiven",
    "Right",
    "RightsError",
    "appoint",
    "change",
    "confirm",
    "demote",
    "found",
    "found_or_join",
    "given_by",
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
