"""E-mails: a subject and a text of each kind in each language, as plain text, with the names as they are."""

from __future__ import annotations

import pytest

from kit.pages.languages import LOCALES
from registration.pages.rendering import FOLDER
from tests.harness.registration_pages import (
    COMPANY_NAME,
    MAIL_KINDS,
    MAIL_WORDS,
    OF_NO_COMPANY,
    PagesHarness,
    build_pages_harness,
)

EVERY_MAIL = [(kind, locale) for kind in MAIL_KINDS for locale in LOCALES]
LONGEST_SUBJECT = 72
NAMES_ANOTHER = {"rights_given", "rights_shared", "administrator_received", "joined", "case_opened", "case_closed"}


@pytest.fixture(scope="module")
def harness() -> PagesHarness:
    return build_pages_harness()


def render(harness: PagesHarness, kind: str, locale: str) -> tuple[str, str]:
    subject = harness.pages.render(f"mail/{kind}.subject.txt", locale, **MAIL_WORDS)
    return subject, harness.pages.render(f"mail/{kind}.txt", locale, **MAIL_WORDS)


def test_there_is_a_subject_and_a_text_for_each_kind_and_no_other() -> None:
    files = {file.name for file in (FOLDER / "templates" / "mail").iterdir()}
    expected = {f"{kind}{end}" for kind in MAIL_KINDS for end in (".txt", ".subject.txt")}
    assert files == expected | {"signature.txt"}


@pytest.mark.parametrize(("kind", "locale"), EVERY_MAIL)
def test_a_subject_is_one_line_and_names_nobody(harness: PagesHarness, kind: str, locale: str) -> None:
    subject, _ = render(harness, kind, locale)
    assert subject.strip()
    assert "\n" not in subject.strip()
    assert len(subject.strip()) <= LONGEST_SUBJECT
    assert not [word for word in MAIL_WORDS.values() if word in subject]


@pytest.mark.parametrize(("kind", "locale"), EVERY_MAIL)
def test_a_text_is_plain_with_names_as_they_are(harness: PagesHarness, kind: str, locale: str) -> None:
    _, text = render(harness, kind, locale)
    assert MAIL_WORDS["name"] in text
    assert not [sign for sign in ("&amp;", "&lt;", "&#39;", "%(", "{{", "{%") if sign in text]
    assert "\n\n\n" not in text.strip()
    assert text.strip().splitlines()[-1].endswith("palvelu@example.fi")
    assert f"Esimerkkienergia {locale}" in text


@pytest.mark.parametrize(("kind", "locale"), EVERY_MAIL)
def test_a_link_stands_on_its_own_line(harness: PagesHarness, kind: str, locale: str) -> None:
    _, text = render(harness, kind, locale)
    lines = text.splitlines()
    links = [line for line in lines if "https://" in line]
    site = MAIL_WORDS["url"]
    company = f"{site}/companies/{MAIL_WORDS['company_key']}"
    expected = {MAIL_WORDS["link"], "https://online.example.fi/", f"{site}/rights", f"{site}/sign-in"}
    expected |= {f"{company}/users", f"{company}/users/{MAIL_WORDS['by_account']}/remove"}
    assert set(links) <= expected | {f"{company}/requests/{MAIL_WORDS['case']}"}


@pytest.mark.parametrize(("kind", "locale"), EVERY_MAIL)
def test_a_text_says_of_which_company_it_is(harness: PagesHarness, kind: str, locale: str) -> None:
    _, text = render(harness, kind, locale)
    together = " ".join(text.split())
    assert (COMPANY_NAME in together) == (kind not in OF_NO_COMPANY)
    assert (MAIL_WORDS["by"] in together) == (kind in NAMES_ANOTHER)


@pytest.mark.parametrize(("kind", "locale"), EVERY_MAIL)
def test_a_paragraph_is_one_line_for_the_reader_to_break(harness: PagesHarness, kind: str, locale: str) -> None:
    """Broken by us, it would be broken twice on a phone."""
    _, text = render(harness, kind, locale)
    assert not [
        line
        for line in text.splitlines()
        if line.strip() and not (line[0].isupper() or "://" in line or line == MAIL_WORDS["code"])
    ]


@pytest.mark.parametrize("locale", LOCALES)
def test_only_what_asks_for_an_act_carries_a_link(harness: PagesHarness, locale: str) -> None:
    carrying = [kind for kind in MAIL_KINDS if MAIL_WORDS["link"] in render(harness, kind, locale)[1]]
    assert sorted(carrying) == ["caller_check", "confirmation", "new_address"]


@pytest.mark.parametrize(
    ("locale", "subject"),
    [
        ("fi", "Vahvistus rekisteröitymisestä Online-palveluun"),
        ("sv", "Bekräftelse på registreringen i Onlinetjänsten"),
        ("en", "Confirmation of your registration for the Online service"),
    ],
)
def test_the_confirmation_is_in_the_persons_language(harness: PagesHarness, locale: str, subject: str) -> None:
    assert render(harness, "confirmation", locale)[0].strip() == subject
