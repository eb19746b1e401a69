"""How much a page weighs, and that its static files travel compressed and once."""

from __future__ import annotations

import gzip
import re

import pytest

from tests.harness.broker_pages import Harness, chooser

MOST = 30_000
"""Bytes of the chooser in all, nothing of it compressed."""


@pytest.mark.parametrize("locale", ["fi", "sv", "en"])
def test_the_chooser_with_all_it_links_is_light_even_uncompressed(harness: Harness, locale: str) -> None:
    html = chooser(harness, locale).get_data()
    linked = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', html.decode()))
    assert len(linked) == 2, "the stylesheet and the icon"
    client = harness.app.test_client()
    assert len(html) + sum(len(client.get(url).get_data()) for url in linked) <= MOST


def test_a_static_file_is_sent_compressed_to_who_takes_it(harness: Harness) -> None:
    client = harness.app.test_client()
    (name,) = (name for name in harness.pages.assets if name.endswith(".css"))
    plain = client.get(f"/static/{name}", headers={"Accept-Encoding": "identity"})
    packed = client.get(f"/static/{name}", headers={"Accept-Encoding": "br;q=1.0, gzip;q=0.8"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.get_data()) == plain.get_data()
    assert len(packed.get_data()) * 3 < len(plain.get_data())
    for answer in (plain, packed):
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.content_length == len(answer.get_data())


@pytest.mark.parametrize("accepted", ["", "gzip;q=0", "br"])
def test_a_static_file_is_sent_as_it_is_to_who_does_not_take_gzip(harness: Harness, accepted: str) -> None:
    for name in harness.pages.assets:
        answer = harness.app.test_client().get(f"/static/{name}", headers={"Accept-Encoding": accepted})
        assert "Content-Encoding" not in answer.headers


def test_pages_are_not_compressed(harness: Harness) -> None:
    assert "Content-Encoding" not in chooser(harness).headers
