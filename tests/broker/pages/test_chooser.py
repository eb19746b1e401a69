"""What the chooser and the problem pages say, and to whom they lead."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from kit.pages.languages import LOCALES
from providers.registry import PROVIDERS
from tests.broker.pages.test_html import elements, parse, words
from tests.harness.broker_pages import (
    REFERENCE,
    SETTINGS,
    TRANSACTION,
    Harness,
    build_harness,
    chooser,
    connection,
    problem,
    providers_with,
)

HOSTILE = "<script>alert(1)</script>\"'&"


def drawn(harness: Harness, locale: str = "fi", **changes: Any) -> Any:
    with harness.app.test_request_context("/choose/abcdef"):
        return parse(chooser(harness, locale, **changes).get_data(as_text=True))


def rows_of(root: Any) -> dict[str, str | None]:
    """The rows as drawn: text to link, None for a row without one."""
    found = [element for element in root.iter() if "row" in element.get("class", "").split()]
    return {words(element): element.get("href") for element in found}


def test_rows_are_links_that_start_an_attempt_and_that_robots_leave_alone(harness: Harness) -> None:
    root = parse(chooser(harness).get_data(as_text=True))
    assert rows_of(root)["N Nordea"] == f"/identify/{TRANSACTION}/nordea"
    assert {link.get("rel") for link in elements(root, "a") if link.get("class") == "row"} == {"nofollow"}


@pytest.mark.parametrize(
    ("locale", "first", "last"),
    [("fi", "Mobiilivarmenne", "Ålandsbanken"), ("sv", "Mobilcertifikat", "Ålandsbanken"), ("en", "Mobile", "S-Bank")],
)
def test_the_mobile_certificate_comes_first_and_banks_follow_by_the_names_of_the_language(
    harness: Harness, locale: str, first: str, last: str
) -> None:
    names = [row.name for row in harness.catalogue.rows(locale)]
    assert names[0].startswith(first)
    assert names[-1] == last


def test_a_closed_row_is_text_that_names_its_successor() -> None:
    harness = build_harness(providers=providers_with(handelsbanken={"status": "closed", "successor": "op"}))
    rows = rows_of(drawn(harness, "sv"))
    assert rows["H Handelsbanken Bankens kunder: välj OP (Andelsbanken)"] is None


@pytest.mark.parametrize("successor", PROVIDERS)
def test_a_closed_row_names_whichever_successor_it_has_in_every_language(successor: str) -> None:
    closed = "handelsbanken" if successor != "handelsbanken" else "aktia"
    harness = build_harness(providers=providers_with(**{closed: {"status": "closed", "successor": successor}}))
    for locale in LOCALES:
        note = harness.pages.texts.translations[locale].ugettext("Customers of this bank: choose %(successor)s")
        assert note % {"successor": PROVIDERS[successor].names[locale]} in words(drawn(harness, locale))


def test_a_closed_row_without_successor_and_connection_says_so() -> None:
    gone = {"status": "closed", "connection": None, "selector": None}
    assert (
        rows_of(drawn(build_harness(providers=providers_with(lokaltapiola=gone))))["LT LähiTapiola Ei enää käytössä"]
        is None
    )


def test_an_unusable_row_is_text_with_the_reason() -> None:
    harness = build_harness()
    harness.adapters["isb"].usable = False
    rows = rows_of(drawn(harness))
    assert rows["N Nordea Ei käytettävissä juuri nyt"] is None
    assert rows["A Aktia"] is not None


def test_a_hidden_row_is_left_out() -> None:
    harness = build_harness(providers=providers_with(aktia={"status": "hidden"}))
    assert "A Aktia" not in rows_of(drawn(harness))


def test_a_contract_that_cannot_select_is_one_row_with_the_name_it_was_given() -> None:
    names = {"fi": "Kaikki pankit", "sv": "Alla banker", "en": "All banks"}
    shared = connection("shared", "ftn", selects="none", chooser_name=names)
    harness = build_harness(connections={"shared": shared}, providers={})
    assert rows_of(drawn(harness, "sv")) == {"Alla banker": f"/identify/{TRANSACTION}/shared"}


@pytest.mark.parametrize(
    ("scopes", "text"),
    [
        (("openid",), "Your name is not passed to the service, only an identifier that is created for it."),
        (("openid", "profile"), "Your name and date of birth are passed to the service."),
        (("openid", "personal_identity_code"), "Your personal identity code is passed to the service."),
        (
            ("openid", "profile", "personal_identity_code"),
            "Your name and personal identity code are passed to the service.",
        ),
    ],
)
def test_what_is_passed_on_follows_the_scope(harness: Harness, scopes: tuple[str, ...], text: str) -> None:
    assert text in words(drawn(harness, "en", scopes=scopes))


def test_the_title_of_a_cancelled_chooser_starts_with_the_notice(harness: Harness) -> None:
    (title,) = elements(drawn(harness, "sv", notice="cancelled"), "title")
    assert words(title) == "Identifieringen avbröts – Välj identifieringssätt – Exempelenergi"


def test_a_clients_name_is_escaped(harness: Harness) -> None:
    root = drawn(harness, client_name=HOSTILE)
    assert not elements(root, "script")
    assert HOSTILE in words(root)


NOTICES = """
[isb]
consent = { fi = "Suostumus <b>x</b>" }
provider_info = { fi = "Välittäjä\\r\\nToinen rivi", sv = "Förmedlare" }
privacy_text = { fi = "Tietosuoja & muu", sv = "Dataskydd" }
privacy_link = { fi = "https://broker.example/fi?a=1&b=2" }
[isb.disturbance]
header = { fi = "Huolto <script>alert(1)</script>", sv = "Service" }
text = { fi = "Ensin\\r\\nSitten", sv = "Först" }
"""


@pytest.fixture
def noticed(tmp_path: Path) -> Harness:
    file = tmp_path / "notices.toml"
    file.write_text(NOTICES, encoding="utf-8")
    return build_harness(file)


def test_texts_of_a_connection_are_shown_escaped_and_cut_at_their_line_breaks(noticed: Harness) -> None:
    root = drawn(noticed)
    assert not elements(root, "script")
    assert not elements(root, "b")
    paragraphs = [words(paragraph) for paragraph in elements(root, "p")]
    for text in ("Suostumus <b>x</b>", "Välittäjä", "Toinen rivi", "Ensin", "Sitten", "Nordea, OP (Osuuspankki)"):
        assert text in paragraphs or text in [words(heading) for heading in elements(root, "h3")]
    assert "Huolto <script>alert(1)</script>" in paragraphs
    (link,) = [link for link in elements(root, "a") if link.get("href") == "https://broker.example/fi?a=1&b=2"]
    assert words(link) == "Tietosuoja & muu"


def test_a_text_that_is_missing_in_a_language_is_shown_in_another_and_says_which(noticed: Harness) -> None:
    root = drawn(noticed, "en")
    (paragraph,) = [found for found in elements(root, "p") if words(found) == "Suostumus <b>x</b>"]
    assert paragraph.get("lang") == "fi"
    swedish = drawn(noticed, "sv")
    (paragraph,) = [found for found in elements(swedish, "p") if words(found) == "Förmedlare"]
    assert paragraph.get("lang") is None


def test_a_disturbance_of_every_row_names_none(tmp_path: Path) -> None:
    file = tmp_path / "notices.toml"
    file.write_text(NOTICES, encoding="utf-8")
    both = {name: SETTINGS["providers"][name] for name in ("op", "nordea")}
    harness = build_harness(file, providers=both)
    assert harness.catalogue.notices("fi")[0].concerns == ()
    assert build_harness(file).catalogue.notices("fi")[0].concerns == ("Nordea", "OP (Osuuspankki)")


def test_an_unavailable_bank_offers_the_others_and_says_when_to_come_back(harness: Harness) -> None:
    response = problem(harness, "unavailable")
    rows = rows_of(parse(response.get_data(as_text=True)))
    assert "A Aktia" in rows
    assert "N Nordea" not in rows
    assert int(response.headers["Retry-After"]) > 0


def test_a_problem_tells_its_code_and_the_time_in_helsinki(harness: Harness) -> None:
    text = problem(harness, "idp_failed", "fi").get_data(as_text=True)
    assert "24.11.2026 klo\N{NO-BREAK SPACE}12.04" in text
    assert REFERENCE[:8] in text
    assert REFERENCE not in text


def test_a_problem_without_transaction_has_neither_rows_nor_ways_that_need_one(harness: Harness) -> None:
    rows = harness.catalogue.rows("fi")
    response = problem(harness, "lost_cookie", actions=(), return_url=None, transaction_id=None, rows=rows, row=None)
    root = parse(response.get_data(as_text=True))
    assert not rows_of(root)
    assert not [link for link in elements(root, "a") if link.get("href", "").startswith(("/identify", "/return"))]


def test_neighbours_differ_in_colour_where_some_rows_are_left_out(harness: Harness) -> None:
    root = parse(problem(harness, "unavailable", row="danske-bank").get_data(as_text=True))
    fills = [svg.get("class") for svg in root.iter("{http://www.w3.org/2000/svg}svg")]
    assert all(fills[place] not in fills[place + 1 : place + 3] for place in range(len(fills) - 2))


@pytest.mark.parametrize("locale", LOCALES)
def test_a_mark_has_one_colour_in_every_language_and_list_and_neighbours_differ(harness: Harness, locale: str) -> None:
    fills = fills_of(drawn(harness, locale))
    assert fills == fills_of(drawn(harness, "fi"))
    others = fills_of(parse(problem(harness, "unavailable", locale).get_data(as_text=True)))
    assert others == {name: fill for name, fill in fills.items() if name != "nordea"}
    in_order = [fills[row.id] for row in harness.catalogue.rows(locale)]
    assert all(one != next for one, next in itertools.pairwise(in_order))


def fills_of(root: Any) -> dict[str, str]:
    """The colour of each row's mark, by its id."""
    rows = [link for link in elements(root, "a") if link.get("class") == "row"]
    marks = {link: next(part for part in link.iter() if "mark" in part.get("class", "").split()) for link in rows}
    return {link.get("href").rpartition("/")[2]: mark.get("class") for link, mark in marks.items()}


def test_a_problem_from_which_nothing_is_left_leads_to_the_services(harness: Harness) -> None:
    gone = {"actions": (), "return_url": None, "transaction_id": None}
    site = {link.uri for link in harness.settings.brand.home_links}
    assert site <= links_of(problem(harness, "expired", **gone))
    assert not site & links_of(problem(harness, "expired"))


def links_of(page: Any) -> set[str | None]:
    return {link.get("href") for link in elements(parse(page.get_data(as_text=True)), "a")}


def test_where_nothing_was_lost_nothing_is_said_to_be(harness: Harness) -> None:
    lost = "We no longer know which service you came from."
    with harness.app.test_request_context("/"):
        assert lost in words(parse(harness.pages.home("en").get_data(as_text=True)))
        assert lost not in words(parse(harness.pages.home("en", status=200).get_data(as_text=True)))
