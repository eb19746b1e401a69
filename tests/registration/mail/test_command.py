"""`send-mail` as a process of its own: it sends, ends when it is told to, and may be killed at any moment."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner
from sqlalchemy.exc import OperationalError

from kit.serving.ending import Ending
from registration.cli.mail import CLEANED_EVERY, PAUSE, run, send_mail
from registration.database.models import OutboxEntry
from registration.mail.outbox import CONFIRMING, KINDS
from registration.mail.sending import KEPT, Mailer
from registration.pages.rendering import Pages
from tests.harness.mail_server import MailServer, Post, account_of, configuration
from tests.harness.registration_pages import OF_NO_COMPANY

COMMAND = [sys.executable, "-c", "from registration.cli.mail import send_mail; send_mail()"]
SECONDS = 30


@pytest.fixture
def post(post: Post) -> Post:
    post.now = int(time.time())  # that of the processes
    return post


@pytest.fixture
def start(post: Post, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a sender as a process; it is killed at the end."""
    processes: list[subprocess.Popen[str]] = []
    config = tmp_path / "registration.toml"
    config.write_text(tomli_w.dumps(post.configuration))

    def begin(*options: str) -> subprocess.Popen[str]:
        command = [*COMMAND, "--config", str(config), *options]
        processes.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def test_it_sends_what_is_due_and_ends(
    post: Post, server: MailServer, start: Callable[..., subprocess.Popen[str]]
) -> None:
    post.notify(post.person("aino"), company="C", fo_nummer="F")
    process = start("--once")
    _out, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    assert server.recipients == ["aino@people.example"]
    (line,) = (json.loads(line) for line in said.splitlines())
    assert (line["message"], line["event"]) == ("e-mail sent", "rights_changed")


@pytest.mark.drill
def test_it_sends_what_comes_while_it_runs_and_ends_after_the_e_mail_it_is_sending(
    post: Post, server: MailServer, start: Callable[..., subprocess.Popen[str]]
) -> None:
    taken = Event()
    process = start()

    def told_to_end(_recipient: str) -> None:
        process.send_signal(signal.SIGTERM)
        taken.set()

    server.at = told_to_end
    person, other = post.person("aino"), post.person("bo")
    with post.database.write() as session:  # both in one transaction, so that it finds both
        for account in (person, other):
            session.add(entry_for(account.id, account.email, post.now))
    assert taken.wait(SECONDS)
    assert process.wait(SECONDS) == 0
    assert len(server.mails) == 1
    assert len(post.waiting()) == 1  # the first is marked as sent, the other was not begun


@pytest.mark.drill
def test_a_sender_killed_before_it_knows_that_the_server_took_it_sends_it_again_with_the_same_id(
    post: Post, server: MailServer, start: Callable[..., subprocess.Popen[str]]
) -> None:
    post.notify(post.person("aino"), company="C", fo_nummer="F")
    process = start()
    server.at = lambda _recipient: os.kill(process.pid, signal.SIGKILL)
    assert process.wait(SECONDS) == -signal.SIGKILL
    server.at = lambda _recipient: None
    (entry,) = post.waiting()
    assert entry.claimed_until > post.now
    post.now = entry.claimed_until - 1
    assert post.mailer.send_due() == 0
    post.now += 1
    assert post.mailer.send_due() == 1
    first, second = server.mails
    assert first["Message-ID"] == second["Message-ID"] == f"<{entry.id}@register.example>"
    assert post.waiting() == []


