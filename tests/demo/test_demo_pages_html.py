"""The pages of the demo: valid, in three languages, usable by everybody, whatever they show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo.online_service import texts as online_texts
from demo.portal import app as portal
from demo.portal import texts as portal_texts
from tests.demo.drawing import (
    COMPANIES,
    LISTING,
    LONG_NAME,
    ONLINE_STATES,
    PORTAL_STATES,
    REGISTRATION,
    TERMS,
    Online,
    Portal,
    empty_mailbox,
    full_mailbox,
)
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

CODE = Path(portal.__file__).parents[1]
TEMPLATES = sorted(file for file in CODE.glob("*/templates/*.html") if file.parts[-3] != "employer")
"""The mock of an employer's provider stands for others' software, and speaks English."""
LANGUAGES = list(online_texts.LANGUAGES)
TEXTS = {"portal": portal_texts.TEXTS, "online": online_texts.TEXTS}
SOURCES = {"portal": ["portal/app.py"], "online": ["online_service/app.py"]}


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the broker answers the portal, under `listing`."""
    answers: dict[str, Any] = {"listing": LISTING}
    monkeypatch.setattr(portal, "list_providers", lambda _broker, _language: answers["listing"])
    return answers


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", ONLINE_STATES)
def test_a_page_of_the_online_service_is_valid(state: str, language: str) -> None:
    page = check_page(ONLINE_STATES[state](Online(language)).text, language)
    texts = online_texts.TEXTS[language]
    assert title_of(page).endswith(f" – {texts['title']}")
    assert heading_of(page) in title_of(page)
    assert title_of(page).startswith(f"{texts['error']}: ") == state.startswith("sign-in-")
    assert current_language(page) == language
    assert list(language_links(page)) == LANGUAGES
    away = [a.get("href") for a in page.iter("a") if a.get("href", "").startswith(REGISTRATION)]
    assert all("/terms/" in address or address.endswith(f"ui_locales={language}") for address in away)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", PORTAL_STATES)
def test_a_page_of_the_portal_is_valid(state: str, language: str) -> None:
    page = check_page(PORTAL_STATES[state](Portal(language)).text, language)
    assert title_of(page) == f"{heading_of(page)} – {portal_texts.TEXTS[language]['title']}"
    assert current_language(page) == language
    assert list(language_links(page)) == LANGUAGES


def test_titles_differ_where_pages_do() -> None:
    states = ["sign-in", "new-terms", "companies", "consumption", "contracts", "invoices", "forbidden", "unavailable"]
    titles = [title_of(check_page(ONLINE_STATES[state](Online()).text, "fi")) for state in states]
    titles += [title_of(check_page(draw(Portal()).text, "fi")) for draw in PORTAL_STATES.values()]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("state", ["companies", "consumption", "forbidden", "left", "not-found"])
def test_another_language_keeps_the_page_of_the_online_service(state: str) -> None:
    online = Online("fi")
    first = ONLINE_STATES[state](online)
    address = language_links(check_page(first.text, "fi"))["en"]
    assert address == f"{first.request.path}?ui_locales=en"
    changed = online.get(address)
    assert changed.status_code == first.status_code
    assert heading_of(check_page(changed.text, "en")) in online_texts.TEXTS["en"].values()
    check_page(online.get(first.request.path).text, "en")


@pytest.mark.parametrize("state", PORTAL_STATES)
def test_another_language_keeps_the_page_of_the_portal(state: str) -> None:
    browser = Portal("fi")
    first = PORTAL_STATES[state](browser)
    address = language_links(check_page(first.text, "fi"))["sv"]
    changed = browser.get(address)
    assert (changed.status_code, changed.request.path) == (first.status_code, first.request.path)
    check_page(browser.get(first.request.path).text, "sv")


def test_another_language_keeps_the_user_name_that_was_typed_and_signs_nobody_in() -> None:
    online = Online("fi")
    page = check_page(online.get("/").text, "fi")
    buttons = page.findall(".//button[@form='sign-in']")
    assert buttons[0].get("name") is None  # the one that Enter presses
    assert [button.get("value") for button in buttons[1:]] == LANGUAGES
    changed = online.post("/sign-in", user_name="<aino>", password="Kesäyö-2026!", ui_locales="sv")
    page = check_page(changed.text, "sv")
    assert changed.status_code == 200
    assert page.find(".//input[@id='user_name']").get("value") == "<aino>"
    assert page.find(".//input[@id='password']").get("value") is None
    assert page.find(".//*[@role='alert']") is None
    check_page(online.get("/").text, "sv")


