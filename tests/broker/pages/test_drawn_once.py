"""The chooser is drawn once for all transactions; and anew as soon as anything on it changes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.pages.rendering import Renderer
from tests.harness.broker_pages import Harness, build_harness, chooser

OTHER = "zyxwvu98OTHER"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Harness]:
    file = tmp_path / "notices.toml"
    file.write_text('[telia]\nconsent = { fi = "Ensimmäinen teksti", sv = "x", en = "y" }\n', "utf-8")
    harness = build_harness(file)
    with harness.app.test_request_context("/choose/abcdef"):
        yield harness


def html(harness: Harness, locale: str = "fi", **changes: object) -> str:
    return chooser(harness, locale, **changes).get_data(as_text=True)


def of_other(harness: Harness) -> str:
    return html(harness, transaction_id=OTHER, return_url=f"/return/{OTHER}", path=f"/choose/{OTHER}")


def test_a_second_transaction_gets_the_same_page_with_its_own_addresses(
    own: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = html(own)
    monkeypatch.setattr(Renderer, "render", None)  # nothing is drawn again
    second = of_other(own)
    assert OTHER not in first
    assert "TRANSACTION" not in second
    assert second == first.replace("abcdef01TRANSACTION", OTHER)
    for address in (f'"/identify/{OTHER}/op"', f'"/return/{OTHER}"', f'"/choose/{OTHER}?ui_locales=sv"'):
        assert address in second


def test_another_client_notice_scope_or_language_has_a_page_of_its_own(own: Harness) -> None:
    pages = [
        html(own),
        html(own, client_name="Toinen palvelu"),
        html(own, notice="cancelled"),
        html(own, scopes=("openid",)),
        html(own, step="2/4"),
        html(own, step="3/4"),
        html(own, "sv"),
    ]
    assert len(set(pages)) == len(pages)
    assert [html(own), html(own, client_name="Toinen palvelu")] == pages[:2]


def test_a_bank_that_cannot_be_reached_is_seen_at_once_and_so_is_its_return(own: Harness) -> None:
    before = html(own)
    own.adapters["isb"].usable = False
    assert '/op"' not in html(own)
    own.adapters["isb"].usable = True
    assert html(own) == before


def test_a_notice_that_changes_is_seen_at_once(own: Harness, tmp_path: Path) -> None:
    rows = own.catalogue.rows("fi")
    assert "Ensimmäinen teksti" in html(own)
    file = tmp_path / "notices.toml"
    file.write_text('[telia]\nconsent = { fi = "Toinen teksti", sv = "x", en = "y" }\n', "utf-8")
    os.utime(file, ns=(1, 1))
    assert "Toinen teksti" in html(own, rows=rows)  # of before the change
    assert "Toinen teksti" in html(own)
    assert "Ensimmäinen teksti" not in html(own)


def test_what_is_kept_is_bounded(own: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.pages.rendering._MOST_DRAWN", 3)
    for number in range(10):
        html(own, client_name=f"Palvelu {number}")
    assert len(own.pages._drawn) <= 3
