"""Every page in every language: correct HTML, one heading, labelled fields, nothing that a strict CSP stops."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import html5lib
import pytest
from markupsafe import Markup

from kit.pages.languages import LOCALES
from registration.pages.texts import PROBLEMS
from tests.harness.registration_pages import COMPANY_NAME, PAGES, PagesHarness, build_pages_harness
from tests.harness.tables import one_language_each

XHTML = "{http://www.w3.org/1999/xhtml}"
EVERY_PAGE = one_language_each(PAGES, LOCALES)
SHOWN_INPUTS = ("input", "select", "textarea")


@pytest.fixture(scope="module")
def harness() -> PagesHarness:
    return build_pages_harness()


@cache
def root_of(harness: PagesHarness, name: str, locale: str) -> Element:
    """The document's root, not to be changed; raises at the first error of the HTML standard's parser."""
    html = harness.draw(name, locale).get_data(as_text=True)
    root: Element = html5lib.HTMLParser(strict=True).parse(html)
    return root


def elements(root: Element, *names: str) -> list[Element]:
    return [element for element in root.iter() if element.tag in {XHTML + name for name in names}]


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def title_of(root: Element) -> str:
    (title,) = elements(root, "title")
    return words(title)


def ids_of(root: Element) -> list[str]:
    return [id for element in root.iter() if (id := element.get("id"))]


def classes(element: Element) -> list[str]:
    return element.get("class", "").split()


@pytest.mark.parametrize(("name", "locale"), EVERY_PAGE)
def test_a_page_of_registration_is_correct_html_in_its_language(harness: PagesHarness, name: str, locale: str) -> None:
    response = harness.draw(name, locale)
    root = root_of(harness, name, locale)
    assert response.status_code == PAGES[name].status
    assert response.headers["Content-Language"] == root.get("lang") == locale
    assert len(ids_of(root)) == len(set(ids_of(root)))
    assert not re.search(r"\{[{%#]|%\(\w+\)", response.get_data(as_text=True))


@pytest.mark.parametrize(("name", "locale"), EVERY_PAGE)
def test_a_page_of_registration_has_one_heading_and_says_it_in_its_title(
    harness: PagesHarness, name: str, locale: str
) -> None:
    root = root_of(harness, name, locale)
    (heading,) = elements(root, "h1")
    assert words(heading) in title_of(root)
    assert title_of(root).endswith(f" – Esimerkkienergia {locale}")
    levels = [int(element.tag[-1]) for element in elements(root, "h1", "h2", "h3") if not _in_summary(root, element)]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def _in_summary(root: Element, heading: Element) -> bool:
    """The error summary stands before the h1, as its title does."""
    return any(heading in list(div.iter()) for div in elements(root, "div") if "summary" in classes(div))


@pytest.mark.parametrize(("name", "locale"), EVERY_PAGE)
def test_the_title_says_first_that_something_is_wrong(harness: PagesHarness, name: str, locale: str) -> None:
    root = root_of(harness, name, locale)
    prefix = {"fi": "Virhe: ", "sv": "Fel: ", "en": "Error: "}[locale]
    summary = [element for element in root.iter() if element.get("id") == "summary"]
    assert title_of(root).startswith(prefix) == bool(summary)
    refused_form = PAGES[name].status in {422, 429} and not PAGES[name].problem and name != "link later"
    assert bool(summary) == refused_form


@pytest.mark.parametrize("locale", LOCALES)
def test_pages_of_registration_are_told_apart_by_their_titles(harness: PagesHarness, locale: str) -> None:
    titles: dict[str, set[str]] = {}
    for name, page in PAGES.items():
        titles.setdefault(title_of(root_of(harness, name, locale)), set()).add(page.template or name)
    shared = {title for title, templates in titles.items() if len(templates) > 1}
    reasons_for_one_refusal = {"problem, company_ended", "problem, company_bankrupt"}
    too_often = {f"problem, too_many_{what}" for what in ("caller_codes", "forms", "names", "starts", "tries")}
    expected = [reasons_for_one_refusal, too_often, {"problem, fault", "problem with a code"}]
    assert all(titles[title] in expected for title in shared)


@pytest.mark.parametrize(("name", "locale"), EVERY_PAGE)
def test_nothing_on_a_page_of_registration_needs_more_than_the_policy_allows(
    harness: PagesHarness, name: str, locale: str
) -> None:
    root = root_of(harness, name, locale)
    for element in root.iter():
        assert element.tag not in {XHTML + tag for tag in ("style", "iframe", "base", "object", "embed")}
        assert not [key for key in element.attrib if key == "style" or key.startswith("on")]
        for key in ("src", "href", "action"):
            assert urlsplit(element.get(key, "")).scheme in {"", "https", "tel", "mailto"}
    (script,) = elements(root, "script")
    assert script.get("src", "").startswith("/static/forms.")
    assert not "".join(script.itertext()).strip()
    assert all(form.get("action", "").startswith("/") for form in elements(root, "form"))


@pytest.mark.parametrize(("name", "locale"), EVERY_PAGE)
def test_every_field_has_a_label_and_what_describes_it_is_there(harness: PagesHarness, name: str, locale: str) -> None:
    root = root_of(harness, name, locale)
    ids = set(ids_of(root))
    labels = {label.get("for"): words(label) for label in elements(root, "label")}
    for field in elements(root, *SHOWN_INPUTS):
        if field.get("type") == "hidden":
            assert field.get("name") in {"csrf_token", "terms_version"}
            continue
        assert labels.get(field.get("id")), field.attrib
        assert field.get("placeholder") is None
        assert field.get("maxlength") is None
        assert not {"required", "autofocus"} & set(field.attrib)
    for element in root.iter():
        for key in ("aria-describedby", "aria-labelledby", "aria-controls", "for"):
            assert set(element.get(key, "").split()) <= ids, (key, element.get(key))
        assert element.get("form", "") in ids | {""}
        assert element.get("href", "#")[0] != "#" or element.get("href", "")[1:] in ids | {""}
    for fieldset in elements(root, "fieldset"):
        assert elements(fieldset, "legend")


@pytest.mark.parametrize(("name", "locale"), EVERY_PAGE)
def test_a_wrong_field_says_the_same_words_as_the_summary(harness: PagesHarness, name: str, locale: str) -> None:
    root = root_of(harness, name, locale)
    by_id = {element.get("id"): element for element in root.iter() if element.get("id")}
    summary = by_id.get("summary")
    links = elements(summary, "a") if summary is not None else []
    for link in links:
        target = link.get("href", "")[1:]
        error = by_id[f"{target}-error"]
        assert words(error) == words(link)
        described = [
            element for element in root.iter() if error.get("id") in element.get("aria-describedby", "").split()
        ]
        assert described
    wrong = [element for element in root.iter() if element.get("aria-invalid")]
    assert {element.get("id") for element in wrong} <= {link.get("href", "")[1:] for link in links}


@pytest.mark.parametrize(("name", "locale"), EVERY_PAGE)
def test_a_page_of_registration_has_at_most_one_first_button(harness: PagesHarness, name: str, locale: str) -> None:
    root = root_of(harness, name, locale)
    buttons = [element for element in root.iter() if "button" in classes(element)]
    first = [button for button in buttons if "button-second" not in classes(button)]
    assert len(first) <= 1
    if first:
        assert buttons[0] is first[0] or "button-small" in classes(buttons[0])


@pytest.mark.parametrize(("name", "locale"), EVERY_PAGE)
def test_every_form_that_changes_something_carries_its_token(harness: PagesHarness, name: str, locale: str) -> None:
    for form in elements(root_of(harness, name, locale), "form"):
        tokens = [field for field in elements(form, "input") if field.get("name") == "csrf_token"]
        assert len(tokens) == (1 if form.get("method") == "post" else 0)
        assert all(token.get("value") for token in tokens)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_form_can_change_its_language_without_losing_what_is_typed(harness: PagesHarness, locale: str) -> None:
    root = root_of(harness, "form", locale)
    (navigation,) = elements(root, "nav")
    buttons = elements(navigation, "button")
    assert [button.get("value") for button in buttons] == list(LOCALES)
    assert {button.get("form") for button in buttons} == {"company"}
    assert {button.get("name") for button in buttons} == {"ui_locales"}
    assert [button.get("lang") for button in buttons] == list(LOCALES)
    assert not elements(navigation, "a")


def test_enter_in_a_field_does_not_press_a_language(harness: PagesHarness) -> None:
    root = root_of(harness, "form", "fi")
    of_the_form = [button for button in elements(root, "button") if button.get("form") == "company"]
    default = of_the_form[0]
    assert default.get("name") is None
    assert default.get("aria-hidden") == "true"
    assert default.get("tabindex") == "-1"


@pytest.mark.parametrize("locale", LOCALES)
def test_other_pages_of_registration_have_links_to_themselves_in_each_language(
    harness: PagesHarness, locale: str
) -> None:
    (navigation,) = elements(root_of(harness, "review", locale), "nav")
    links = elements(navigation, "a")
    assert [link.get("href") for link in links] == [f"/review?ui_locales={code}" for code in LOCALES]
    assert [link.get("lang") for link in links if link.get("aria-current")] == [locale]


def test_no_password_is_ever_filled_in(harness: PagesHarness) -> None:
    for name in PAGES:
        for field in elements(root_of(harness, name, "en"), "input"):
            assert field.get("type") != "password" or field.get("value") is None


def test_what_was_typed_is_shown_again_and_escaped(harness: PagesHarness) -> None:
    html = harness.draw("form", "en").get_data(as_text=True)
    assert str(Markup.escape(COMPANY_NAME)) in html
    fields = {field.get("id"): field.get("value") for field in elements(root_of(harness, "form", "en"), "input")}
    assert fields["company_name"] == COMPANY_NAME
    assert fields["fo_nummer"] == "1234567-1"


def test_fields_tell_the_browser_what_they_hold(harness: PagesHarness) -> None:
    fields = {field.get("id"): field for field in elements(root_of(harness, "form, wrong", "en"), "input")}
    expected = {
        "given_name": "given-name",
        "family_name": "family-name",
        "company_name": "organization",
        "fo_nummer": "off",
        "customer_number": "off",
        "email": "email",
        "user_name": "username",
        "password": "new-password",
    }
    assert {id: fields[id].get("autocomplete") for id in expected} == expected
    signing_in = {field.get("id"): field for field in elements(root_of(harness, "sign in", "en"), "input")}
    assert signing_in["password"].get("autocomplete") == "current-password"
    assert signing_in["user_name"].get("autocapitalize") == "none"


def test_a_name_that_the_bank_gave_is_shown_and_not_asked(harness: PagesHarness) -> None:
    root = root_of(harness, "form", "en")
    assert "Hilja Maria" in words(root)
    assert not {"given_name", "family_name"} & set(ids_of(root))


def test_the_review_leads_back_to_each_answer(harness: PagesHarness) -> None:
    review, form = root_of(harness, "review", "en"), root_of(harness, "form", "en")
    links = [link for link in elements(review, "a") if link.get("href", "").startswith("/form#")]
    assert [words(link) for link in links] == [
        f"Change: {field}"
        for field in (
            "Company name",
            "Business ID",
            "Customer number",
            "E-mail address",
            "Username",
            "Password",
            "Terms of use",
            "Right to see the company's data",
        )
    ]
    assert {link.get("href", "").partition("#")[2] for link in links} <= set(ids_of(form))


def test_the_drawing_has_its_text_beside_it(harness: PagesHarness) -> None:
    root = root_of(harness, "form", "en")
    (drawing,) = elements(root, "img")
    assert drawing.get("alt")
    (caption,) = elements(root, "figcaption")
    assert len(elements(caption, "li")) == 3


def test_the_texts_of_problems_are_those_of_the_problems_there_are(harness: PagesHarness) -> None:
    texts = harness.pages._renderer.environments["en"].get_template("texts.html")
    assert texts.make_module({"least_age": 18}).problem_texts.keys() == PROBLEMS.keys()  # type: ignore[attr-defined]


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_of_registration_has_a_way_on(harness: PagesHarness, code: str) -> None:
    root = root_of(harness, f"problem, {code}", "fi")
    buttons = [link.get("href") for link in elements(root, "a") if "button" in classes(link)]
    assert buttons == [address for _, address in PROBLEMS[code].actions]
    assert buttons


def test_a_problem_with_a_code_shows_eight_characters_of_it_and_asks_for_it(harness: PagesHarness) -> None:
    text = words(root_of(harness, "problem with a code", "sv"))
    assert "FelkodABCDEFGH " in text
    assert "Uppge felkoden ABCDEFGH." in text
    assert "ABCDEFGHI" not in text


def test_every_file_a_page_needs_is_served(harness: PagesHarness) -> None:
    client = harness.app.test_client()
    root = root_of(harness, "form", "fi")
    wanted = [element.get("src") or element.get("href") for element in elements(root, "link", "script", "img")]
    assert len(wanted) == 4
    for url in wanted:
        assert url is not None
        response = client.get(url)
        assert response.status_code == 200
        assert response.headers["X-Content-Type-Options"] == "nosniff"
