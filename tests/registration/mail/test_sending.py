"""What stands in the outbox reaches a real mail server, each once when all is well and at least once when it is not."""

from __future__ import annotations

import email.utils
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Thread

import jinja2
import pytest

from registration import cases
from registration.audit import By
from registration.cases import codes
from registration.database.models import AuditRecord, OutboxEntry
from registration.mail.links import read_link
from registration.mail.outbox import ACTIVATION, CONFIRMATION, write_to
from registration.mail.sending import CLAIM, FIRST_DELAY, GIVEN_UP, KEPT, LONGEST_DELAY, REFUSED_DELAY, clean
from tests.harness.mail_server import NOW, MailServer, Post, Texts


def test_an_e_mail_goes_out_once_in_the_persons_language(post: Post, server: MailServer) -> None:
    post.notify(post.person("aino", "sv"), company="Åkes Ström & Son Ab", fo_nummer="1234567-1")
    entry = post.waiting()[0]
    assert post.mailer.send_due() == 1
    assert post.mailer.send_due() == 0
    (mail,) = server.mails
    assert server.recipients == ["aino@people.example"]
    assert server.senders == ["noreply@power.example"]
    assert mail["To"] == "aino@people.example"
    assert mail["From"] == "Testi-El <noreply@power.example>"
    assert mail["Subject"].startswith("mail/rights_changed.subject.txt sv company: Åkes Ström & Son Ab")
    assert mail["Message-ID"] == f"<{entry.id}@register.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "sv"
    assert email.utils.parsedate_to_datetime(mail["Date"]) == datetime.fromtimestamp(NOW, UTC)
    text = mail.get_content().replace("\r\n", "\n")
    assert text.startswith("mail/rights_changed.txt sv\n")
    for line in ("company: Åkes Ström & Son Ab", "name: Aino Öberg", "url: https://register.example:8443"):
        assert line in text
    assert post.waiting() == []


def test_a_confirmation_holds_a_link_that_is_valid_from_when_it_is_sent(post: Post, server: MailServer) -> None:
    post.notify(post.person("aino"), CONFIRMATION, company="C", fo_nummer="F")
    entry = post.waiting()[0]
    post.now += 5 * 86_400
    post.mailer.send_due()
    text = server.mails[0].get_content()
    token = text.split("link: https://register.example:8443/confirm/")[1].split()[0]
    assert read_link(post.keys, token, post.now + 86_399) == (entry.id, False)


def test_an_activation_code_is_made_for_each_try_and_goes_to_the_company(post: Post, server: MailServer) -> None:
    person = post.person("aino")
    case = post.case(person)
    with post.database.write() as tx:
        write_to(tx, person, "info@company.example", ACTIVATION, post.now, case=case, company="C", fo_nummer="F")
    server.answers["info@company.example"] = ["451 later"]
    assert post.mailer.send_due() == 0
    with post.database.read() as tx:
        first = cases.case(tx, case).code_digest
    post.now += FIRST_DELAY
    assert post.mailer.send_due() == 1
    assert server.recipients == ["info@company.example"]
    code = server.mails[0].get_content().split("code: ")[1].split()[0]
    with post.database.write() as tx:
        assert first not in {None, cases.case(tx, case).code_digest}
        assert codes.enter(tx, post.keys, case, code, post.now)


def test_no_code_is_sent_for_a_case_that_was_decided_meanwhile(post: Post, server: MailServer) -> None:
    person = post.person("aino")
    case = post.case(person)
    with post.database.write() as tx:
        cases.decide(tx, case, "refuse", By("operator:maija", post.now, {"reason": "by phone"}))
    post.notify(person, ACTIVATION, case=case, company="C", fo_nummer="F")
    assert post.mailer.send_due() == 1  # what was decided
    assert "activation" not in server.mails[0]["Subject"]
    assert post.waiting() == []


def test_other_kinds_hold_no_link(post: Post, server: MailServer) -> None:
    post.notify(post.person("aino"), "password_changed")
    post.mailer.send_due()
    assert "/confirm/" not in server.mails[0].get_content()


def test_a_batch_goes_over_one_connection(post: Post, server: MailServer) -> None:
    for name in ("aino", "bo", "carl"):
        post.notify(post.person(name))
    assert post.mailer.send_due() == 3
    assert server.connections == 1


def test_no_connection_is_made_for_nothing(post: Post, server: MailServer) -> None:
    post.mailer.send_due()
    assert server.connections == 0


