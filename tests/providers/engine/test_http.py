"""Calls to a bank that hangs, drips, lies or dies: over real sockets, with short deadlines."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import pytest

from providers.engine.http import LONGEST_BODY, Answer, BankHttp, BankUnreachable
from tests.harness.engine.bank_server import Peer, after_request, answer, answering, served
from tests.harness.engine.http import AMPLE, DEADLINE, get, make_http
from tests.harness.engine.parts import Clock, Seen, make_connection

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

FAULTS: dict[str, Callable[[Peer], None]] = {
    "no answer": lambda peer: peer.hang(),
    "half a status line": lambda peer: (peer.send(b"HTTP/1.1 2"), peer.hang())[0],
    "head without an end": lambda peer: (peer.send(HEAD), peer.hang())[0],
    "no body": lambda peer: (peer.send(HEAD + b"Content-Length: 5\r\n\r\n"), peer.hang())[0],
    "half a body": lambda peer: (peer.send(HEAD + b"Content-Length: 5\r\n\r\nab"), peer.hang())[0],
    "head byte by byte": lambda peer: (peer.send(HEAD), peer.drip(b"X-A: b\r\n"))[0],
    "one line byte by byte": lambda peer: (peer.send(HEAD + b"X-A: "), peer.drip(b"b"))[0],
    "status 100 over and over": lambda peer: peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "status 103 over and over": lambda peer: peer.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "body byte by byte": lambda peer: (peer.send(HEAD + b"Content-Length: 60000\r\n\r\n"), peer.drip(b"x"))[0],
    "body without a length byte by byte": lambda peer: (peer.send(HEAD + b"\r\n"), peer.drip(b"x"))[0],
    "chunks byte by byte": lambda peer: (
        peer.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
        peer.drip(b"1\r\nx\r\n"),
    )[0],
    "the size of a chunk byte by byte": lambda peer: (
        peer.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
        peer.drip(b"0"),
    )[0],
    "the size of a chunk byte by byte, then close": lambda peer: (
        peer.send(HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"),
        peer.drip(b"0"),
    )[0],
    "trailers byte by byte, then close": lambda peer: (
        peer.send(HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-A: "),
        peer.drip(b"b"),
    )[0],
    "half a body, to be closed": lambda peer: (
        peer.send(HEAD + b"Connection: close\r\nContent-Length: 5\r\n\r\nab"),
        peer.hang(),
    )[0],
    "no bytes, then the end": lambda _peer: None,
    "reset": lambda peer: peer.reset(),
    "half a body, then the end": lambda peer: peer.send(HEAD + b"Content-Length: 5\r\n\r\nab"),
    "half a body, then reset": lambda peer: (peer.send(HEAD + b"Content-Length: 5\r\n\r\nab"), peer.reset())[0],
    "half a chunk, then the end": lambda peer: peer.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"),
    "chunks without a last one": lambda peer: peer.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"),
    "a size that is none": lambda peer: peer.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n"),
    "no HTTP": lambda peer: peer.send(b"SSH-2.0-OpenSSH\r\n\r\n"),
    "a status that is no number": lambda peer: peer.send(b"HTTP/1.1 abc OK\r\n\r\n"),
    "a head of 70 KiB": lambda peer: peer.send(HEAD + b"X-A: " + b"b" * 70 * 1024 + b"\r\n\r\n"),
    "a hundred headers and more": lambda peer: peer.send(HEAD + b"X-A: b\r\n" * 120 + b"\r\n"),
    "a byte too many": lambda peer: peer.send(answer(b"x" * (LONGEST_BODY + 1))),
    "far too many bytes": lambda peer: peer.send(answer(b"x" * 4 * 1024 * 1024)),
    "bytes without an end": lambda peer: (peer.send(HEAD + b"\r\n"), [peer.send(b"x" * 65536) for _ in range(999)])[0],
    "chunks without an end": lambda peer: (
        peer.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
        [peer.send(b"1000\r\n" + b"x" * 4096 + b"\r\n") for _ in range(999)],
    )[0],
}


@pytest.mark.parametrize("name", FAULTS)
def test_no_whole_answer_in_time_is_unreachable_and_frees_the_thread(name: str) -> None:
    http = make_http()
    with served(after_request(FAULTS[name])) as server:
        started = time.monotonic()
        with pytest.raises(BankUnreachable):
            get(http, server.url)
        assert time.monotonic() - started < AMPLE
        assert server.connections == 1, "no call is repeated"


def test_a_post_is_never_repeated() -> None:
    with served(after_request(lambda peer: peer.reset())) as server, make_http().identification() as budget:
        with pytest.raises(BankUnreachable):
            make_http().post(server.url, {"code": "c"}, budget)
        assert len(server.requests) == 1


def test_the_longest_body_is_taken() -> None:
    with served(answering(answer(b"x" * LONGEST_BODY))) as server:
        assert len(get(make_http(), server.url).body) == LONGEST_BODY


WHOLE = {
    "kept": answer(b'{"a": 1}'),
    "after others that are not final": b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    + answer(b'{"a": 1}'),
    "to be closed": answer(b'{"a": 1}', "200 OK", "Connection: close"),
    "in chunks": answer(b'8\r\n{"a": 1}\r\n0\r\n\r\n', "200 OK", "Transfer-Encoding: chunked", length=False),
    "in chunks, to be closed": answer(
        b'4\r\n{"a"\r\n4\r\n: 1}\r\n0\r\n\r\n',
        "200 OK",
        "Transfer-Encoding: chunked",
        "Connection: close",
        length=False,
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_is_given_as_it_is(name: str) -> None:
    def script(peer: Peer) -> None:
        while peer.read_request():
            peer.send(WHOLE[name])
            if b"Connection: close" in WHOLE[name]:
                return

    http = make_http(call_seconds=AMPLE)
    with served(script) as server:
        for _ in range(3):
            assert get(http, server.url) == Answer(200, "application/json", b'{"a": 1}')
        assert server.connections == (3 if "closed" in name else 1)


def test_an_answer_that_only_the_end_of_the_connection_ends_is_taken() -> None:
    with served(after_request(lambda peer: peer.send(HEAD + b"\r\nabc"))) as server:
        assert get(make_http(), server.url).body == b"abc"


def test_a_content_type_is_taken_apart() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type:  Application/JWK-Set+JWT ;a=b\r\nContent-Length: 0\r\n\r\n"
    with served(answering(head)) as server:
        assert get(make_http(), server.url).content_type == "application/jwk-set+jwt"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_an_answer_and_not_followed(status: str) -> None:
    with served(answering(answer())) as elsewhere:
        redirect = answer(b"{}", status, f"Location: {elsewhere.url}/")
        with served(answering(redirect)) as server, make_http().identification() as budget:
            assert make_http().post(server.url, {"code": "c"}, budget).status == int(status[:3])
            assert len(server.requests) == 1
        assert elsewhere.connections == 0


def test_the_body_of_a_redirect_is_bounded_as_any_other() -> None:
    redirect = answer(b"x" * (LONGEST_BODY + 1), "302 Found", "Location: /b")
    with served(answering(redirect)) as server, pytest.raises(BankUnreachable, match="too long"):
        get(make_http(), server.url)


def test_the_bank_sees_no_more_than_the_call() -> None:
    first = answer(b"{}", "200 OK", "Set-Cookie: session=1; Path=/")
    http = make_http()
    with served(answering(first)) as server, http.identification() as budget:
        http.get(server.url + "/jwks", budget)
        http.post(server.url + "/token", {"code": "a b"}, budget)
    got, posted = (request.decode().lower() for request in server.requests)
    assert got.startswith("get /jwks http/1.1\r\n")
    assert "accept: application/jwk-set+jwt, application/json;q=0.9\r\n" in got
    assert posted.startswith("post /token http/1.1\r\n")
    assert "accept: application/json\r\n" in posted
    assert "content-type: application/x-www-form-urlencoded\r\n" in posted
    assert posted.endswith("code=a+b")
    assert "cookie" not in posted
    assert "accept-encoding: identity\r\n" in posted


def test_the_environment_does_not_choose_proxy_or_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    with served(answering(answer())) as server:
        assert get(make_http(), server.url).status == 200


def test_a_proxy_of_the_config_is_used() -> None:
    with served(answering(answer(b'{"proxied": 1}'))) as proxy:
        http = BankHttp(make_connection(proxy=proxy.url), 1, Seen(), call_seconds=AMPLE)
        assert get(http, "http://bank.example/jwks").body == b'{"proxied": 1}'
    assert proxy.requests[0].startswith(b"GET http://bank.example/jwks ")


def test_a_dripping_head_through_a_proxy_has_the_same_deadline() -> None:
    with served(after_request(FAULTS["one line byte by byte"])) as proxy:
        http = BankHttp(make_connection(proxy=proxy.url), 1, Seen(), call_seconds=DEADLINE)
        started = time.monotonic()
        with pytest.raises(BankUnreachable):
            get(http, "http://bank.example/jwks")
        assert time.monotonic() - started < AMPLE


def test_the_calls_of_one_identification_share_one_budget() -> None:
    clock = Clock(0)
    http = make_http(monotonic=clock, call_seconds=AMPLE)
    with served(answering(answer())) as server, http.identification() as budget:
        http.get(server.url, budget)
        clock.now = 19.5
        assert budget.left == 0.5
        clock.now = 20
        with pytest.raises(BankUnreachable, match="used up"):
            http.get(server.url, budget)
        assert len(server.requests) == 1
        clock.now = 30
        assert budget.left == 0


def test_a_call_takes_no_longer_than_what_is_left_of_the_budget() -> None:
    http = make_http(call_seconds=60.0, login_seconds=DEADLINE)
    with served(after_request(lambda peer: peer.hang())) as server:
        started = time.monotonic()
        with pytest.raises(BankUnreachable):
            get(http, server.url)
        assert time.monotonic() - started < AMPLE


def test_a_bank_where_nobody_listens_is_unreachable() -> None:
    with served(answering(answer())) as server:
        url = server.url
    with pytest.raises(BankUnreachable):
        get(make_http(), url)


def test_neither_code_nor_assertion_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with served(answering(answer(status="400 Bad"))) as server, make_http().identification() as budget:
        make_http().post(server.url, {"code": "sEcReT-code"}, budget)
    assert "sEcReT" not in caplog.text
