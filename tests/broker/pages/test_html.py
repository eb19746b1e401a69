"""Every page in every language: correct HTML, a heading and a title of its own, nothing that a strict CSP stops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import html5lib
import pytest

from broker.pages.texts import OTHER_METHODS_AS_ROWS, PROBLEMS
from kit.pages.languages import LOCALES
from providers.errors import ALL_ERRORS
from providers.registry import PROVIDERS
from tests.harness.broker_pages import PAGES, TRANSACTION, Harness, build_harness, chooser, problem
from tests.harness.tables import one_language_each

XHTML = "{http://www.w3.org/1999/xhtml}"
EVERY_PAGE = one_language_each(PAGES, LOCALES)


def parse(html: str) -> Element:
    """The document's root; raises at the first error of the HTML standard's parser."""
    root: Element = html5lib.HTMLParser(strict=True).parse(html)
    return root


def draw(harness: Harness, name: str, locale: str) -> str:
    html: str = PAGES[name][0](harness, locale).get_data(as_text=True)
    return html


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def title_of(root: Element) -> str:
    title = root.find(f".//{XHTML}title")
    assert title is not None
    return words(title)


def elements(root: Element, name: str) -> list[Element]:
    return list(root.iter(f"{XHTML}{name}"))


@pytest.mark.parametrize(("name", "locale"), EVERY_PAGE)
def test_a_page_is_correct_html_in_its_language_with_one_heading(harness: Harness, name: str, locale: str) -> None:
    root = parse(draw(harness, name, locale))
    assert root.get("lang") == locale
    (heading,) = elements(root, "h1")
    assert words(heading) in title_of(root)
    assert title_of(root).endswith(" – " + harness.settings.brand.name.as_dict()[locale])
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("name", "locale"), EVERY_PAGE)
def test_a_page_has_its_status_and_its_language_in_the_header(harness: Harness, name: str, locale: str) -> None:
    drawing, status = PAGES[name]
    response = drawing(harness, locale)
    assert response.status_code == status
    assert response.headers["Content-Language"] == locale


@pytest.mark.parametrize("locale", LOCALES)
def test_titles_differ_on_every_page(harness: Harness, locale: str) -> None:
    shared = {"problem, config_error"}  # a bank that refuses us is to the person one that is not available
    titles = [title_of(parse(draw(harness, name, locale))) for name in PAGES if name not in shared]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(("name", "locale"), EVERY_PAGE)
def test_nothing_on_a_page_needs_more_than_the_policy_allows(harness: Harness, name: str, locale: str) -> None:
    for element in parse(draw(harness, name, locale)).iter():
        assert element.tag not in {f"{XHTML}{tag}" for tag in ("script", "style", "iframe", "form", "base", "object")}
        assert not [key for key in element.attrib if key == "style" or key.startswith("on")]
        for key in ("src", "href"):
            assert urlsplit(element.get(key, "")).scheme in {"", "https", "tel", "mailto"}
    assert "http-equiv" not in draw(harness, name, locale)


@pytest.mark.parametrize(("name", "locale"), EVERY_PAGE)
def test_every_link_leads_somewhere(harness: Harness, name: str, locale: str) -> None:
    root = parse(draw(harness, name, locale))
    ids = {element.get("id") for element in root.iter()}
    client = harness.app.test_client()
    for url in (link.get("href", "") for link in [*elements(root, "a"), *elements(root, "link")]):
        parts = urlsplit(url)
        if parts.path.startswith("/static/"):
            assert client.get(url).status_code == 200
        elif url.startswith("#"):
            assert url[1:] in ids
        else:
            route = r"/(identify|choose|problem|return|wait)/[\w/-]+|/"
            assert parts.scheme or url.startswith("?") or re.fullmatch(route, parts.path), url


@pytest.mark.parametrize(("name", "locale"), EVERY_PAGE)
def test_language_links_keep_the_page_and_name_their_language(harness: Harness, name: str, locale: str) -> None:
    navigation = elements(parse(draw(harness, name, locale)), "nav")
    if name == "fault" or name.startswith("too many"):
        assert not navigation  # its address may be one that must not be asked for twice, or hold what a client sent
        return
    links = list(navigation[0].iter(f"{XHTML}a"))
    assert [link.get("lang") for link in links] == [link.get("hreflang") for link in links] == list(LOCALES)
    assert [link.get("lang") for link in links if link.get("aria-current")] == [locale]
    path = urlsplit(links[0].get("href", "")).path
    assert [link.get("href") for link in links] == [f"{path}?ui_locales={code}" for code in LOCALES]


def test_the_page_of_a_bad_request_speaks_every_language_and_repeats_nothing(harness: Harness) -> None:
    with harness.app.test_request_context("/authorize?client_id=%3Cb%3Eevil&redirect_uri=https://evil.example"):
        response = harness.pages.bad_request()
    root = parse(response.get_data(as_text=True))
    assert response.status_code == 400
    assert len(elements(root, "h1")) == 1
    assert [block.get("lang") for block in elements(root, "section")] == ["fi", "sv", "en"]
    assert "evil" not in response.get_data(as_text=True)
    for text in (
        "Tunnistautumista ei voi aloittaa tästä osoitteesta",
        "Identifieringen kan inte påbörjas från den här adressen",
        "You cannot start identification from this address",
        "Onlinetjänsten",
    ):
        assert text in words(root)


def test_the_page_of_a_bad_request_shows_the_code_that_the_log_has(harness: Harness) -> None:
    with harness.app.test_request_context("/authorize"):
        root = parse(harness.pages.bad_request("K7QF2M4A" + "Z" * 18).get_data(as_text=True))
        assert "code" not in harness.pages.bad_request().get_data(as_text=True).split("<main")[1]
    (code,) = elements(root, "code")
    assert words(code) == "K7QF2M4A"
    assert "Virhekoodi · Felkod · Error code: K7QF2M4A" in words(root)


def test_the_page_of_a_bad_request_leads_with_the_default_language() -> None:
    harness = build_harness(brand=build_harness().settings.brand.model_dump() | {"default_locale": "sv"})
    with harness.app.test_request_context("/authorize"):
        root = parse(harness.pages.bad_request().get_data(as_text=True))
    assert root.get("lang") == "sv"
    assert words(elements(root, "h1")[0]) == "Identifieringen kan inte påbörjas från den här adressen"


def test_every_error_has_a_page() -> None:
    assert {error.code for error in ALL_ERRORS} == set(PROBLEMS) | {"cancelled", "bad_request"}


def problem_pages() -> Iterator[tuple[str, str, str]]:
    yield from ((code, row, locale) for code in PROBLEMS for row in PROVIDERS for locale in LOCALES)


def test_every_problem_of_every_provider_in_every_language_is_a_page_with_ways_out(
    harness: Harness,
) -> None:
    for code, row, locale in problem_pages():
        response = problem(harness, code, locale, row)
        root = parse(response.get_data(as_text=True))
        assert response.status_code == PROBLEMS[code].status
        facts = [words(fact) for fact in elements(root, "dd")]
        assert facts[:2] == [PROVIDERS[row].names[locale], "ABCDEFGH"]
        buttons = [link for link in elements(root, "a") if "button" in link.get("class", "").split()]
        second = ["button-second" in button.get("class", "") for button in buttons]
        if code in OTHER_METHODS_AS_ROWS:  # the other methods are there themselves, each a row
            assert second == [True]
            assert len([link for link in elements(root, "a") if link.get("class") == "row"]) == len(PROVIDERS) - 1
        else:
            assert second in ([False], [False, True])
        assert f"/return/{TRANSACTION}" in {link.get("href") for link in elements(root, "a")}


@pytest.mark.parametrize("locale", LOCALES)
def test_the_chooser_names_every_provider(harness: Harness, locale: str) -> None:
    text = words(parse(chooser(harness, locale).get_data(as_text=True)))
    assert all(provider.names[locale] in text for provider in PROVIDERS.values())
