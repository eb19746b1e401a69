"""What every page of the mock banks and of the demo must keep, whatever it shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element

import html5lib

FIELDS = ("input", "select", "textarea")


def check_page(text: str, locale: str) -> Element:
    """The tree of a page that parses strictly and has one language, one heading, a main part, and no script or style.

    text: the HTML. locale: the language it must be in.
    """
    html5lib.HTMLParser(strict=True).parse(text)
    page = html5lib.parse(text, namespaceHTMLElements=False)
    assert page.get("lang") == locale
    assert len(page.findall(".//h1")) == 1
    assert len(page.findall(".//main[@id='main']")) == 1
    assert page.find("body/a[@class='skip']").get("href") == "#main"
    assert page.findall(".//script") == []
    assert not any(name == "style" or name.startswith("on") for element in page.iter() for name in element.attrib)
    _check_names(page)
    _check_sources(page)
    return page


def title_of(page: Element) -> str:
    """The words in a browser's tab."""
    return "".join(page.find(".//title").itertext())


def heading_of(page: Element) -> str:
    """The one heading of the first level."""
    return " ".join("".join(page.find(".//h1").itertext()).split())


def language_links(page: Element) -> dict[str, str]:
    """Where each language leads; a language that is a button of a form has no address."""
    items = [*page.findall(".//header//nav//a"), *page.findall(".//header//nav//button")]
    assert all(item.get("lang") for item in items)
    return {str(item.get("lang")): item.get("href", "") for item in items}


def current_language(page: Element) -> str | None:
    """The language that the page says is its own."""
    current = page.find(".//header//nav//*[@aria-current]")
    return None if current is None else current.get("lang")


def template_words(source: str) -> str:
    """What a template shows in words of its own: its text without tags, expressions and comments."""
    source = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", source, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", "", source).split())


def check_texts(texts: Mapping[str, Mapping[str, str]]) -> None:
    """Every language has the same texts, none of them empty, with the same placeholders."""
    assert list(texts) == ["fi", "sv", "en"]
    first = texts["fi"]
    for locale, words in texts.items():
        assert list(words) == list(first), locale
        for key, text in words.items():
            assert text == text.strip() != "", (locale, key)
            assert _placeholders(text) == _placeholders(first[key]), (locale, key)


def unused(keys: Iterable[str], sources: Iterable[str]) -> set[str]:
    """The keys that stand in no source as `t.key`, `texts.key` or as a word in quotes."""
    everything = "\n".join(sources)
    return {key for key in keys if not re.search(rf"\b(?:t|texts)\.{key}\b|[\"']{key}[\"']", everything)}


def used(source: str) -> set[str]:
    """The keys that a template names."""
    return set(re.findall(r"\b(?:t|texts)\.([a-z_]+)", source))


def _placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{(\w+)\}", text))


def _check_names(page: Element) -> None:
    """Ids are unique, whatever is referred to is there, and each field has a label."""
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in page.iter():
        for name in ("aria-describedby", "aria-labelledby", "for", "form"):
            assert set((element.get(name) or "").split()) <= set(ids), (element.tag, name)
    labelled = {label.get("for") for label in page.iter("label")}
    fields = [field for tag in FIELDS for field in page.iter(tag) if field.get("type") != "hidden"]
    assert all(field.get("id") in labelled for field in fields)
    assert not any(field.get("placeholder") or field.get("autofocus") for field in fields)


def _check_sources(page: Element) -> None:
    """Stylesheets and icons are our own."""
    links = page.findall(".//head/link")
    assert {link.get("rel") for link in links} == {"icon", "stylesheet"}
    assert all(str(link.get("href")).startswith("/static/") for link in links)