def test_what_is_not_taken_for_now_is_sent_again_later_each_time_until_it_is(post: Post, server: MailServer) -> None:
    person = post.person("aino")
    post.notify(person)
    server.answers[person.email] = ["451 later"] * 9
    waits = []
    for _ in range(9):
        assert post.mailer.send_due() == 0
        waits.append(post.waiting()[0].next_try_at - post.now)
        post.now += waits[-1] - 1
        assert post.mailer.send_due() == 0  # not a second before
        assert post.waiting()[0].next_try_at == post.now + 1
        post.now += 1
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert (FIRST_DELAY, LONGEST_DELAY) == (30, 3600)
    assert post.mailer.send_due() == 1
    assert server.recipients == [person.email]


def test_tries_spread_by_a_quarter_so_that_not_all_come_at_once(post: Post, server: MailServer) -> None:
    person = post.person("aino")
    post.notify(person)
    server.answers[person.email] = ["451 later"]
    post.another(chance=lambda: 1.0).send_due()
    assert post.waiting()[0].next_try_at == post.now + 37


def test_a_recipient_who_is_refused_does_not_hold_up_the_others(post: Post, server: MailServer) -> None:
    for name in ("aino", "bo", "carl"):
        post.notify(post.person(name))
    server.answers["aino@people.example"] = ["RCPT 450 greylisted"]
    server.answers["bo@people.example"] = ["RCPT 550 no such person"]
    assert post.mailer.send_due() == 1
    assert server.recipients == ["carl@people.example"]
    first, second = post.waiting()
    assert (first.next_try_at, second.next_try_at) == (NOW + FIRST_DELAY, NOW + REFUSED_DELAY)


def test_what_is_refused_for_good_is_given_up_after_a_week_and_that_is_on_record(
    post: Post, server: MailServer
) -> None:
    person = post.person("aino")
    post.notify(person)
    server.answers[person.email] = ["554 no"] * 99
    tries = 0
    while post.waiting():
        post.now = max(post.now, post.waiting()[0].next_try_at)
        post.mailer.send_due()
        tries += 1
    assert post.now == NOW + GIVEN_UP
    assert tries == GIVEN_UP // REFUSED_DELAY + 1
    assert post.entries() == []
    with post.database.read() as session:
        (record,) = session.query(AuditRecord).all()
    assert (record.event, record.subject) == ("not_told", person.id)
    assert record.details == {"kind": "rights_changed", "reason": "refused"}


def test_what_fails_for_now_is_never_given_up(post: Post, server: MailServer) -> None:
    person = post.person("aino")
    post.notify(person)
    server.answers[person.email] = ["451 later"]
    post.now += 3 * GIVEN_UP
    post.mailer.send_due()
    assert len(post.waiting()) == 1


def test_a_server_that_is_down_costs_no_e_mail(tmp_path: Path, database_url: str) -> None:
    with MailServer() as gone:
        port = gone.port
    post = Post(tmp_path, port, database_url)
    post.notify(post.person("aino"))
    post.notify(post.person("bo"))
    assert post.mailer.send_due() == 0
    tried = [entry.next_try_at > NOW for entry in post.waiting()]
    assert sorted(tried) == [False, True]  # the second is not tried over a connection that cannot be had
    post.database.close()


def test_a_server_that_closes_is_left_and_nothing_is_lost(post: Post, server: MailServer) -> None:
    for name in ("aino", "bo"):
        post.notify(post.person(name))
    for person in ("aino", "bo"):
        server.answers[f"{person}@people.example"] = ["421 closing"]
    assert post.mailer.send_due() == 0
    assert sorted(entry.tries for entry in post.waiting()) == [0, 1]  # the other is not tried over a closed connection
    post.now += FIRST_DELAY
    assert post.mailer.send_due() == 0
    post.now += FIRST_DELAY
    assert post.mailer.send_due() == 2


def test_an_entry_that_another_sender_has_claimed_is_left_alone_until_the_claim_runs_out(
    post: Post, server: MailServer
) -> None:
    post.notify(post.person("aino"))
    first = post.mailer._claim()
    assert first is not None
    post.now += CLAIM - 1
    assert post.another().send_due() == 0
    post.now += 1
    assert post.another().send_due() == 1
    assert server.mails[0]["Message-ID"] == f"<{first[0].id}@register.example>"


