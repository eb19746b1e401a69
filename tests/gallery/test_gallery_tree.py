"""What a screen reader is told: the browser's own accessibility tree of the main pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.gallery.looking import Looker, open_looker

pytestmark = [pytest.mark.gallery, pytest.mark.enable_socket]
FIELDS = {"textbox", "checkbox", "radio", "combobox"}


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree. path: the roles above it. name, description: as they are computed."""

    role: str
    name: str
    description: str
    path: tuple[str, ...]
    properties: dict[str, Any]


@pytest.fixture(scope="module")
def looker() -> Iterator[Looker]:
    with open_looker() as looker:
        yield looker


def tree(looker: Looker, service: str, name: str, locale: str = "sv") -> list[Node]:
    """The tree of a state, in its order, without what is ignored."""
    looker.go(service, name, locale)
    session = looker.page.context.new_cdp_session(looker.page)
    raw = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    by_id = {node["nodeId"]: node for node in raw}
    found: list[Node] = []

    def add(node: dict[str, Any], path: tuple[str, ...]) -> None:
        if not node["ignored"]:
            role = node["role"]["value"]
            properties = {held["name"]: held["value"].get("value") for held in node.get("properties", ())}
            words = [node.get(kind, {}).get("value", "") for kind in ("name", "description")]
            found.append(Node(role, words[0], words[1], path, properties))
            path = (*path, role)
        for child in node.get("childIds", ()):
            if child in by_id:
                add(by_id[child], path)

    add(raw[0], ())
    return found


def named(nodes: list[Node], *roles: str) -> list[str]:
    """The names of the nodes with these roles."""
    return [node.name for node in nodes if node.role in roles]


def test_a_page_has_its_landmarks(looker: Looker) -> None:
    nodes = tree(looker, "broker", "chooser")
    for role in ("banner", "navigation", "main", "contentinfo"):
        assert len(named(nodes, role)) == 1, role
    assert named(nodes, "navigation") == ["Språk"]


def test_the_rows_of_the_chooser_are_links_in_lists_named_by_their_headings(looker: Looker) -> None:
    nodes = tree(looker, "broker", "chooser")
    assert [name for name in named(nodes, "list") if name] == ["Mobilcertifikat (DNA, Elisa och Telia)", "Banker"]
    assert named(nodes, "heading")[:3] == [
        "Välj identifieringssätt",
        "Mobilcertifikat (DNA, Elisa och Telia)",
        "Banker",
    ]
    rows = [node.name for node in nodes if node.role == "link" and {"main", "listitem"} <= set(node.path)]
    assert len(rows) == 11
    assert rows[0].split() == ["Mobilcertifikat", "DNA,", "Elisa", "och", "Telia"]
    assert {"Aktia", "Danske Bank", "Nordea", "Ålandsbanken"} <= set(rows)
    assert rows[1:] == sorted(rows[1:], key=lambda name: name.replace("Å", "Ö"))
    assert named([node for node in nodes if "main" in node.path], "image", "img", "graphics-document") == []


def test_a_row_that_cannot_be_used_is_text_that_says_why(looker: Looker) -> None:
    nodes = tree(looker, "broker", "chooser, closed rows")
    links = named(nodes, "link")
    assert "POP Banken" not in " ".join(links)
    texts = named([node for node in nodes if "listitem" in node.path], "StaticText")
    assert "POP Banken" in texts
    assert "Bankens kunder: välj S-Banken" in " ".join(" ".join(texts).split())


def test_a_notice_is_a_region_with_its_heading_as_name_and_comes_before_the_first_heading(looker: Looker) -> None:
    nodes = tree(looker, "broker", "chooser, cancelled")
    assert "Identifieringen avbröts" in named(nodes, "region")
    roles = [node.role for node in nodes]
    assert roles.index("region") < roles.index("heading")
    assert "alert" not in roles
    assert "status" not in roles


def test_a_disturbance_in_another_language_says_in_which(looker: Looker) -> None:
    tree(looker, "broker", "chooser, disturbances", "en")
    parts = looker.page.locator("main [lang]")
    assert {part.get_attribute("lang") for part in parts.all()} == {"fi"}
    assert "Häiriö" in parts.all_inner_texts()


