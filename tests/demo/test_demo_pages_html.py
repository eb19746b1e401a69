"""The pages of the demo: valid, in three languages, usable by everybody, whatever they show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo import online_texts, portal, portal_texts
from tests.demo.drawing import (
    COMPANIES,
    LISTING,
    LONG_NAME,
    ONLINE_STATES,
    PORTAL_STATES,
    REGISTRATION,
    Online,
    Portal,
    empty_mailbox,
    full_mailbox,
)
from tests.page_rules import (
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

CODE = Path(portal.__file__).parent
TEMPLATES = sorted((CODE / "templates").glob("*.html"))
LANGUAGES = list(online_texts.LANGUAGES)
TEXTS = {"portal": portal_texts.TEXTS, "online": online_texts.TEXTS}
SOURCES = {"portal": ["portal.py"], "online": ["online_service.py"]}


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
    assert "–" in shown[2]


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
    assert portal_texts.TEXTS["fi"]["closed"] in "".join(rows[3].itertext())
    data = page.find(".//section[@aria-labelledby='data']")
    assert [p.get("lang") for p in data.findall("p")] == ["sv", "fi", "sv", "fi", "fi"]
    broker["listing"] = None
    text = PORTAL_STATES["home"](Portal("fi")).text
    assert portal_texts.TEXTS["fi"]["banks"] in check_page(text, "fi").find(".//main//p[@class='lead']").text
    home = check_page(Portal("fi", registration=None).get("/").text, "fi")
    assert heading_of(home) == portal_texts.TEXTS["fi"]["lead"]


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
    sources = [path.read_text() for path in TEMPLATES if path.name == "base.html" or path.name.startswith(app)]
    sources += [(CODE / name).read_text() for name in SOURCES[app]]
    written_together = {key for key in TEXTS[app]["fi"] if key.startswith("change_")}
    assert unused(set(TEXTS[app]["fi"]) - written_together, sources) == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_says_nothing_but_those_texts(path: Path) -> None:
    if path.name.startswith("mailbox"):  # for developers, in English
        return
    source = path.read_text()
    for app, texts in TEXTS.items():
        if path.name == "base.html" or path.name.startswith(app):
            assert used(source) <= texts["fi"].keys()
    assert [word for word in template_words(source).split() if word.isalpha()] == []
