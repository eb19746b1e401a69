"""The demo's mailbox catches e-mail over SMTP and shows it, whatever stands in it."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import html5lib
import pytest
from flask.testing import FlaskClient

from demo.mailbox.app import MOST_BYTES, MOST_MAILS, MOST_RECIPIENTS, Catcher, Mailbox, create_app

LINK = "https://register.example/confirm/abc-_.def?x=1&y=2"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox(clock=lambda: 1_800_000_000)


@pytest.fixture
def smtp(mailbox: Mailbox) -> Iterator[smtplib.SMTP]:
    """A sender, connected."""
    catcher = Catcher(mailbox, "127.0.0.1", 0)
    with smtplib.SMTP("127.0.0.1", catcher.port, "sender.test", timeout=10) as client:
        yield client
    catcher.close()


@pytest.fixture
def browser(mailbox: Mailbox) -> FlaskClient:
    return create_app(mailbox).test_client()


def mail(subject: str = "Vahvistus", text: str = "Hej Åke", to: str = "ake@people.example") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "noreply@power.example", to, subject
    message["Message-ID"] = "<1@register.example>"
    message.set_content(text)
    message["Content-Language"] = "sv"
    return message


def test_a_caught_e_mail_is_shown_with_its_link_to_click(smtp: smtplib.SMTP, browser: FlaskClient) -> None:
    smtp.send_message(mail("Bekräftelse på registreringen", f"Hej Åke,\n\nöppna {LINK}.\n"))
    page = browser.get("/")
    tree = html5lib.parse(page.text, namespaceHTMLElements=False)
    assert [link.get("href") for link in tree.findall(".//details//a")] == [LINK]
    assert "".join(tree.find(".//p[@class='text']").itertext()) == f"Hej Åke,\n\nöppna {LINK}."
    assert tree.find(".//summary/strong").text == "Bekräftelse på registreringen"
    assert tree.find(".//summary/strong").get("lang") == "sv"
    assert tree.find(".//summary/span[@class='tag']").text == "sv"
    assert tree.find(".//summary/span[@class='to']").text == "ake@people.example"
    assert tree.find(".//summary/time").text == "15 January 2027, 10:00"


def test_scripts_get_the_same_as_json_the_newest_first(smtp: smtplib.SMTP, browser: FlaskClient) -> None:
    smtp.send_message(mail("one"))
    smtp.send_message(mail("two", f"see {LINK}", to="bo@people.example"))
    second, first = browser.get("/api/mails").json["mails"]
    assert (first["subject"], second["subject"]) == ("one", "two")
    assert second["to"] == ["bo@people.example"]
    assert second["links"] == [LINK]
    assert second["message_id"] == "<1@register.example>"
    assert second["at"] == 1_800_000_000
    assert [found["subject"] for found in browser.get("/api/mails?to=ake@people.example").json["mails"]] == ["one"]


def test_markup_and_script_links_in_an_e_mail_are_text(mailbox: Mailbox, browser: FlaskClient) -> None:
    text = '<script>alert(1)</script> javascript:alert(1) https://a.example/"onclick="x'
    mailbox.add("<b>", ("<i>@x",), mail("<script>s</script>", text).as_bytes())
    page = browser.get("/")
    assert "<script" not in page.text
    tree = html5lib.parse(page.text, namespaceHTMLElements=False)
    assert [link.get("href") for link in tree.findall(".//details//a")] == ["https://a.example/"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"Subject: =?utf-99?b?zzz?=\n\nx",
        b"Content-Type: text/plain; charset=no-such\n\n\xe5",
        b"Content-Type: multipart/mixed\n\nno boundary",
        b"Content-Type: text/html\n\n<script>alert(1)</script>",
        b"Message-ID: <\nTo: @@,,<\nSubject: \n x\n\n",
        b"Content-Language: <script>\n\n",
    ],
)
def test_a_broken_e_mail_is_shown_as_far_as_it_can_be_read(
    mailbox: Mailbox, browser: FlaskClient, content: bytes
) -> None:
    mailbox.add("", ("a@b.example",), content)
    page = browser.get("/")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert 'class="tag"' not in page.text
    assert len(browser.get("/api/mails").json["mails"]) == 1


def test_only_the_latest_are_kept(mailbox: Mailbox, browser: FlaskClient) -> None:
    for number in range(MOST_MAILS + 5):
        mailbox.add("", ("a@b.example",), f"Subject: {number}\n\n".encode())
    mails = browser.get("/api/mails").json["mails"]
    assert len(mails) == MOST_MAILS
    assert (mails[0]["subject"], mails[-1]["subject"]) == (str(MOST_MAILS + 4), "5")


def test_an_e_mail_that_is_too_large_is_refused(smtp: smtplib.SMTP, mailbox: Mailbox) -> None:
    with pytest.raises(smtplib.SMTPResponseException) as refused:
        smtp.send_message(mail(text="x\n" * MOST_BYTES))
    assert refused.value.smtp_code == 552
    assert mailbox.newest_first() == []


def test_too_many_recipients_are_refused(smtp: smtplib.SMTP, mailbox: Mailbox) -> None:
    everyone = [f"p{number}@people.example" for number in range(MOST_RECIPIENTS + 3)]
    refused = smtp.send_message(mail(), to_addrs=everyone)
    assert len(refused) == 3
    assert len(mailbox.newest_first()[0].to) == MOST_RECIPIENTS


def test_an_empty_mailbox_says_so(browser: FlaskClient) -> None:
    assert "No e-mail yet" in browser.get("/").text
    assert browser.get("/api/mails").json == {"mails": []}
    assert browser.get("/livez").text == "ok\n"


@pytest.mark.parametrize("path", ["/", "/api/mails", "/no-such-page"])
def test_no_script_runs_and_nothing_is_kept_by_the_browser(browser: FlaskClient, path: str) -> None:
    headers = browser.get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")
    assert "script-src" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
