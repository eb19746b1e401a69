"""The table `audit`."""

from __future__ import annotations

from kit.audit.settings import CollectorSettings
from kit.keys.sets import KeySet
from kit.settings.types import FolderSettings


class AuditSettings(FolderSettings):
    """The folder of the audit trail, and where its heads are kept.

    checkpoint_keys: the public audit-sig keys of whoever prunes it, where that is not the broker's own.
    lookup: whether `/transactions` of the second port tells what came of an identification.
    """

    collector: CollectorSettings | None = None
    checkpoint_keys: KeySet | None = None
    lookup: bool = False
