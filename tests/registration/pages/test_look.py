"""What the operator sets of registration's pages and e-mails: logo, colours, links, statement, texts, languages."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import html5lib
import pytest
from flask import Flask

from kit.pages import assets
from kit.pages.texts import further_texts
from kit.settings.report import ConfigurationError
from registration.flow.terms import Terms
from registration.pages.rendering import FOLDER, Pages
from registration.settings import Settings
from registration.settings.checks import problems_between
from tests.harness.registration_pages import MAIL_KINDS, MAIL_WORDS, PAGES, SETTINGS, PagesHarness

HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><title>E</title></svg>'


def harness_of(**changes: Any) -> PagesHarness:
    """A harness whose settings differ in whole tables; `brand` is added to."""
    data = deepcopy(SETTINGS)
    data["brand"] |= changes.pop("brand", {})
    settings = Settings.model_validate(data | changes)
    pages = Pages(settings)
    app = Flask("look", static_folder=None)
    app.config["SECRET_KEY"] = "for tests only"
    app.register_blueprint(assets.create_blueprint(pages.assets, lambda: pages.problem("not_found")))
    return PagesHarness(settings, pages, app)


def start(harness: PagesHarness, locale: str = "fi") -> str:
    return harness.draw("start", locale).get_data(as_text=True)


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> PagesHarness:
    folder = tmp_path_factory.mktemp("texts")
    heading = 'msgid "Registration for the Online service"\nmsgstr "Anmeldung zum Onlinedienst"\n'
    (folder / "de.po").write_text(HEAD + heading, "utf-8")
    return harness_of(texts={"dir": str(folder), "languages": {"de": "Deutsch"}})


def test_opening_hours_beside_the_telephone_number_are_not_dialled() -> None:
    service = {"phone": "010 123 4567 (ark. klo 8–16)", "email": "palvelu@example.fi"}
    html = start(harness_of(brand={"customer_service": service}))
    assert '<a href="tel:0101234567">010\u00a0123\u00a04567</a> (ark. klo 8–16)' in html


def test_logo_colours_and_links_are_on_every_page(tmp_path: Path) -> None:
    (tmp_path / "ours.svg").write_text(SVG)
    links = [{"name": {"fi": "Tietosuoja", "sv": "Dataskydd", "en": "Privacy"}, "uri": "https://example.fi/p"}]
    colours = {"accent": "#7a1f5c", "accent_dark": "#f0a8d8"}
    html = start(harness_of(brand={"logo": str(tmp_path / "ours.svg"), "colours": colours, "links": links}), "sv")
    assert re.search(r'<img src="/static/brand\.[0-9a-f]{12}\.svg" alt="Esimerkkienergia sv"', html)
    assert re.findall(r'"stylesheet" href="/static/(\w+)\.', html) == ["tunnus", "theme"]
    assert '<a href="https://example.fi/p">Dataskydd</a>' in html


def test_a_colour_that_cannot_be_read_is_refused_here_too() -> None:
    with pytest.raises(ValueError, match=r"has a contrast of 2\.70 : 1 with #e8f3f7"):
        harness_of(brand={"colours": {"accent": "#00a0c8", "accent_dark": "#f0a8d8"}})


def test_a_link_by_plain_http_is_refused() -> None:
    data = deepcopy(SETTINGS)
    data["brand"]["links"] = [{"name": data["brand"]["name"], "uri": "http://example.fi/"}]
    assert [problem.key for problem in problems_between(Settings.model_validate(data))] == [
        ("brand", "links", 0, "uri")
    ]


def test_the_statement_is_linked_from_every_page(tmp_path: Path) -> None:
    for locale in ("fi", "sv", "en"):
        (tmp_path / f"{locale}.md").write_text(f"## Part {locale}\n")
    harness = harness_of(brand={"accessibility": str(tmp_path)})
    assert '<a href="/accessibility">Accessibility statement</a>' in start(harness, "en")
    with harness.app.test_request_context("/accessibility?ui_locales=en"):
        html = harness.pages.accessibility().get_data(as_text=True)
    html5lib.HTMLParser(strict=True).parse(html)
    assert "<h2>Part en</h2>" in html


def test_without_a_statement_there_is_no_page() -> None:
    harness = harness_of()
    with harness.app.test_request_context("/accessibility"):
        assert harness.pages.accessibility().status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_every_page_can_be_drawn_in_a_further_language(german: PagesHarness, name: str) -> None:
    response = german.draw(name, "de")
    assert response.headers["Content-Language"] == "de"
    html5lib.HTMLParser(strict=True).parse(response.get_data(as_text=True))


def test_a_further_language_has_its_texts_and_the_english_ones_it_lacks(german: PagesHarness) -> None:
    html = start(german, "de")
    assert "<h1>Anmeldung zum Onlinedienst</h1>" in html
    assert "Choose your customer type" in html
    (told,) = further_texts(german.pages.texts)
    assert told.startswith("de: ")


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_an_e_mail_can_be_written_in_a_further_language(german: PagesHarness, kind: str) -> None:
    for part in ("subject.txt", "txt"):
        assert german.pages.render(f"mail/{kind}.{part}", "de", **MAIL_WORDS).strip()


def test_a_text_of_the_operators_stands_in_an_e_mail_too(tmp_path: Path) -> None:
    source = (FOLDER / "templates" / "mail" / f"{MAIL_KINDS[0]}.subject.txt").read_text()
    (msgid,) = re.findall(r'_\("([^"]+)"', source)
    placeholders = " ".join(re.findall(r"%\(\w+\)s", msgid))
    (tmp_path / "en.po").write_text("\ufeff" + HEAD + f'msgid "{msgid}"\nmsgstr "Ours {placeholders}"\n', "utf-8")
    pages = harness_of(texts={"dir": str(tmp_path)}).pages
    assert pages.render(f"mail/{MAIL_KINDS[0]}.subject.txt", "en", **MAIL_WORDS).strip().startswith("Ours")


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ('msgid "Banks"\nmsgstr "Banker"\n', "is no text of this service"),
        ('#, fuzzy\nmsgid "Continue"\nmsgstr "Fortsätt"\n', "is fuzzy"),
        ('msgid "Continue"\nmsgstr ""\n', "has no text"),
        ('msgid "Continue"\nmsgstr "Fortsätt %(n)s"\n', "has other placeholders"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused_here_too(tmp_path: Path, content: str, wrong: str) -> None:
    (tmp_path / "sv.po").write_text(HEAD + content, "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        harness_of(texts={"dir": str(tmp_path)})
    assert "sv.po" in str(caught.value)
    assert wrong in str(caught.value)


def test_words_and_a_default_in_a_language_that_the_pages_do_not_have_are_refused() -> None:
    data = deepcopy(SETTINGS)
    data["brand"]["name"]["de"] = "Beispielenergie"
    data["brand"]["default_locale"] = "de"
    assert {problem.key for problem in problems_between(Settings.model_validate(data))} == {
        ("brand", "default_locale"),
        ("brand", "name", "de"),
    }


def test_terms_are_english_where_a_language_has_none_and_say_so(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    for locale in ("fi", "sv", "en"):
        (tmp_path / "1" / f"{locale}.md").write_text(f"Text {locale}.\n")
    assert Terms(tmp_path, "1", ("fi", "sv", "en", "de")).html("de") == '<div lang="en">\n<p>Text en.</p>\n</div>\n'
    (tmp_path / "1" / "de.md").write_text("Text de.\n")
    assert Terms(tmp_path, "1", ("fi", "sv", "en", "de")).html("de") == "<p>Text de.</p>\n"
