"""docs/privacy.md is whole, and what it promises about columns and logs holds."""

from __future__ import annotations

import logging
import re

import pytest

from demo.runner.registrant import PASSWORD
from registration.database.models import Base, Draft, Session
from tests.harness.registration import ROOT, TESTISAHKO, Site


def test_every_column_is_listed_with_its_table() -> None:
    listed: dict[str, set[str]] = {}
    table = ""
    for line in (ROOT / "docs" / "privacy.md").read_text().splitlines():
        if line.startswith("| `") or line.startswith("| | `"):
            cells = line.split("|")
            table = cells[1].strip(" `") or table
            listed.setdefault(table, set()).update(re.findall(r"`(\w+)`", cells[2]))
    columns = {name: {column.name for column in table.columns} for name, table in Base.metadata.tables.items()}
    assert listed == columns


def test_no_log_line_at_any_level_holds_a_person_or_a_secret(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    from kit.logs import JsonFormatter
    from registration.log_fields import FIELDS

    caplog.set_level(logging.DEBUG)
    person = site.registrant()
    person.fill(person.identify("nordea"), TESTISAHKO, email="canary@example.com", user_name="canary-name", right="")
    drafts, sessions = site.rows(Draft), site.rows(Session)
    person.register("nordea", TESTISAHKO, "canary-name", "canary@example.com")
    person.post("/sign-in", person.get("/sign-in"), user_name="canary-name", password=PASSWORD)
    ours = [record for record in caplog.records if record.name.split(".")[0] in {"tunnus", "registration"}]
    lines = [JsonFormatter(FIELDS).format(record) for record in list(caplog.records)]
    assert ours
    assert person.persona is not None
    (cookie,) = [cookie.value for cookie in person.browser.cookies if cookie.name == "registration"]
    assert cookie
    secrets = [person.persona[name] for name in ("personal_identity_code", "given_name", "family_name")]
    secrets += ["canary@example.com", "canary-name", PASSWORD, cookie]
    assert [(line, secret) for line in lines for secret in secrets if secret in line] == []
    for row in (*drafts, *sessions):
        assert "canary" not in (row.sealed or "")
