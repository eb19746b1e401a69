"""The operator's own texts and further languages; and what is refused of them."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import html5lib
import pytest

from broker.chooser.notices import Notices
from broker.pages.rendering import FOLDER
from kit.pages import languages
from kit.pages.texts import catalogue, further_texts
from kit.settings.report import ConfigurationError
from tests.harness.broker_pages import PAGES, SETTINGS, Harness, build_harness, chooser, texts
from tests.harness.closed_folder import closed

HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
HEADING = "Choose how to identify yourself"


def entry(msgid: str, msgstr: str, flag: str = "") -> str:
    return (f"#, {flag}\n" if flag else "") + f'msgid "{msgid}"\nmsgstr "{msgstr}"\n\n'


def with_texts(folder: Path, languages: dict[str, str] | None = None, **changes: Any) -> Harness:
    return build_harness(texts={"dir": str(folder), "languages": languages or {}}, **changes)


def page(harness: Harness, locale: str) -> str:
    with harness.app.test_request_context("/choose/abcdef"):
        return chooser(harness, locale).get_data(as_text=True)


def test_a_text_of_the_operators_stands_in_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "sv.po").write_text(HEAD + entry(HEADING, "Välj ditt sätt"), "utf-8")
    (tmp_path / "en.po").write_text(HEAD + entry(HEADING, "Pick a method"), "utf-8")
    harness = with_texts(tmp_path)
    assert "<h1>Välj ditt sätt</h1>" in page(harness, "sv")
    assert "<h1>Pick a method</h1>" in page(harness, "en")
    assert "Avbryt och gå tillbaka till tjänsten" in page(harness, "sv")
    assert "<h1>Valitse tunnistustapa</h1>" in page(harness, "fi")


def test_one_operators_texts_are_not_anothers(tmp_path: Path) -> None:
    (tmp_path / "en.po").write_text(HEAD + entry(HEADING, "Pick a method"), "utf-8")
    with_texts(tmp_path)
    assert f"<h1>{HEADING}</h1>" in page(build_harness(), "en")


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (entry("Choose your bank", "Välj"), "is no text of this service"),
        (entry(HEADING, "Välj", "fuzzy"), "is fuzzy"),
        (entry(HEADING, ""), "has no text"),
        (entry(HEADING, "Välj %(service)s"), "has other placeholders than the msgid, which has none"),
        (entry("Service: %(service)s", "Tjänst"), "which has %(service)s"),
        (entry("Service: %(service)s", "Tjänst %(tjanst)s"), "which has %(service)s"),
        (entry(HEADING, "Välj, 100 % säkert"), "has a % that is no placeholder"),
        (entry(HEADING, "<b>Välj</b>"), "has < or &"),
        ('msgid "Banks"\nmsgid_plural "Banks"\nmsgstr[0] "a"\nmsgstr[1] "b"\n', "has a plural"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused_with_file_and_msgid(tmp_path: Path, content: str, wrong: str) -> None:
    (tmp_path / "sv.po").write_text(HEAD + content, "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        with_texts(tmp_path)
    msgid = re.search(r'^msgid "(.*)"', content, re.MULTILINE)
    assert msgid
    (found,) = caught.value.problems
    assert found.key == ("sv.po", f'msgid "{msgid[1]}"')
    assert wrong in found.wrong


def test_every_wrong_text_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "sv.po").write_text(HEAD + entry("One", "x") + entry("Two", "x"), "utf-8")
    (tmp_path / "se.po").write_text(HEAD)
    with pytest.raises(ConfigurationError) as caught:
        with_texts(tmp_path)
    assert len(caught.value.problems) == 3
    assert "is of no language of the pages" in str(caught.value)


@pytest.mark.parametrize("content", [b"msgid \xff", b'msgid "a\n', b"nothing of the kind"])
def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sv.po").write_bytes(content)
    with pytest.raises(ConfigurationError, match="is no gettext catalogue"):
        with_texts(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not a folder"):
        with_texts(tmp_path / "none")


def test_a_folder_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    with closed(tmp_path), pytest.raises(ConfigurationError, match="Permission denied"):
        with_texts(tmp_path)


class TestFurtherLanguage:
    @pytest.fixture
    def german(self, tmp_path: Path) -> Harness:
        (tmp_path / "de.po").write_text(HEAD + entry(HEADING, "Wählen Sie, wie Sie sich ausweisen"), "utf-8")
        brand = deepcopy(SETTINGS["brand"]) | {"default_locale": "de"}
        brand["name"]["de"] = "Beispielenergie"
        return with_texts(tmp_path, {"de": "Deutsch"}, brand=brand)

    def test_its_texts_are_shown_and_those_it_lacks_are_english(self, german: Harness) -> None:
        html = page(german, "de")
        html5lib.HTMLParser(strict=True).parse(html)
        assert '<html lang="de">' in html
        assert "<h1>Wählen Sie, wie Sie sich ausweisen</h1>" in html
        assert "Cancel and return to the service" in html
        assert '<p class="brand">Beispielenergie</p>' in html
        assert ">Mobile certificate<" in html

    def test_it_is_among_the_languages_of_every_page(self, german: Harness) -> None:
        links = re.findall(r'<a lang="(\w+)" hreflang="\w+" href="[^"]*"[^>]*>(\w+)</a>', page(german, "fi"))
        assert links == [("fi", "Suomi"), ("sv", "Svenska"), ("en", "English"), ("de", "Deutsch")]

    @pytest.mark.parametrize("name", PAGES)
    def test_every_page_can_be_drawn_in_it(self, german: Harness, name: str) -> None:
        with german.app.test_request_context("/choose/abcdef"):
            response = PAGES[name][0](german, "de")
        assert response.headers["Content-Language"] == "de"

    def test_a_request_gets_it_by_what_it_asks_and_by_default(self, german: Harness) -> None:
        with german.app.test_request_context("/x?ui_locales=de-AT"):
            assert german.pages.not_found().headers["Content-Language"] == "de"
        with german.app.test_request_context("/x"):
            assert german.pages.not_found().headers["Content-Language"] == "de"
            block = german.pages.bad_request().get_data(as_text=True)
        assert re.findall(r'<section class="language-block" lang="(\w+)">', block) == ["de", "fi", "sv", "en"]
        html5lib.HTMLParser(strict=True).parse(block)

    def test_the_list_of_providers_has_it_too(self, german: Harness) -> None:
        answer = german.app.test_client().get("/api/providers?ui_locales=de")
        assert answer.headers["Content-Language"] == "de"
        assert "Mobile certificate" in {row["name"] for row in answer.get_json()["providers"]}

    def test_check_tells_how_much_is_missing(self, german: Harness) -> None:
        count = sum(bool(message.id) for message in catalogue("en", FOLDER))
        assert list(further_texts(german.pages.texts)) == [
            f"de: {count - 1} of {count} texts are not translated and shown in English"
        ]

    def test_a_notice_may_be_in_it_and_is_english_where_it_is_not(self, german: Harness, tmp_path: Path) -> None:
        file = tmp_path / "notices.toml"
        file.write_text('[telia]\nconsent = { fi = "a", en = "b", de = "c" }\nprovider_info = { fi = "d", en = "e" }\n')
        texts = Notices(file, german.settings.connections, german.settings.languages.codes).of("telia")
        assert texts.consent
        assert texts.consent.in_language("de").text == "c"
        assert texts.provider_info
        assert texts.provider_info.in_language("de").text == "e"
        with pytest.raises(ConfigurationError, match="is no language of the pages"):
            Notices(file, german.settings.connections)

    def test_without_its_file_it_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"de\.po\n +is missing"):
            with_texts(tmp_path, {"de": "Deutsch"})

    def test_one_written_from_right_to_left_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "ar.po").write_text(HEAD)
        assert '<html lang="ar" dir="rtl">' in page(with_texts(tmp_path, {"ar": "العربية"}), "ar")


@pytest.mark.parametrize(
    ("languages", "wrong"),
    [
        ({"fi": "Suomi"}, "is a language that is there already"),
        ({"xx": "X"}, "is no language whose dates are known"),
        ({"Deutsch": "de"}, "characters or a form"),
        ({"de": ""}, "at least 1 character"),
    ],
)
def test_a_language_that_cannot_be_is_refused(tmp_path: Path, languages: dict[str, str], wrong: str) -> None:
    with pytest.raises(ValueError, match="texts") as caught:
        with_texts(tmp_path, languages)
    assert wrong in str(caught.value) or "pattern" in str(caught.value)


def test_languages_without_a_folder_are_refused() -> None:
    with pytest.raises(ValueError, match="has languages and no dir"):
        build_harness(texts={"languages": {"de": "Deutsch"}})


@pytest.mark.parametrize("table", ["brand", "clients", "brand.links"])
def test_words_in_a_language_that_the_pages_do_not_have_are_refused(table: str) -> None:
    changed = deepcopy(SETTINGS)
    words = texts("x") | {"se": "x"}
    if table == "clients":
        changed["clients"]["portal"]["name"] = words
    elif table == "brand":
        changed["brand"]["name"] = words
    else:
        changed["brand"]["links"] = [{"name": words, "uri": "https://example.fi"}]
    with pytest.raises(ValueError, match="is no language of the pages"):
        build_harness(**changed)


def test_a_service_name_agreed_with_a_bank_is_in_its_three_languages_only() -> None:
    changed = deepcopy(SETTINGS["relying_party"])
    changed["service_name"]["de"] = "Beispiel"
    with pytest.raises(ValueError, match=r"service_name\.de"):
        build_harness(relying_party=changed)


def test_the_default_language_is_one_of_the_pages() -> None:
    with pytest.raises(ValueError, match="is none of the allowed values"):
        build_harness(brand=deepcopy(SETTINGS["brand"]) | {"default_locale": "de"})


def test_a_bank_is_asked_in_a_language_that_it_knows() -> None:
    assert [languages.ours(locale) for locale in ("fi", "sv", "en", "de")] == ["fi", "sv", "en", "en"]


def test_time_in_a_further_language_is_as_its_people_write_it() -> None:
    when = datetime(2026, 11, 24, 10, 4, 59, tzinfo=UTC)
    assert languages.format_time(when, "de") == "24. November 2026, 12:04"
    assert languages.format_time(when, "et") == "24. november 2026, 12:04"
