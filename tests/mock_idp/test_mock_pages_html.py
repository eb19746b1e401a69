"""The pages of the mock banks: valid, plainly a test bank, in three languages, and usable by everybody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from mock_idp.pages.rendering import home
from mock_idp.pages.routes import __file__ as interaction
from mock_idp.pages.texts import LANGUAGES, TEXTS
from mock_idp.people.faces import FACES, MOBILE
from tests.harness.page_rules import (
    check_page,
    check_texts,
    current_language,
    heading_of,
    language_links,
    template_words,
    title_of,
    unused,
    used,
)
from tests.harness.relying_party import SmallRelyingParty

TEMPLATES = Path(interaction).parent / "templates"
IN_ENGLISH = {"home.html", "refused.html"}
"""For developers."""
STATES = ("person", "error", "faces", "waiting", "gone", "not_found")


def open_page(rp: SmallRelyingParty, realm: str, dialect: str, locale: str) -> str:
    return str(rp.authorize(rp.trip(realm, dialect, ui_locales=locale)).headers["Location"])


def draw(rp: SmallRelyingParty, state: str, locale: str) -> TestResponse:
    """A page in a state."""
    if state == "not_found":
        return rp.client.get(f"/nowhere?ui_locales={locale}")
    if state == "faces":
        return rp.client.get(open_page(rp, "shared", "ftn", locale))
    address = open_page(rp, "mobile-certificate" if state == "waiting" else "nordea", "telia", locale)
    if state == "error":
        return rp.client.post(address, data={"do": "born", "birthdate": "2020-01-01"})
    if state == "waiting":
        rp.client.post(address, data={"do": "persona:maija-mobiili"})
    if state == "gone":
        rp.client.post(address, data={"do": "fail"})
        return rp.client.get(f"{address}?ui_locales={locale}")
    return rp.client.get(address)


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
def test_a_page_is_valid_and_says_that_it_is_a_test_bank(rp: SmallRelyingParty, state: str, locale: str) -> None:
    text = draw(rp, state, locale).get_data(as_text=True)
    page = check_page(text, locale)
    header = " ".join("".join(page.find(".//header").itertext()).split())
    assert "TESTIPANKKI · TESTBANK · TEST BANK" in header
    assert TEXTS[locale]["not_a_bank"] in header
    assert title_of(page).endswith(f"{heading_of(page)} – {TEXTS[locale]['test_bank']}")
    assert page.find(".//img") is None  # no logo, nor anything like one


def test_the_pages_have_titles_of_their_own(rp: SmallRelyingParty) -> None:
    titles = {title_of(check_page(draw(rp, state, "fi").get_data(as_text=True), "fi")) for state in STATES}
    assert len(titles) == len(STATES)


@pytest.mark.parametrize("state", STATES)
def test_another_language_keeps_the_page_and_the_trip_keeps_the_language(rp: SmallRelyingParty, state: str) -> None:
    first = draw(rp, state, "sv")
    page = check_page(first.get_data(as_text=True), "sv")
    assert list(language_links(page)) == list(LANGUAGES)
    assert current_language(page) == "sv"
    address = f"{first.request.path}?ui_locales=en"
    assert language_links(page)["en"] == ("" if state in ("person", "error") else address)
    changed = check_page(rp.client.get(address).get_data(as_text=True), "en")
    assert current_language(changed) == "en"
    key = next(key for key, text in TEXTS["sv"].items() if text == heading_of(page))
    assert heading_of(changed) == TEXTS["en"][key]
    if state not in ("gone", "not_found"):
        check_page(rp.client.get(first.request.path).get_data(as_text=True), "en")


@pytest.mark.parametrize("tag", ["de", "", "FI", "<script>"])
def test_a_language_that_we_do_not_have_changes_nothing(rp: SmallRelyingParty, tag: str) -> None:
    for state in ("person", "gone", "not_found"):
        path = draw(rp, state, "sv").request.path
        answer = rp.client.get(path, query_string={"ui_locales": tag}, headers={"Accept-Language": "sv"})
        check_page(answer.get_data(as_text=True), "sv")


def test_a_change_of_language_keeps_what_was_typed_and_enter_does_not_change_it(rp: SmallRelyingParty) -> None:
    address = open_page(rp, "nordea", "telia", "fi")
    page = check_page(rp.client.get(address).get_data(as_text=True), "fi")
    buttons = page.findall(".//button")
    assert (buttons[0].get("name"), buttons[0].get("value"), buttons[0].get("form")) == ("do", "born", "choose")
    assert {b.get("formmethod") for b in buttons if b.get("name") == "ui_locales"} == {"get"}
    typed = {"birthdate": "1970-01-02", "fault": "invalid-iss", "ui_locales": "sv"}
    changed = check_page(rp.client.get(address, query_string=typed).get_data(as_text=True), "sv")
    assert changed.find(".//input[@id='birthdate']").get("value") == "1970-01-02"
    assert changed.find(".//option[@selected]").get("value") == "invalid-iss"
    bent = rp.client.get(address, query_string={"birthdate": '"><b>', "fault": "<b>"}).get_data(as_text=True)
    assert check_page(bent, "sv").find(".//input[@id='birthdate']").get("value") == ""


def test_an_error_stands_in_the_title_above_the_page_and_at_its_field(rp: SmallRelyingParty) -> None:
    page = check_page(draw(rp, "error", "fi").get_data(as_text=True), "fi")
    assert title_of(page).startswith(f"{TEXTS['fi']['error']}: ")
    field = page.find(".//input[@id='birthdate']")
    assert (field.get("aria-invalid"), field.get("value")) == ("true", "2020-01-01")
    error = page.find(f".//*[@id='{field.get('aria-describedby')}']")
    summary = page.find(".//*[@role='alert']//a")
    assert error.text == summary.text == TEXTS["fi"]["not_adult"]
    assert summary.get("href") == "#birthdate"
    assert page.find(".//*[@role='alert']/h2").text == TEXTS["fi"]["check"]


@pytest.mark.parametrize("locale", LANGUAGES)
def test_words_that_are_english_only_say_so_on_a_page_in_another_language(rp: SmallRelyingParty, locale: str) -> None:
    page = check_page(draw(rp, "person", locale).get_data(as_text=True), locale)
    marked = None if locale == "en" else "en"
    languages = {name.text: name.get("lang") for name in page.findall(".//span[@class='row-name']")}
    assert languages["Name in capitals"] == languages["Minor of fifteen"] == marked
    assert languages["Onni Juhani Korhonen"] is None
    assert {option.get("lang") for option in page.findall(".//option")[1:]} == {marked}


@pytest.mark.parametrize(
    ("locale", "last"),
    [("fi", "Ålandsbanken"), ("sv", "Ålandsbanken"), ("en", "S-Bank")],
)
def test_the_mobile_certificate_stands_first_and_the_banks_by_their_names(
    rp: SmallRelyingParty, locale: str, last: str
) -> None:
    address = open_page(rp, "shared", "ftn", "fi")
    page = check_page(rp.client.get(f"{address}?ui_locales={locale}").get_data(as_text=True), locale)
    mobile, *banks = [name.text for name in page.findall(".//span[@class='row-name']")]
    assert mobile == FACES[MOBILE].names[locale]
    assert banks[-1] == last
    rest = [bank for bank in banks if bank[0] != "Å"]
    assert rest == sorted(rest, key=str.casefold)
    assert len(banks) == len(FACES) - 1


def test_an_address_of_an_issuer_breaks_before_its_slashes_and_stays_text(rp: SmallRelyingParty) -> None:
    with rp.client.application.test_request_context():
        text = home(["https://<b>.example/nordea/telia"], control=False).get_data(as_text=True)
    (code,) = re.findall("<code>(.*)</code>", text)
    parts = [re.sub("<[^>]*>", "", part) for part in code.split("<wbr>")]
    assert parts == ["https://&lt;b&gt;.example", "/nordea", "/telia"]


def test_the_pages_for_developers_are_valid_too(rp: SmallRelyingParty) -> None:
    refused = rp.client.get("/nordea/telia/authorize?client_id=<b>")
    assert refused.status_code == 400
    for answer in (refused, rp.client.get("/")):
        page = check_page(answer.get_data(as_text=True), "en")
        assert language_links(page) == {}
        assert title_of(page).endswith(" – Test bank")


@pytest.mark.parametrize("name", ["tunnus.css", "mock.css", "favicon.svg"])
def test_what_a_page_looks_like_comes_from_the_test_bank_itself(rp: SmallRelyingParty, name: str) -> None:
    stem, end = name.split(".")
    links = re.findall(r'href="(/static/[^"]+)"', rp.client.get("/").get_data(as_text=True))
    (link,) = (link for link in links if re.fullmatch(rf"/static/{stem}\.[0-9a-f]{{12}}\.{end}", link))
    with rp.client.get(link) as answer:
        assert answer.status_code == 200
        text = answer.get_data(as_text=True)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "@import" not in text


def test_every_text_is_there_in_every_language_and_used() -> None:
    check_texts(TEXTS)
    sources = [path.read_text() for path in (*TEMPLATES.glob("*.html"), Path(interaction))]
    assert unused(TEXTS["fi"], sources) == set()


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_a_template_says_nothing_but_those_texts(path: Path) -> None:
    source = path.read_text()
    assert used(source) <= TEXTS["fi"].keys()
    if path.name not in IN_ENGLISH:
        words = template_words(source).replace("TESTIPANKKI · TESTBANK · TEST BANK", "")
        assert [word for word in words.split() if word.isalpha() and word != "s"] == []