def test_a_problem_tells_its_facts_as_terms_with_definitions(looker: Looker) -> None:
    nodes = tree(looker, "broker", "problem idp_failed")
    assert named(nodes, "heading")[0] == "Identifieringen lyckades inte"
    assert [node.name for node in nodes if node.role == "link" and "main" in node.path] == [
        "Försök igen",
        "Välj ett annat identifieringssätt",
        "Gå tillbaka till tjänsten",
    ]
    text = looker.page.locator("dl").inner_text()
    assert "ABCDEFGH" in text
    assert "Nordea" in text


def test_each_field_has_its_label_as_name_and_its_hint_as_description(looker: Looker) -> None:
    nodes = tree(looker, "registration", "form")
    fields = {node.name: node for node in nodes if node.role in FIELDS}
    assert list(fields) == [
        "Företagets namn",
        "FO-nummer",
        "Kundnummer",
        "E-postadress",
        "Användarnamn",
        "Lösenord",
        "Jag har läst och godkänner användarvillkoren",
        "Jag har rätt att se uppgifterna om företaget som jag representerar",
    ]
    assert fields["FO-nummer"].description == "Till exempel 1234567-1"
    assert fields["Lösenord"].description.startswith("Minst 8 tecken.")
    assert fields["Företagets namn"].description == ""
    assert not any(field.properties.get("invalid", "false") != "false" for field in fields.values())


def test_a_wrong_field_is_invalid_and_described_by_hint_and_error(looker: Looker) -> None:
    nodes = tree(looker, "registration", "form, wrong")
    fields = {node.name: node for node in nodes if node.role in FIELDS}
    assert len(fields) == 10
    for field in fields.values():
        assert field.properties["invalid"] == "true", field.name
        assert field.description, field.name
    described = fields["FO-nummer"].description.replace("\N{NON-BREAKING HYPHEN}", "-")
    assert described.startswith("Till exempel 1234567-1 Kontrollera FO-numret.")


def test_the_summary_of_errors_is_announced_with_the_words_that_stand_at_the_fields(looker: Looker) -> None:
    nodes = tree(looker, "registration", "form, wrong")
    alerts = [node for node in nodes if node.role == "alert"]
    assert len(alerts) == 1
    said = [node.name for node in nodes if node.role == "link" and "alert" in node.path]
    fields = [node for node in nodes if node.role in FIELDS]
    assert len(said) == len(fields)
    for sentence, field in zip(said, fields, strict=True):
        assert field.description.endswith(sentence)


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("registration", "start, none chosen"),
        ("registration", "sign in, wrong"),
        ("registration", "new password, wrong"),
        ("registration", "new terms, wrong"),
        ("rights", "share, empty"),
        ("rights", "administrator, none chosen"),
        ("rights", "user, above own level"),
        ("online", "sign in, wrong"),
    ],
)
def test_whatever_is_wrong_is_announced_once(looker: Looker, service: str, name: str) -> None:
    assert len(named(tree(looker, service, name), "alert")) == 1


def test_the_reveal_button_names_what_it_does_and_what_it_controls(looker: Looker) -> None:
    nodes = tree(looker, "registration", "sign in")
    assert "Visa" in named(nodes, "button")
    looker.page.get_by_role("button", name="Visa").click()
    assert looker.page.locator("#password").get_attribute("type") == "text"
    assert looker.page.get_by_role("button", name="Dölj").get_attribute("aria-controls") == "password"


def test_links_of_users_name_whom_they_are_about(looker: Looker) -> None:
    nodes = tree(looker, "rights", "users, many")
    links = [node.name for node in nodes if node.role == "link" and "cell" in node.path]
    assert links
    assert len(set(links)) == len(links)
    assert named(nodes, "columnheader")[:2] == ["Namn", "Användarnamn"]
    assert len(named(nodes, "rowheader")) == looker.page.locator("tbody tr").count() > 10


def test_language_links_are_named_in_their_own_language_and_the_present_one_is_marked(looker: Looker) -> None:
    tree(looker, "registration", "sign in")
    links = looker.page.locator("nav a")
    assert links.all_inner_texts() == ["Suomi", "Svenska", "English"]
    assert [link.get_attribute("lang") for link in links.all()] == ["fi", "sv", "en"]
    assert looker.page.locator("nav [aria-current]").all_inner_texts() == ["Svenska"]