def test_senders_at_the_same_time_send_each_e_mail_once(post: Post, server: MailServer) -> None:
    for number in range(24):
        post.notify(post.person(f"person{number}"))
    senders = [post.another() for _ in range(4)]
    together, sent = Barrier(len(senders)), []

    def work(number: int) -> None:
        together.wait()
        sent.append(senders[number].send_due())

    threads = [Thread(target=work, args=(number,)) for number in range(len(senders))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One that found nothing in a moment when others held the rows is done; the rest is never sent twice.
    while post.mailer.send_due():
        pass
    assert set(Counter(server.recipients).values()) == {1}
    assert len(server.recipients) == 24


@pytest.mark.parametrize("word", ["Oy\r\nBcc: a@b.example", "Oy\nBcc: a@b.example", "Oy\x0b\u2028Bcc: a@b.example"])
def test_a_word_with_line_breaks_makes_no_header(post: Post, server: MailServer, word: str) -> None:
    post.notify(post.person("aino"), company=word)
    assert post.mailer.send_due() == 1
    (mail,) = server.mails
    assert mail["Bcc"] is None
    assert "Oy Bcc: a" in mail["Subject"]
    assert server.recipients == ["aino@people.example"]
    assert "company: Oy Bcc: a" in mail.get_content()  # nor a paragraph of its own


@pytest.mark.parametrize("address", ["a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "no address", ""])
def test_an_address_that_no_e_mail_can_have_is_not_sent_to_and_holds_up_nobody(
    post: Post, server: MailServer, address: str
) -> None:
    post.notify(post.person("aino", email=address))
    post.notify(post.person("bo"))
    assert post.mailer.send_due() == 1
    assert server.recipients == ["bo@people.example"]
    assert post.waiting()[0].next_try_at == NOW + REFUSED_DELAY


def test_an_address_in_other_letters_goes_where_the_server_takes_such_ones(post: Post, server: MailServer) -> None:
    post.notify(post.person("aino", email="åke@people.example"))
    assert post.mailer.send_due() == 0
    assert post.waiting()[0].next_try_at == NOW + REFUSED_DELAY


def test_an_e_mail_that_cannot_be_written_holds_up_nobody(post: Post, server: MailServer) -> None:
    class Broken(Texts):
        def render(self, template: str, locale: str, **values: str) -> str:
            if "password_changed" in template:
                raise jinja2.UndefinedError
            return super().render(template, locale, **values)

    post.notify(post.person("aino"), "password_changed")
    post.notify(post.person("bo"))
    assert post.another(pages=Broken()).send_due() == 1
    assert len(post.waiting()) == 1


def test_an_unknown_language_is_the_companys_own(post: Post, server: MailServer) -> None:
    post.notify(post.person("aino", "de"))
    post.mailer.send_due()
    assert server.mails[0]["Content-Language"] == "fi"


def test_what_was_sent_is_deleted_after_a_week(post: Post, server: MailServer) -> None:
    post.notify(post.person("aino"))
    post.mailer.send_due()
    post.notify(post.person("bo"))
    assert clean(post.database, NOW + KEPT - 1) == 0
    assert clean(post.database, NOW + KEPT) == 1
    assert [entry.address for entry in post.entries()] == ["bo@people.example"]  # not sent yet: kept


def test_a_sender_that_is_told_to_stop_sends_no_other(post: Post, server: MailServer) -> None:
    post.notify(post.person("aino"))
    post.notify(post.person("bo"))
    assert post.mailer.send_due(stop=lambda: len(server.mails) == 1) == 1
    assert len(post.waiting()) == 1


def test_the_log_holds_no_address_and_no_name(post: Post, server: MailServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    for name in ("aino", "bo"):
        post.notify(post.person(name), company="Hemliga Ab")
    server.answers["bo@people.example"] = ["550 bo@people.example unknown"]
    post.mailer.send_due()
    ours = [record for record in caplog.records if record.name.startswith("registration")]
    assert {record.message for record in ours} == {"e-mail sent", "e-mail not sent yet"}
    for record in ours:
        assert not any(word in str(vars(record)) for word in ("people.example", "Aino", "Öberg", "Hemliga"))


def test_an_entry_whose_person_is_erased_meanwhile_is_no_fault(post: Post, server: MailServer) -> None:
    person = post.person("aino")
    post.notify(person)

    def erase(_recipient: str) -> None:
        with post.database.write() as session:
            session.query(OutboxEntry).delete()

    server.at = erase
    assert post.mailer.send_due() == 1
    assert post.entries() == []
