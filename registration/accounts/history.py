"""What has been done with an account, for its owner: sign-ins, identifications, and what others have changed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from registration.accounts.sessions import signed_in_only
from registration.database.models import Account, AuditRecord, Company
from registration.pages.texts import EVENT_NAMES
from registration.service import Service

AT_ONCE = 50
"""Records on a page."""


def create_blueprint(service: Service) -> Blueprint:
    """`/history`, the latest first; `before`: the record that the page before ended with."""
    blueprint = Blueprint("history", __name__)

    @blueprint.get("/history")
    @signed_in_only(service)
    def show_history(account: Account) -> ResponseReturnValue:
        named = AuditRecord.event.in_({name.partition(":")[0] for name in EVENT_NAMES})
        wanted = select(AuditRecord, Company.name).outerjoin(Company, Company.fo_nummer == AuditRecord.fo_nummer)
        wanted = wanted.where(AuditRecord.subject == account.id, named).order_by(AuditRecord.id.desc())
        before = request.args.get("before", 0, type=int)
        if 0 < before < 2**62:
            wanted = wanted.where(AuditRecord.id < before)
        with service.database.read() as transaction:
            rows = transaction.execute(wanted.limit(AT_ONCE + 1)).all()
        listed = [_shown(account, record, company) for record, company in rows[:AT_ONCE]]
        older = rows[AT_ONCE - 1][0].id if len(rows) > AT_ONCE else None
        return service.pages.show("history.html", listed=listed, older=older)

    return blueprint


def _shown(account: Account, record: AuditRecord, company: str | None) -> dict[str, Any]:
    how = record.details.get("by", "").partition(":")[0]
    text = EVENT_NAMES.get(f"{record.event}:{how}") or EVENT_NAMES[record.event]
    by = "oneself" if record.actor == account.id else "service" if ":" in record.actor else record.actor
    return {"at": record.at, "text": text, "company": company, "by": by}
