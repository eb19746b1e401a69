"""The way to the mail server: encrypted where it is configured, its certificate and name checked, or nothing sent."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from registration.mail.sending import FIRST_DELAY
from tests.harness.mail_server import MailServer, Post, certificate


@pytest.fixture
def post_to(tmp_path: Path, sqlite_url: str) -> Iterator[Callable[..., Post]]:
    """Makes an outbox with one e-mail in it, for a server and with settings of one's own."""
    made: list[Post] = []

    def make(server: MailServer, **mail: Any) -> Post:
        post = Post(tmp_path, server.port, sqlite_url, **mail)
        post.notify(post.person("aino"))
        made.append(post)
        return post

    yield make
    for post in made:
        post.database.close()


def trusting(file: Path) -> Callable[[], ssl.SSLContext]:
    """The default context, with that authority instead of the system's."""
    return lambda: ssl.create_default_context(cafile=str(file))


def refused(post: Post, server: MailServer, **more: Any) -> bool:
    """Send; whether nothing was taken and the e-mail is kept for later."""
    sent = post.another(**more).send_due()
    (entry,) = post.waiting()
    return sent == 0 and server.mails == [] and entry.next_try_at == post.now + FIRST_DELAY


def test_starttls_encrypts_the_e_mail(post_to: Callable[..., Post], tmp_path: Path) -> None:
    file, tls = certificate(tmp_path, "127.0.0.1")
    with MailServer(tls) as server:
        assert post_to(server, security="starttls").another(tls=trusting(file)).send_due() == 1
        assert server.encrypted == [True]


def test_tls_from_the_start_encrypts_the_e_mail(post_to: Callable[..., Post], tmp_path: Path) -> None:
    file, tls = certificate(tmp_path, "127.0.0.1")
    with MailServer(implicit=tls) as server:
        assert post_to(server, security="tls").another(tls=trusting(file)).send_due() == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_nobody_we_trust_is_refused_and_the_e_mail_kept(
    post_to: Callable[..., Post], tmp_path: Path, security: str
) -> None:
    _file, tls = certificate(tmp_path, "127.0.0.1")
    with MailServer(**({"tls": tls} if security == "starttls" else {"implicit": tls})) as server:
        assert refused(post_to(server, security=security), server)


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("name", ["127.0.0.2", "mail.other.example"])
def test_a_certificate_for_another_name_is_refused_and_the_e_mail_kept(
    post_to: Callable[..., Post], tmp_path: Path, security: str, name: str
) -> None:
    file, tls = certificate(tmp_path, name)
    with MailServer(**({"tls": tls} if security == "starttls" else {"implicit": tls})) as server:
        assert refused(post_to(server, security=security), server, tls=trusting(file))


def test_a_server_without_starttls_gets_nothing_where_it_is_configured(post_to: Callable[..., Post]) -> None:
    with MailServer() as server:
        assert refused(post_to(server, security="starttls"), server)


def test_a_server_that_is_reached_by_the_other_kind_of_tls_gets_nothing(
    post_to: Callable[..., Post], tmp_path: Path
) -> None:
    file, tls = certificate(tmp_path, "127.0.0.1")
    with MailServer(tls) as server:
        assert refused(post_to(server, security="tls"), server, tls=trusting(file))


def test_a_user_and_password_log_in(post_to: Callable[..., Post], tmp_path: Path) -> None:
    file, tls = certificate(tmp_path, "127.0.0.1")
    with MailServer(tls, login=("sender", "secret word")) as server:
        post = post_to(server, security="starttls", user="sender", password="secret word")
        assert post.another(tls=trusting(file)).send_due() == 1


def test_a_wrong_password_keeps_the_e_mail(
    post_to: Callable[..., Post], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, tls = certificate(tmp_path, "127.0.0.1")
    with MailServer(tls, login=("sender", "secret word")) as server:
        post = post_to(server, security="starttls", user="sender", password="wrong word")
        assert refused(post, server, tls=trusting(file))
    (told,) = (vars(record) for record in caplog.records if record.name == "registration.mail")
    assert (told["reason"], told["status"]) == ("not let in", 535)
    assert "wrong word" not in caplog.text


def test_a_server_that_wants_a_login_gets_one_or_nothing(post_to: Callable[..., Post], tmp_path: Path) -> None:
    file, tls = certificate(tmp_path, "127.0.0.1")
    with MailServer(tls, login=("sender", "secret word")) as server:
        assert refused(post_to(server, security="starttls"), server, tls=trusting(file))
