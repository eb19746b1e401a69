"""The table `audit`."""

from __future__ import annotations

from kit.audit.settings import CollectorSettings
from kit.settings.types import FolderSettings


class AuditSettings(FolderSettings):
    """The folder of the audit trail, and where its heads are kept."""

    collector: CollectorSettings | None = None
