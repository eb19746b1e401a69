"""The tables. Times are whole seconds since the epoch. docs/privacy.md lists every column that holds a person's data.

Names of keys and tokens are stored as their SHA-256; what `sealed` columns hold is readable with our key only.
"""

from registration.database.models.accounts import Account
from registration.database.models.base import LONGEST_NAME_KEY, Base, person_name_key
from registration.database.models.companies import Company, Customer, NumberStatus
from registration.database.models.rights import CustomerNumber, Representation, Sections, Share
from registration.database.models.short_lived import Attempt, Draft, Session, Tries, UsedAssertion
from registration.database.models.staff import CallerCheck, Case, StaffAct
from registration.database.models.told import AuditCheckpoint, AuditRecord, OutboxEntry, Webhook

__all__ = [
    "LONGEST_NAME_KEY",
    "Account",
    "Attempt",
    "AuditCheckpoint",
    "AuditRecord",
    "Base",
    "CallerCheck",
    "Case",
    "Company",
    "Customer",
    "CustomerNumber",
    "Draft",
    "NumberStatus",
    "OutboxEntry",
    "Representation",
    "Sections",
    "Session",
    "Share",
    "StaffAct",
    "Tries",
    "UsedAssertion",
    "Webhook",
    "person_name_key",
]
