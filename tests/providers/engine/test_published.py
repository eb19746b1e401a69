"""What brokers publish of their state: plain words out of whatever comes, or one refusal."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from providers.dialects import DIALECTS
from providers.engine import published
from providers.engine.bounded import LONGEST_BODY, BankUnreachable, BoundedSession
from providers.engine.compact import Malformed
from providers.engine.published import (
    LONGEST_HEADER,
    LONGEST_TEXT,
    MOST_LISTED,
    Published,
    address_of,
    plain_words,
    read_published,
)
from tests.harness.engine.bank_server import Peer, Script, after_request, answer, answering, served
from tests.harness.engine.parts import make_connection

PLAIN = "Content-Type: text/plain"


def op_answer(**changes: Any) -> bytes:
    """OP's answer, the same for each language."""
    whole: dict[str, Any] = {
        "identityProviders": [{"name": "Nordea", "imageUrl": "https://x.example/n.svg", "ftn_idp_id": "fi-nordea"}],
        "isbProviderInfo": "Provider",
        "isbConsent": "Consent",
        "privacyNoticeText": "Privacy",
        "privacyNoticeLink": "https://isb.example/privacy",
        "disturbanceInfo": {"header": "Header", "text": "One\r\nTwo"},
    }
    return json.dumps(whole | changes).encode()


def telia_answer(body: bytes, *headers: str) -> bytes:
    return answer(body, "200 OK", *(headers or (PLAIN,))).replace(
        b"Content-Type: application/json; charset=utf-8\r\n", b""
    )


def read(script: Script, dialect: str = "isb") -> Published:
    with served(script) as server:
        return read_published(make_connection(dialect, notices_uri=f"{server.url}/n"), BoundedSession())


def read_op(**changes: Any) -> Published:
    return read(answering(answer(op_answer(**changes))))


def test_the_addresses_are_those_of_the_documents_below_the_issuer() -> None:
    assert address_of(DIALECTS["isb"], "https://isb.op.fi", "a b/c") == "https://isb.op.fi/api/embedded-ui/a%20b%2Fc"
    telia = address_of(DIALECTS["telia"], "https://tunnistus.telia.fi/uas", "us")
    assert telia == "https://tunnistus.telia.fi/uas/resource/maintenance.txt"
    assert address_of(DIALECTS["ftn"], "https://bank.example", "us") is None


def test_op_is_asked_once_for_each_language_without_a_word_about_anyone() -> None:
    with served(answering(answer(op_answer()))) as server:
        read_published(make_connection("isb", notices_uri=f"{server.url}/n"), BoundedSession())
    assert [request.split(b" ")[1] for request in server.requests] == [b"/n?lang=fi", b"/n?lang=sv", b"/n?lang=en"]
    assert not any(b"cookie" in request.lower() for request in server.requests)


def test_ops_texts_and_list_are_read() -> None:
    found = read_op()
    assert found.listed == {"fi-nordea"}
    assert (found.header["sv"], found.text["en"]) == ("Header", "One\nTwo")
    assert (found.consent["fi"], found.provider_info["fi"]) == ("Consent", "Provider")
    assert (found.privacy_text["fi"], found.privacy_link["fi"]) == ("Privacy", "https://isb.example/privacy")


