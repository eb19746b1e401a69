"""A language that the operator added, on the whole way: the pages have it, and a bank is asked in English."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from broker.app import create_app
from broker.settings import Settings
from demo.runner.client import Client
from demo.runner.processes import free_port
from tests.harness.broker import PORTAL, System
from tests.harness.browser import Browser

TEXTS = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"

msgid "Choose how to identify yourself"
msgstr "Wählen Sie, wie Sie sich ausweisen"

msgid "Identification did not succeed"
msgstr "Das Ausweisen ist misslungen"
"""


@pytest.fixture
def german(system: System, tmp_path: Path) -> Iterator[Client]:
    """A client of a broker that has German."""
    (tmp_path / "de.po").write_text(TEXTS, "utf-8")
    issuer = f"http://127.0.0.1:{free_port()}"
    texts = {"dir": str(tmp_path), "languages": {"de": "Deutsch"}}
    config = system.config("telia", "shared") | {"issuer": issuer, "texts": texts}
    published = (issuer, config)
    system.more_issuers.append(published)
    app = create_app(Settings.model_validate(config), clock=system.clock)
    system.serve(app, int(issuer.rsplit(":", 1)[1]))
    yield Client(issuer, "portal", f"{PORTAL}/callback", system.client_keys)
    system.more_issuers.remove(published)


def test_a_client_asks_for_it_and_its_pages_have_it_to_the_end(system: System, german: Client) -> None:
    browser = Browser(german)
    chooser = browser.start(ui_locales="de en")
    assert '<html lang="de">' in chooser.text
    assert "Wählen Sie, wie Sie sich ausweisen" in chooser.title
    system.mock.next("nordea", outcome="fail")
    assert "Das Ausweisen ist misslungen" in browser.open(chooser.link("/nordea")).title
    (sent,) = (found for found in system.mock.requests() if "ui_locales" in str(found))
    assert "'ui_locales': 'en'" in str(sent)
    assert sent.get("warnings", []) == []


def test_discovery_names_it(german: Client) -> None:
    answer = requests.get(f"{german.issuer}/.well-known/openid-configuration", timeout=5).json()
    assert answer["ui_locales_supported"] == ["fi", "sv", "en", "de"]
