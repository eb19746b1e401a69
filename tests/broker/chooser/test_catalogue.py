"""The list of providers for portals, the pictures, and what the flow finds by a row's id."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from broker.chooser.marks import FILLS
from kit.pages.pictures import MOST_BYTES, svg_refused
from kit.settings.report import ConfigurationError
from providers.registry import PROVIDERS
from tests.broker.pages.test_chooser import NOTICES
from tests.harness.broker_pages import ISSUER, SETTINGS, Harness, build_harness, connection, providers_with

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 20
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


def listing(harness: Harness, query: str = "?ui_locales=sv", **headers: str) -> Any:
    return harness.app.test_client().get(f"/api/providers{query}", headers=headers).get_json()


def with_logos(folder: Path) -> Harness:
    return build_harness(brand=SETTINGS["brand"] | {"logo_dir": str(folder)})


def test_the_list_has_every_provider_with_what_a_button_needs(harness: Harness) -> None:
    found = {entry["id"]: entry for entry in listing(harness)["providers"]}
    assert set(found) == set(PROVIDERS)
    assert found["nooa"] == {
        "id": "nooa",
        "name": "Nooa Sparbank",
        "group": "bank",
        "logo": f"{ISSUER}/marks/nooa.svg",
        "status": "open",
        "usable": True,
        "successor": None,
        "disturbance": None,
    }


def test_the_list_may_be_read_from_any_origin_and_knows_no_cookie(harness: Harness) -> None:
    headers = {"Origin": "https://portal.example", "Cookie": "tunnus_locale=en"}
    response = harness.app.test_client().get("/api/providers", headers=headers)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Set-Cookie" not in response.headers
    assert response.headers["Vary"] == "Accept-Language"
    assert response.get_json()["locale"] == "fi"


def test_the_list_is_in_the_asked_language_or_that_of_the_browser(harness: Harness) -> None:
    accepted = {"Accept-Language": "de, en;q=0.5"}
    assert listing(harness, "?ui_locales=de%20sv", **accepted)["locale"] == "sv"
    assert listing(harness, "?ui_locales=%3Cscript%3E", **accepted)["locale"] == "en"
    assert listing(harness, "")["locale"] == "fi"


def test_the_list_is_in_the_order_of_the_chooser(harness: Harness) -> None:
    ids = [entry["id"] for entry in listing(harness)["providers"]]
    assert ids == [row.id for row in harness.catalogue.rows("sv")]


def test_the_configured_order_comes_first_within_its_group() -> None:
    harness = build_harness(chooser={"order": ["s-banken", "op"]})
    assert [row.id for row in harness.catalogue.rows("fi")][:4] == ["mobile-certificate", "s-banken", "op", "aktia"]


def test_the_list_tells_what_cannot_be_used_and_what_is_closed() -> None:
    closed = {"status": "closed", "successor": "op"}
    harness = build_harness(providers=providers_with(handelsbanken=closed, aktia={"status": "hidden"}))
    harness.adapters["isb"].usable = False
    found = {entry["id"]: entry for entry in listing(harness)["providers"]}
    assert "aktia" not in found
    assert (found["nordea"]["status"], found["nordea"]["usable"]) == ("open", False)
    assert (found["handelsbanken"]["status"], found["handelsbanken"]["usable"]) == ("closed", False)
    assert found["handelsbanken"]["successor"] == "op"


def test_the_list_holds_the_texts_that_must_be_shown_and_the_disturbances(tmp_path: Path) -> None:
    file = tmp_path / "notices.toml"
    file.write_text(NOTICES, encoding="utf-8")
    answer = listing(build_harness(file))
    (texts,) = answer["texts"]
    assert texts["providers"] == ["nordea", "op"]
    assert texts["consent"] == {"text": "Suostumus <b>x</b>", "lang": "fi"}
    assert texts["provider_info"] == {"text": "Förmedlare", "lang": "sv"}
    assert texts["privacy_text"] == {"text": "Dataskydd", "lang": "sv"}
    assert texts["privacy_link"] == "https://broker.example/fi?a=1&b=2"
    disturbed = {entry["id"] for entry in answer["providers"] if entry["disturbance"]}
    assert disturbed == {"nordea", "op"}


def test_a_row_is_found_with_its_connection_and_provider(harness: Harness) -> None:
    choice = harness.catalogue.find("op")
    assert choice is not None
    assert (choice.connection_id, choice.provider, choice.usable) == ("isb", PROVIDERS["op"], True)
    assert harness.catalogue.find("no-such-bank") is None


def test_a_row_is_usable_unless_it_is_closed_or_its_breaker_is_open() -> None:
    harness = build_harness(providers=providers_with(handelsbanken={"status": "closed"}, aktia={"status": "hidden"}))
    harness.adapters["isb"].usable = False
    usable = {row: choice.usable for row in PROVIDERS if (choice := harness.catalogue.find(row)) is not None}
    assert {row for row, can in usable.items() if not can} == {"handelsbanken", "nordea", "op"}


def test_a_contract_that_cannot_select_is_found_without_a_provider() -> None:
    names = {"fi": "Kaikki", "sv": "Alla", "en": "All"}
    shared = connection("shared", "ftn", selects="none", chooser_name=names)
    harness = build_harness(connections={"shared": shared}, providers={})
    choice = harness.catalogue.find("shared")
    assert choice is not None
    assert (choice.connection_id, choice.provider, choice.usable) == ("shared", None, True)
    assert listing(harness)["providers"][0]["name"] == "Alla"


def test_a_connection_that_selects_is_no_row_itself(harness: Harness) -> None:
    assert harness.catalogue.find("telia") is None


@pytest.mark.parametrize("row", sorted(PROVIDERS))
def test_every_provider_has_a_neutral_mark_for_other_sites(harness: Harness, row: str) -> None:
    response = harness.app.test_client().get(f"/marks/{row}.svg")
    assert response.content_type == "image/svg+xml"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert svg_refused(response.data) is None
    assert ElementTree.fromstring(response.data)[0].get("fill") in FILLS  # noqa: S314 - our own


def test_a_logo_takes_the_place_of_the_mark(tmp_path: Path) -> None:
    (tmp_path / "op.png").write_bytes(PNG)
    (tmp_path / "nordea.svg").write_text(SVG.format('<path d="M0 0"/>'), encoding="utf-8")
    harness = with_logos(tmp_path)
    found = {entry["id"]: entry["logo"] for entry in listing(harness)["providers"]}
    assert found["op"].startswith(f"{ISSUER}/logos/op.png?v=")
    response = harness.app.test_client().get(found["op"].removeprefix(ISSUER))
    assert response.data == PNG
    assert response.content_type == "image/png"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/logos/aktia.svg", "/logos/..%2f..%2fsettings.py", "/marks/no-such.svg"])
def test_a_picture_that_is_not_there_is_not_found(harness: Harness, path: str) -> None:
    assert harness.app.test_client().get(path).status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("unknown.svg", SVG.format("").encode(), "is named after no row"),
        ("op.jpg", PNG, "is no logo"),
        ("op.png", b"GIF89a", "is not a PNG picture"),
        ("op.png", PNG + b"x" * MOST_BYTES, "is too large"),
        ("op.svg", b"<html/>", "is not an SVG picture"),
        ("op.svg", b"<svg", "is not well-formed XML"),
        ("op.svg", b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.format("&a;").encode(), "has a document type"),
        ("op.svg", b'<?xml-stylesheet href="x.css"?>' + SVG.format("").encode(), "has a processing instruction"),
        ("op.svg", SVG.format("<script>x</script>").encode(), "has a <script>"),
        ("op.svg", SVG.format("<foreignObject/>").encode(), "has a <foreignobject>"),
        ("op.svg", SVG.format('<g onclick="x()"/>').encode(), "has an onclick attribute"),
        ("op.svg", SVG.format('<image xlink:href="https://x.example/a.png"/>').encode(), "has a link"),
        ("op.svg", SVG.format('<image href="data:image/svg+xml;base64,AA"/>').encode(), "has a link"),
        ("op.svg", SVG.format('<a href="javascript:x()"/>').encode(), "has a link"),
        ("op.svg", SVG.format('<set attributeName="href" to="x"/>').encode(), "has a <set>"),
        ("op.svg", SVG.format("<style>@import 'x'</style>").encode(), "has a style that reaches outside"),
        ("op.svg", SVG.format('<g style="fill:url(https://x)"/>').encode(), "attribute that reaches outside"),
    ],
)
def test_a_logo_that_could_do_more_than_be_looked_at_is_refused_at_start(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=problem) as refused:
        with_logos(tmp_path)
    assert name in str(refused.value)


def test_ordinary_svg_is_accepted() -> None:
    inside = (
        "<!-- made by hand --><defs><linearGradient id='a'/></defs><style>.a{fill:url(#a)}</style>"
        "<g style='fill:url(#a)'><use xlink:href='#a'/><image href='data:image/png;base64,iVBORw0KGgo='/></g>"
    )
    assert svg_refused(b'<?xml version="1.0" encoding="UTF-8"?>' + SVG.format(inside).encode()) is None


def test_two_logos_of_one_row_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "op.png").write_bytes(PNG)
    (tmp_path / "op.svg").write_text(SVG.format(""), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is the second logo of its row"):
        with_logos(tmp_path)
    with pytest.raises(ConfigurationError, match="is not a folder"):
        with_logos(tmp_path / "nowhere")