@pytest.mark.parametrize("state", [state for state in ONLINE_STATES if state.startswith("sign-in-")])
def test_an_error_is_announced_and_belongs_to_the_fields(state: str) -> None:
    page = check_page(ONLINE_STATES[state](Online()).text, "fi")
    alert = page.find(".//*[@role='alert']/*[@id='error']")
    assert alert.text in [text.format(minutes=3) for text in online_texts.TEXTS["fi"].values()]
    fields = [page.find(f".//input[@id='{name}']") for name in ("user_name", "password")]
    assert [field.get("aria-describedby") for field in fields] == ["error", "error"]
    assert {field.get("aria-invalid") for field in fields} == ({None} if state == "sign-in-wait" else {"true"})


def test_a_company_shows_what_there_is_and_says_what_there_is_not() -> None:
    text = ONLINE_STATES["companies"](Online("sv")).text
    page = check_page(text, "sv")
    shown = ["".join(section.itertext()) for section in page.findall(".//section")]
    assert LONG_NAME in shown[0]
    assert [online_texts.TEXTS["sv"]["administrator"] in section for section in shown] == [True, False, False]
    assert online_texts.TEXTS["sv"]["no_section"] in shown[2]
    assert [len(section.findall(".//li")) for section in page.findall(".//section")] == [4, 1, 0]
    assert [[dt.text for dt in section.iter("dt")] for section in page.findall(".//section")] == [
        ["FO-nummer", "Kundnummer"],
        ["FO-nummer", "Kundnummer"],
        ["FO-nummer"],
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_new_terms_say_the_same_however_somebody_came(language: str) -> None:
    texts = online_texts.TEXTS[language]
    for state in ("new-terms", "new-terms-identified"):
        online = Online(language)
        page = check_page(ONLINE_STATES[state](online).text, language)
        assert heading_of(page) == texts["terms"]
        assert page.find(".//main//p[@class='lead']").text == texts["terms_text"]
        ways = page.findall(".//main//p[@class='actions']/*")
        assert [way.text for way in ways] == [texts["read_terms"], texts["sign_in_again"]]
        assert ways[0].get("href") == TERMS
        left = online.post("/sign-out") if ways[1].get("form") == "sign-out" else online.get(ways[1].get("href"))
        came = online.get(left.location or "/")
        assert heading_of(check_page(came.text, language)) == texts["sign_in"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_pretended_change_is_told_before_the_heading(language: str) -> None:
    page = check_page(ONLINE_STATES["contracts-changed"](Online(language)).text, language)
    first, second = list(page.find(".//main/div"))[:2]
    assert (first.get("class"), second.tag) == ("notice", "h1")
    assert " ".join("".join(first.itertext()).split()) == online_texts.TEXTS[language]["changed"]


def test_a_page_that_is_not_available_leads_to_itself_first() -> None:
    texts = online_texts.TEXTS["fi"]
    online = Online()
    ways = {}
    for state in ("unavailable", "unavailable-section"):
        page = check_page(ONLINE_STATES[state](online).text, "fi")
        ways[state] = [(a.text, a.get("href")) for a in page.findall(".//main//p[@class='actions']/a")]
    assert ways["unavailable"] == [(texts["try_again"], "/")]
    section = online.section("contracts")
    assert ways["unavailable-section"] == [(texts["try_again"], section), (texts["back"], "/")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_did_not_identify_is_told_what_became_of_their_data_and_only_a_failure_has_a_code(language: str) -> None:
    for texts, draw in (
        (online_texts.TEXTS[language], lambda state: ONLINE_STATES[state](Online(language))),
        (portal_texts.TEXTS[language], lambda state: PORTAL_STATES[state](Portal(language))),
    ):
        for state, codes in (("left", 0), ("failed", 1)):
            page = check_page(draw(state).text, language)
            assert page.find(".//main//p[@class='lead']").text == texts[f"{state}_text"]
            assert len(page.findall(".//code")) == codes


def test_a_language_link_of_a_page_that_answers_the_sign_in_form_leads_to_the_form() -> None:
    online = Online()
    assert online.get("/sign-in?ui_locales=sv").headers["Location"] == "/"
    assert heading_of(check_page(online.get("/").text, "sv")) == online_texts.TEXTS["sv"]["sign_in"]


def test_a_company_without_customer_numbers_has_empty_tables() -> None:
    online = Online()
    levels = dict.fromkeys(("consumption", "contracts", "invoices"), "read")
    company = type(COMPANIES[0])("0000001-9", "Tyhjä Oy", (), administrator=False, levels=levels)
    online.enter(company)
    for section in levels:
        assert online.get(online.section(section, company)).status_code == 200


def test_the_portal_shows_what_the_broker_tells_of_each_provider(broker: dict[str, Any]) -> None:
    page = check_page(PORTAL_STATES["home"](Portal("fi")).text, "fi")
    rows = page.findall(".//main//ul/li")
    assert [row.find("a") is not None for row in rows] == [True, True, True, False]
    (notice,) = page.findall(".//section[@class='notice notice-warn']")
    told = ["".join(p.itertext()) for p in notice.findall("p")]
    assert told == ["Nordea", "Häiriö", "Tunnistautumisessa on häiriöitä perjantaina."]
    notes = [row.find(".//span[@class='row-note']") for row in rows]
    texts = portal_texts.TEXTS["fi"]
    assert [note if note is None else note.text for note in notes] == [texts["operators"], None, None, texts["closed"]]
    data = page.find(".//section[@aria-labelledby='data']")
    assert [p.get("lang") for p in data.findall("p")] == ["fi", "sv", "sv", "fi", "fi"]
    site = check_page(Portal("fi", registration=None).get("/").text, "fi")
    assert heading_of(site) == portal_texts.TEXTS["fi"]["lead"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_the_list_the_portal_names_the_button_that_is_left(broker: dict[str, Any], language: str) -> None:
    broker["listing"] = None
    page = check_page(PORTAL_STATES["home"](Portal(language)).text, language)
    button = page.find(".//main//a[@href='/start']").text
    assert button == portal_texts.TEXTS[language]["all"]
    assert button in page.find(".//main//p[@class='lead']").text


def test_a_mobile_certificate_that_cannot_be_used_says_that_instead_of_its_operators(broker: dict[str, Any]) -> None:
    mobile = LISTING["providers"][0] | {"usable": False}
    broker["listing"] = LISTING | {"providers": [mobile]}
    page = check_page(PORTAL_STATES["home"](Portal("fi")).text, "fi")
    assert page.find(".//span[@class='row-note']").text == portal_texts.TEXTS["fi"]["closed"]


def test_the_mailbox_is_valid_empty_and_full() -> None:
    for browser, mails in ((empty_mailbox(), 0), (full_mailbox(), 3)):
        page = check_page(browser.get("/").text, "en")
        assert len(page.findall(".//details")) == mails
        assert title_of(page) == "Mailbox – Demo"
        assert language_links(page) == {}


def test_one_recipients_e_mail_is_shown_with_a_way_to_all() -> None:
    page = check_page(full_mailbox().get("/?to=aino%40people.example").text, "en")
    assert len(page.findall(".//details")) == 1
    links = {a.text: a.get("href") for a in page.findall(".//main//p[@class='actions']/a")}
    assert links == {"Refresh": "/?to=aino@people.example", "Show all e-mail": "/"}


@pytest.mark.parametrize("app", TEXTS)
def test_every_text_is_there_in_every_language_and_used(app: str) -> None:
    check_texts(TEXTS[app])
    sources = [path.read_text() for path in TEMPLATES if path.name.startswith(app)]
    sources += [(CODE / name).read_text() for name in SOURCES[app]]
    written_together = {key for key in TEXTS[app]["fi"] if key.startswith("change_")}
    assert unused(set(TEXTS[app]["fi"]) - written_together, sources) == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_says_nothing_but_those_texts(path: Path) -> None:
    if path.name.startswith("mailbox"):  # for developers, in English
        return
    source = path.read_text()
    for app, texts in TEXTS.items():
        if path.name.startswith(app):
            assert used(source) <= texts["fi"].keys()
    assert [word for word in template_words(source).split() if word.isalpha()] == []
