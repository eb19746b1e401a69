"""Notices read by ourselves: once per interval, nobody waits, they lapse; and merged with what the operator wrote."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.chooser.live_notices import EVERY, HEADER, KEEP, KEEP_TEXTS, RETRY, Live, LiveNotices, live_of
from broker.chooser.merged import FAILING
from providers.engine.bounded import BankUnreachable
from providers.engine.compact import Malformed
from providers.engine.published import Published
from tests.harness.broker_pages import Harness, build_harness, chooser
from tests.harness.engine.parts import Clock, Seen

WHOLE = Published(
    header={"fi": "Huolto"},
    text={"fi": "Klo 3–4", "sv": "Kl. 3–4"},
    consent={"fi": "Suostumus"},
    provider_info={"fi": "Välittäjä"},
    privacy_text={"fi": "Tietosuoja"},
    privacy_link={"fi": "https://isb.example/privacy"},
    listed=frozenset({"mock-op"}),
)
WRITTEN = '[isb.disturbance]\nheader = { fi = "Oma" }\ntext = { fi = "Meiltä" }\n[isb]\nconsent = { fi = "Sovittu" }\n'


class Feed:
    """What a broker publishes, as a test wants it; and what runs in the background, when the test lets it."""

    def __init__(self) -> None:
        self.answer: Published | Exception = WHOLE
        self.asked = 0
        self.waiting: list[Callable[[], None]] = []
        self.clock, self.seen = Clock(), Seen()
        self.live = LiveNotices({"isb": self.read}, self.seen, self.clock, self.waiting.append)

    def read(self) -> Published:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def run(self) -> None:
        while self.waiting:
            self.waiting.pop()()

    def after(self, seconds: float) -> Live | None:
        """What stands so much later, when whatever that begins has ended."""
        self.clock.now += seconds
        self.live.current()
        self.run()
        return self.live.current().get("isb")


@pytest.fixture
def feed() -> Feed:
    return Feed()


def harness(feed: Feed, written: str = "", folder: Path | None = None, **changes: Any) -> Harness:
    file = None
    if folder is not None:
        file = folder / "notices.toml"
        file.write_text(written, encoding="utf-8")
    made = build_harness(file, feed.live, **changes)
    feed.after(0)
    return made


def drawn(made: Harness) -> str:
    with made.app.test_request_context("/"):
        return chooser(made).get_data(as_text=True)


def test_nobody_waits_and_one_begins_it(feed: Feed) -> None:
    assert [feed.live.current() for _ in range(5)] == [{}] * 5
    assert (feed.asked, len(feed.waiting)) == (0, 1)
    feed.run()
    assert feed.live.current()["isb"].listed == {"mock-op"}
    assert feed.asked == 1


def test_one_that_takes_longer_than_the_interval_is_not_begun_twice(feed: Feed) -> None:
    for _ in range(3):
        feed.live.current()
        feed.clock.now += EVERY
    assert len(feed.waiting) == 1


def test_it_is_read_once_per_interval(feed: Feed) -> None:
    feed.after(0)
    for seconds, asked in ((EVERY - 1, 1), (1, 2), (1, 2), (EVERY - 2, 2), (1, 3)):
        feed.after(seconds)
        assert feed.asked == asked


def test_after_a_failure_it_is_tried_again_sooner_and_what_was_read_stays(feed: Feed) -> None:
    feed.after(0)
    feed.answer = BankUnreachable("the call failed")
    assert feed.after(EVERY) == live_of(WHOLE)
    for seconds, asked in ((RETRY - 1, 2), (1, 3)):
        feed.after(seconds)
        assert feed.asked == asked


@pytest.mark.parametrize("error", [BankUnreachable("the call failed"), Malformed("is no list", "identityProviders")])
def test_a_failure_is_counted_each_time_and_logged_once(
    feed: Feed, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    feed.answer = error
    with caplog.at_level(logging.INFO, "tunnus.notices"):
        assert [feed.after(RETRY) for _ in range(3)] == [None] * 3
        feed.answer = WHOLE
        feed.after(RETRY)
    assert feed.seen.names() == ["notices_failed"] * 3 + ["notices_read"]
    assert feed.seen.events[0][1] == {"connection": "isb"}
    assert [(record.levelname, record.__dict__["connection"]) for record in caplog.records] == [
        ("WARNING", "isb"),
        ("INFO", "isb"),
    ]
    assert caplog.records[0].__dict__["reason"] == str(error)
    assert feed.live.failure("isb") is None


def test_banks_that_are_left_out_of_a_list_are_logged_once(feed: Feed, caplog: pytest.LogCaptureFixture) -> None:
    one, another = ("fi identityProviders[1]",), ("fi identityProviders[1]", "sv identityProviders[2]")
    for left_out in ((), one, one, another, another, (), one):
        feed.answer = replace(WHOLE, left_out=left_out)
        live = feed.after(EVERY)
        assert live is not None
        assert live.listed == WHOLE.listed
    assert [(record.__dict__["connection"], record.__dict__["place"]) for record in caplog.records] == [
        ("isb", "fi identityProviders[1]"),
        ("isb", "fi identityProviders[1], sv identityProviders[2]"),
        ("isb", "fi identityProviders[1]"),
    ]


def test_what_was_read_lapses_also_if_nobody_came_meanwhile(feed: Feed) -> None:
    feed.after(0)
    feed.answer = BankUnreachable("the call failed")
    feed.clock.now += KEEP - 1
    assert feed.live.current()["isb"] == live_of(WHOLE)
    feed.clock.now += 1
    left = feed.live.current()["isb"]
    assert (left.notices.disturbance, left.listed) == (None, None)
    assert left.notices.consent is not None
    feed.clock.now += KEEP_TEXTS - KEEP
    assert feed.live.current() == {}


def test_it_is_one_object_for_as_long_as_nothing_changes(feed: Feed) -> None:
    feed.after(0)
    before = feed.live.current()
    feed.after(EVERY)
    assert feed.live.current() is before
    feed.answer = Published()
    feed.after(EVERY)
    assert feed.live.current() is not before


def test_a_clock_that_went_back_does_not_stop_it(feed: Feed) -> None:
    feed.after(0)
    feed.after(-100 * EVERY)
    assert feed.asked == 2


def test_without_a_thread_to_spare_the_page_is_shown_and_it_is_tried_again(feed: Feed) -> None:
    def none_left(_: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    live = LiveNotices({"isb": feed.read}, feed.seen, feed.clock, none_left)
    assert live.current() == {}
    assert live.failure("isb") == "no thread could be started"
    feed.clock.now += RETRY
    live.current()
    assert feed.seen.count("notices_failed") == 2


def test_it_reads_by_a_thread_of_its_own_unless_told_otherwise() -> None:
    from threading import Event, current_thread

    read, names = Event(), []

    def reader() -> Published:
        names.append(current_thread().name)
        read.set()
        return WHOLE

    LiveNotices({"isb": reader}, Seen(), Clock()).current()
    assert read.wait(30)
    assert names == ["notices"]


def test_a_text_without_a_header_gets_ours_and_half_a_privacy_notice_none() -> None:
    live = live_of(Published(text={"sv": "Underhåll"}, privacy_text={"fi": "Tietosuoja"}))
    assert live.notices.disturbance is not None
    assert live.notices.disturbance.header == HEADER
    assert (live.notices.privacy_text, live.notices.privacy_link) == (None, None)


@pytest.mark.parametrize(
    "link", ["http://isb.example/", "javascript:alert(1)", "https://a@isb.example/", "https://x/\n<", ""]
)
def test_a_link_that_people_may_not_follow_is_left_out(link: str) -> None:
    live = live_of(Published(privacy_text={"fi": "Tietosuoja"}, privacy_link={"fi": link}, consent={"fi": "x"}))
    assert (live.notices.privacy_text, live.notices.privacy_link) == (None, None)
    assert live.notices.consent is not None


def test_a_header_without_a_text_is_no_disturbance() -> None:
    assert live_of(Published(header={"fi": "Huolto"})).notices.disturbance is None


def test_both_sides_disturbances_are_shown_the_operators_first_and_its_texts_win(feed: Feed, tmp_path: Path) -> None:
    made = harness(feed, WRITTEN, tmp_path)
    assert [notice.header.text for notice in made.catalogue.notices("fi")] == ["Oma", "Huolto"]
    (statement,) = made.catalogue.statements("fi")
    assert statement.consent is not None
    assert statement.provider_info is not None
    assert statement.privacy_link is not None
    assert (statement.consent.text, statement.provider_info.text) == ("Sovittu", "Välittäjä")
    assert statement.privacy_link.text == "https://isb.example/privacy"
    row = next(row for row in made.catalogue.rows("fi") if row.id == "op")
    assert row.notice is not None
    assert row.notice.header.text == "Oma"
    page = drawn(made)
    assert page.index("Oma") < page.index("Huolto") < page.index("<h1>")


def test_the_same_words_of_both_sides_are_shown_once(feed: Feed, tmp_path: Path) -> None:
    same = '[isb.disturbance]\nheader = { fi = "Huolto" }\ntext = { fi = "Klo 3–4", sv = "Kl. 3–4" }\n'
    made = harness(feed, same, tmp_path)
    assert len(made.catalogue.notices("fi")) == 1


def test_the_chooser_is_drawn_anew_when_something_was_read(feed: Feed) -> None:
    made = build_harness(None, feed.live)
    before = made.catalogue.listing("fi")
    assert before.notices == ()
    feed.run()
    assert [notice.header.text for notice in made.catalogue.listing("fi").notices] == ["Huolto"]
    assert made.catalogue.listing("fi") is made.catalogue.listing("fi")


def test_a_bank_that_its_broker_does_not_list_cannot_be_used(feed: Feed) -> None:
    made = harness(feed)
    usable = {row.id: row.usable for row in made.catalogue.rows("fi")}
    assert (usable["op"], usable["nordea"], usable["aktia"]) == (True, False, True)
    choice = made.catalogue.find("nordea")
    assert choice is not None
    assert not choice.usable
    assert {row.id: row.usable for row in made.catalogue.rows("fi")}["nordea"] is False


@pytest.mark.parametrize("listed", [frozenset(), frozenset({"of-others"}), None])
def test_a_list_with_none_of_ours_stops_nobody(feed: Feed, listed: frozenset[str] | None) -> None:
    feed.answer = Published(listed=listed)
    made = harness(feed)
    assert all(row.usable for row in made.catalogue.rows("fi"))


def test_what_fails_with_us_is_told_where_nobody_else_tells(feed: Feed) -> None:
    feed.answer = Published()
    made = harness(feed)
    made.adapters["isb"].failing = True
    (notice,) = made.catalogue.notices("sv")
    assert notice.header.text == FAILING.header.in_language("sv").text
    assert notice.concerns == ("Nordea", "OP (Andelsbanken)")
    shown = made.app.test_client().get("/api/providers?ui_locales=sv").json
    assert shown is not None
    disturbed = {row["id"]: row["disturbance"]["header"]["text"] for row in shown["providers"] if row["disturbance"]}
    assert disturbed == {"op": notice.header.text, "nordea": notice.header.text}
    made.adapters["telia"].failing = True
    assert made.catalogue.notices("sv")[0].concerns == ()
    made.adapters["telia"].failing = made.adapters["isb"].failing = False
    assert made.catalogue.notices("sv") == ()


def test_what_fails_with_us_is_not_told_beside_the_brokers_own_words(feed: Feed) -> None:
    made = harness(feed)
    made.adapters["isb"].failing = True
    assert [notice.header.text for notice in made.catalogue.notices("fi")] == ["Huolto"]


def test_what_was_read_is_escaped_on_the_page(feed: Feed) -> None:
    feed.answer = Published(text={"fi": 'a & "b"\nc'}, consent={"fi": "<i>"})
    page = drawn(harness(feed))
    assert "a &amp; " in page
    assert "<p>c</p>" in page
    assert "<i>" not in page