def test_what_is_absent_null_or_empty_is_none() -> None:
    found = read_op(disturbanceInfo=None, isbConsent=None, isbProviderInfo=" \x00 ")
    assert (found.header, found.text, found.consent, found.provider_info) == ({}, {}, {}, {})


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"isbConsent": 7}, "isbConsent"),
        ({"disturbanceInfo": ["x"]}, "disturbanceInfo"),
        ({"disturbanceInfo": {"header": {}}}, "header"),
        ({"identityProviders": None}, "identityProviders"),
        ({"identityProviders": {}}, "identityProviders"),
        ({"identityProviders": [{"ftn_idp_id": "x"}] * (MOST_LISTED + 1)}, "identityProviders"),
        ({"identityProviders": ["fi-nordea"]}, "ftn_idp_id"),
        ({"identityProviders": [{"ftn_idp_id": 7}, {}, {"ftn_idp_id": ""}]}, "ftn_idp_id"),
    ],
)
def test_an_answer_of_another_form_is_refused_as_a_whole(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_op(**changes)
    assert refused.value.where == where


@pytest.mark.parametrize("wrong", ["fi-pop", None, {}, {"ftn_idp_id": None}, {"ftn_idp_id": 7}, {"ftn_idp_id": ""}, []])
def test_a_bank_without_an_id_is_left_out_and_the_others_stay(wrong: Any) -> None:
    found = read_op(identityProviders=[{"ftn_idp_id": "fi-op"}, wrong, {"ftn_idp_id": "fi-nordea"}])
    assert found.listed == {"fi-op", "fi-nordea"}
    assert found.left_out == tuple(f"{language} identityProviders[1]" for language in ("fi", "sv", "en"))


def test_a_list_without_banks_is_a_list() -> None:
    found = read_op(identityProviders=[])
    assert (found.listed, found.left_out) == (frozenset(), ())


REFUSED: dict[str, tuple[str, Script, type[Exception]]] = {
    "status": ("isb", answering(answer(op_answer(), "500 No")), BankUnreachable),
    "redirect": ("isb", answering(answer(op_answer(), "302 Found", "Location: /n?lang=fi")), BankUnreachable),
    "not json": ("isb", answering(answer(b"[")), Malformed),
    "no object": ("isb", answering(answer(b"[]")), Malformed),
    "a member twice": ("isb", answering(answer(b'{"identityProviders": [], "identityProviders": []}')), Malformed),
    "too long": ("isb", answering(answer(op_answer(x="a" * LONGEST_BODY))), BankUnreachable),
    "reset": ("isb", after_request(lambda peer: peer.reset()), BankUnreachable),
    "a page, isb": ("isb", answering(telia_answer(b"<h1>x</h1>", "Content-Type: text/html")), Malformed),
    "a page, telia": ("telia", answering(telia_answer(b"<h1>x</h1>", "Content-Type: text/html")), Malformed),
    "too long, telia": ("telia", answering(telia_answer(b"a" * (LONGEST_BODY + 1))), BankUnreachable),
    "four parts": ("telia", answering(telia_answer(b"a|b|c|d")), Malformed),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_whole_answer_is_refused(name: str) -> None:
    dialect, script, kind = REFUSED[name]
    with pytest.raises(kind):
        read(script, dialect)


@pytest.mark.parametrize("sent", ["nothing", "half"])
def test_the_time_is_bounded_to_the_last_byte(sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "CALL_SECONDS", 0.2)
    left = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        if sent == "half":
            peer.send(answer(op_answer())[:40])
        if peer.read_request() == b"":  # it has gone before the server's own time was up
            left.set()

    with served(script) as server:
        with pytest.raises(BankUnreachable):
            read_published(make_connection("isb", notices_uri=f"{server.url}/n"), BoundedSession())
        assert left.wait(10)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Huolto|Underhåll|Maintenance".encode(), {"fi": "Huolto", "sv": "Underhåll", "en": "Maintenance"}),
        ("\ufeffHäiriö||".encode(), {"fi": "Häiriö"}),
        ("Häiriö".encode("cp1252"), {"fi": "Häiriö"}),
        (b"", {}),
        (b" | | \r\n", {}),
    ],
)
def test_telias_text_is_read_by_language(body: bytes, expected: dict[str, str]) -> None:
    found = read(answering(telia_answer(body)), "telia")
    assert (found.text, found.listed, found.consent) == (expected, None, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\rc\n\n d ", "a\nb\nc\nd"),
        (
            "<b>Huolto</b> klo&nbsp;3&ndash;4<br/>Ota <a href='javascript:x()'>yhteyttä</a>",
            "Huolto klo 3–4\nOta yhteyttä",
        ),
        ("<script>alert(1)</script>x<style>y</style>", "x"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "‹script›alert(1)‹/script›"),
        ("5 < 6 > 4", "5 ‹ 6 › 4"),
        ("a\x00\x1b[31m\u202eb\u200b\u2066\ufeff\U000e0001c\ue000", "a[31mbc"),
        ("x" * (LONGEST_HEADER + 1), "x" * (LONGEST_HEADER - 1) + "…"),
        ("<" * 10_000, "‹" * (LONGEST_HEADER - 1) + "…"),
    ],
)
def test_words_are_plain_whatever_was_sent(text: str, expected: str) -> None:
    assert plain_words(text, LONGEST_HEADER) == expected


def test_a_long_text_is_cut() -> None:
    found = read_op(isbConsent="x" * 3000, disturbanceInfo={"header": "y" * 3000, "text": "z" * 3000})
    lengths = (len(found.consent["fi"]), len(found.header["fi"]), len(found.text["fi"]))
    assert lengths == (LONGEST_TEXT, LONGEST_HEADER, LONGEST_TEXT)