@pytest.mark.drill
def test_a_mail_server_that_cannot_be_reached_is_named_and_the_e_mail_stays(
    post: Post, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    post.notify(post.person("aino"), company="C", fo_nummer="F")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    post.configuration["mail"]["port"] = port
    (tmp_path / "registration.toml").write_text(tomli_w.dumps(post.configuration))
    process = start("--once")
    _out, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    line, last = said.splitlines()
    assert json.loads(line)["message"] == "e-mail not sent yet"
    assert last.startswith(f"the mail server 127.0.0.1:{port} cannot be used (no connection)")
    assert len(post.waiting()) == 1


@pytest.mark.drill
def test_two_processes_send_each_e_mail_once(
    post: Post, server: MailServer, start: Callable[..., subprocess.Popen[str]]
) -> None:
    with post.database.write() as session:
        for number in range(12):
            person = account_of(f"p{number}")
            session.add(person)
            session.flush()
            session.add(entry_for(person.id, person.email, post.now))
    for process in (start("--once"), start("--once")):
        assert process.wait(SECONDS) == 0
    assert sorted(server.recipients) == sorted({f"p{number}@people.example" for number in range(12)})


def entry_for(account_id: str, address: str, now: int) -> OutboxEntry:
    return OutboxEntry(
        id=account_id,
        kind="rights_changed",
        account_id=account_id,
        address=address,
        locale="sv",
        words={"company": "C", "fo_nummer": "F"},
        created_at=now,
        next_try_at=now,
    )


class Pauses:
    """Counts the pauses, moves a clock on, and stops at the last."""

    def __init__(self, post: Post, stop: Ending, last: int) -> None:
        self.post, self.stop, self.last, self.taken = post, stop, last, 0

    def __call__(self, seconds: float) -> None:
        assert seconds == PAUSE
        self.taken += 1
        self.post.now += CLEANED_EVERY
        if self.taken >= self.last:
            self.stop.ask()


def test_it_pauses_only_when_nothing_is_due(post: Post, server: MailServer) -> None:
    stop = Ending()
    post.notify(post.person("aino"))
    post.notify(post.person("bo"))
    pauses = Pauses(post, stop, last=2)
    run(post.mailer, stop, wait=pauses)
    assert (len(server.mails), pauses.taken) == (2, 2)


def test_what_was_sent_is_deleted_while_it_runs(post: Post, server: MailServer) -> None:
    post.notify(post.person("aino"))
    post.mailer.send_due()
    stop = Ending()
    run(post.mailer, stop, wait=Pauses(post, stop, last=KEPT // CLEANED_EVERY))
    assert len(post.entries()) == 1
    stop = Ending()
    run(post.mailer, stop, wait=Pauses(post, stop, last=2))
    assert post.entries() == []


def test_a_database_that_is_away_for_a_while_does_not_end_it(
    post: Post, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.notify(post.person("aino"))
    tries = iter([OperationalError("select", {}, Exception("away"))])
    sends = Mailer.send_due

    def sometimes(self: Mailer, *told: Any) -> int:
        for error in tries:
            raise error
        return sends(self, *told)

    monkeypatch.setattr(Mailer, "send_due", sometimes)
    stop = Ending()
    run(post.mailer, stop, wait=Pauses(post, stop, last=2))
    assert len(server.mails) == 1


def test_a_database_without_tables_is_told_in_one_line(tmp_path: Path, sqlite_url: str) -> None:
    config = tmp_path / "registration.toml"
    config.write_text(tomli_w.dumps(configuration(tmp_path, 1, sqlite_url)))
    answer = CliRunner().invoke(send_mail, ["--config", str(config), "--once"])
    assert answer.exit_code == 1
    assert "tunnus-registration migrate" in answer.output
    assert "Traceback" not in answer.output


@pytest.mark.parametrize("locale", ["fi", "sv", "en"])
def test_every_kind_of_e_mail_has_a_subject_and_a_text_in_every_language(
    tmp_path: Path, sqlite_url: str, server: MailServer, locale: str
) -> None:
    post = Post(tmp_path, server.port, sqlite_url)
    person = post.person("aino", locale)
    company = {"company": "Åkes <Ström> & Son Ab", "fo_nummer": "1234567-1"}
    case = {"case": post.case(person), "case_kind": "joining", "outcome": "granted"}
    numbers = {"numbers": "100001, 100002", "ends_at": "1800000000"}
    for kind in KINDS:
        post.notify(person, kind, **company, **case, by="Bo Ek", by_account="b" * 32, company_key="c" * 32, **numbers)
    kinds = {f"<{entry.id}@register.example>": entry.kind for entry in post.waiting()}
    assert post.another(pages=Pages(post.settings)).send_due() == len(KINDS)
    assert len({mail["Subject"] for mail in server.mails}) == len(KINDS)
    for mail in server.mails:
        kind, text = kinds[mail["Message-ID"]], mail.get_content()
        assert 10 < len(mail["Subject"]) < 80
        assert "Aino Öberg" in text
        assert kind in OF_NO_COMPANY or "Åkes <Ström> & Son Ab" in text
        assert ("https://register.example:8443/confirm/" in text) == (kind in CONFIRMING)
        assert "&amp;" not in text
        assert "{" not in text
        body = mail.get_payload()  # as it was sent: what the text has no break for, quoted-printable breaks
        assert max(len(line) for line in body.splitlines()) <= 78
    post.database.close()
