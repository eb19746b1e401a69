"""A token request that could not be answered is sent again: nothing it needs is gone, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from broker.audit import AuditUnavailable
from broker.oidc import codes
from broker.oidc.codes import ANSWERED_WITHIN, MOST_USES, Retry, keep_token, use_code
from broker.oidc.unsent import RETRY_WITHIN, Unsent
from broker.store import NotDurable, StoreUnavailable
from providers.model import UnknownKey
from tests.broker.oidc.conftest import MakeWorld
from tests.harness.openid_provider import BreakableStore, Harness

FULL = AuditUnavailable("No space left on device")
OTHER_VERIFIER = "w" * 43


class CutStore(BreakableStore):
    """A store whose connection breaks at one of its round trips, before or after the command took effect."""

    cut_at: int | None = None
    took_effect = False
    _inside = False

    def _cut(self, run: Callable[[], Any]) -> Any:
        if self._inside or self.cut_at is None:
            return run()
        self.cut_at -= 1
        if self.cut_at >= 0 or (self.took_effect and self.cut_at == -1):
            self._inside = True
            try:
                answer = run()
            finally:
                self._inside = False
            if self.cut_at >= 0:
                return answer
        raise StoreUnavailable("cut")

    def run(self, *steps: Any) -> Any:
        return self._cut(lambda: super(CutStore, self).run(*steps))

    def get(self, *keys: Any) -> Any:
        return self._cut(lambda: super(CutStore, self).get(*keys))

    def put(self, *entries: Any, **more: Any) -> Any:
        return self._cut(lambda: super(CutStore, self).put(*entries, **more))

    def put_new(self, entry: Any) -> bool:
        return bool(self._cut(lambda: super(CutStore, self).put_new(entry)))

    def put_new_and_get(self, entry: Any, *keys: Any) -> Any:
        return self._cut(lambda: super(CutStore, self).put_new_and_get(entry, *keys))

    def take(self, key: Any) -> Any:
        return self._cut(lambda: super(CutStore, self).take(key))


@pytest.fixture
def cut_store() -> CutStore:
    return CutStore(lambda: 1_790_000_000.0)


def assert_given(harness: Harness, response: Any) -> None:
    assert response.status_code == 200, response.get_data(as_text=True)
    bearer = {"Authorization": f"Bearer {response.get_json()['access_token']}"}
    assert harness.browser.get("/userinfo", headers=bearer).status_code == 200
    assert len(harness.handed_over) == 1


def failed(harness: Harness, form: dict[str, str], failure: Exception = FULL) -> None:
    """Send a request that is answered 503."""
    harness.audit_failure = failure
    assert harness.token(form).status_code == 503
    harness.audit_failure = None


def test_a_request_that_failed_on_a_full_disk_succeeds_when_sent_again(harness: Harness) -> None:
    code = harness.issue().code
    failed(harness, harness.form(code))
    assert_given(harness, harness.token(harness.form(code)))


def test_the_very_same_request_succeeds_with_the_assertion_that_it_has(harness: Harness) -> None:
    form = harness.form(harness.issue().code)
    failed(harness, form)
    assert_given(harness, harness.token(form))


def test_it_may_fail_some_times_but_not_without_end(harness: Harness) -> None:
    code = harness.issue().code
    for _ in range(MOST_USES - 1):
        failed(harness, harness.form(code))
    assert_given(harness, harness.token(harness.form(code)))
    code = harness.issue().code
    for _ in range(MOST_USES):
        failed(harness, harness.form(code))
    assert harness.token(harness.form(code)).get_json()["error"] == "invalid_grant"


def test_another_broker_finds_what_this_one_gave_back(harness: Harness, make_world: MakeWorld) -> None:
    other = make_world(store=harness.store)
    form = harness.form(harness.issue().code)
    failed(harness, form)
    assert_given(other, other.token(form))
    assert not harness.handed_over


def test_a_request_that_failed_without_a_signing_key_succeeds_when_sent_again(harness: Harness) -> None:
    code = harness.issue().code
    harness.keys.failure = UnknownKey("none in use")
    try:
        assert harness.token(harness.form(code)).status_code == 500
    finally:
        harness.keys.failure = None
    assert_given(harness, harness.token(harness.form(code)))


@pytest.mark.parametrize("took_effect", [False, True])
@pytest.mark.parametrize("cut_at", [0, 1])
@pytest.mark.parametrize("same", [False, True])
def test_wherever_the_store_is_cut_the_request_succeeds_when_sent_again(
    make_world: MakeWorld, cut_store: CutStore, cut_at: int, took_effect: bool, same: bool
) -> None:
    harness = make_world(store=cut_store)
    code = harness.issue().code
    form = harness.form(code)
    cut_store.cut_at, cut_store.took_effect = cut_at, took_effect
    assert harness.token(form).status_code == 503
    cut_store.cut_at = None
    assert_given(harness, harness.token(form if same else harness.form(code)))


def test_a_good_request_makes_no_more_round_trips_than_were_cut(make_world: MakeWorld, cut_store: CutStore) -> None:
    harness = make_world(store=cut_store)
    form = harness.form(harness.issue().code)
    cut_store.cut_at = 2
    assert harness.token(form).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(ANSWERED_WITHIN - 1, 400), (ANSWERED_WITHIN, 200)])
def test_another_broker_takes_a_lost_request_over_once_it_cannot_be_at_work_any_more(
    make_world: MakeWorld, cut_store: CutStore, seconds: int, status: int
) -> None:
    lost, other = make_world(store=cut_store), make_world(store=cut_store)
    code = lost.issue().code
    cut_store.cut_at, cut_store.took_effect = 0, True
    assert lost.token(lost.form(code)).status_code == 503
    cut_store.cut_at = None
    other.clock.now += seconds
    assert other.token(other.form(code)).status_code == status


def test_a_request_that_was_taken_over_gives_no_token_when_it_awakes(harness: Harness) -> None:
    code = harness.issue().code
    now, unsent = harness.clock(), Unsent(harness.clock)
    asleep, awake = ("0123abcd" + letter * 43 for letter in "tu")
    assert use_code(harness.store, code, asleep, Retry("same", now, unsent)) is not None
    assert use_code(harness.store, code, awake, Retry("same", now + ANSWERED_WITHIN, unsent)) is not None
    assert not keep_token(harness.store, asleep, {"claims": {}})
    assert keep_token(harness.store, awake, {"claims": {}})


def test_of_two_that_take_over_at_once_one_wins(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    code = harness.issue().code
    now, unsent = harness.clock(), Unsent(harness.clock)
    tokens = ["0123abcd" + letter * 43 for letter in "tuv"]
    assert use_code(harness.store, code, tokens[0], Retry("same", now, unsent)) is not None
    judge = codes._came_to_nothing
    later = now + ANSWERED_WITHIN

    def overtaken(*arguments: Any) -> bool:
        monkeypatch.setattr(codes, "_came_to_nothing", judge)
        assert use_code(harness.store, code, tokens[2], Retry("same", later, unsent)) is not None
        return judge(*arguments)

    monkeypatch.setattr(codes, "_came_to_nothing", overtaken)
    assert use_code(harness.store, code, tokens[1], Retry("same", later, unsent)) is None
    assert not keep_token(harness.store, tokens[0], {"claims": {}})


@pytest.mark.parametrize("seconds", [RETRY_WITHIN - 1, RETRY_WITHIN])
def test_it_may_be_sent_again_for_half_a_minute(harness: Harness, seconds: int) -> None:
    code = harness.issue().code
    failed(harness, harness.form(code))
    harness.clock.now += seconds
    response = harness.token(harness.form(code))
    assert response.status_code == (200 if seconds < RETRY_WITHIN else 400)


def test_what_comes_too_late_still_ends_the_token_that_was_given(harness: Harness) -> None:
    code = harness.issue().code
    failed(harness, harness.form(code))
    access_token = harness.token(harness.form(code)).get_json()["access_token"]
    harness.clock.now += RETRY_WITHIN
    assert harness.token(harness.form(code)).get_json()["error"] == "invalid_grant"
    assert codes.find_token(harness.store, access_token) is None


def test_after_the_token_has_left_the_request_is_a_second_use(harness: Harness) -> None:
    code = harness.issue().code
    failed(harness, harness.form(code))
    access_token = harness.token(harness.form(code)).get_json()["access_token"]
    assert harness.token(harness.form(code)).get_json()["error"] == "invalid_grant"
    assert codes.find_token(harness.store, access_token) is None
    assert harness.token(harness.form(code)).get_json()["error"] == "invalid_grant"
    assert len(harness.handed_over) == 1


@pytest.mark.parametrize(
    "changes", [{"redirect_uri": "https://portal.example/second?kept=1"}, {"code_verifier": OTHER_VERIFIER}]
)
def test_another_request_does_not_find_the_code_again(harness: Harness, changes: dict[str, str]) -> None:
    code = harness.issue().code
    failed(harness, harness.form(code))
    assert harness.token(harness.form(code, **changes)).get_json()["error"] == "invalid_grant"
    assert harness.token(harness.form(code)).get_json()["error"] == "invalid_grant"


def test_another_client_does_not_find_the_code_again(harness: Harness) -> None:
    code = harness.issue().code
    failed(harness, harness.form(code))
    form = harness.form(code, "wide", redirect_uri="https://portal.example/callback")
    assert harness.token(form).get_json()["error"] == "invalid_grant"


def test_a_request_that_was_refused_is_not_one_that_failed(harness: Harness) -> None:
    code = harness.issue().code
    for _ in range(2):
        response = harness.token(harness.form(code, code_verifier=OTHER_VERIFIER))
        assert response.get_json()["error"] == "invalid_grant"
        harness.clock.now += ANSWERED_WITHIN
    assert harness.token(harness.form(code)).get_json()["error"] == "invalid_grant"


def test_a_third_use_leaves_no_gap_for_the_first(harness: Harness) -> None:
    """The place of the first one's token stays taken, however often the code is used."""
    code = harness.issue().code
    first = "0123abcd" + "t" * 43
    assert use_code(harness.store, code, first) is not None
    for letter in "uv":
        assert use_code(harness.store, code, "0123abcd" + letter * 43) is None
    assert not keep_token(harness.store, first, {"claims": {}})


def test_an_assertion_that_gave_a_token_is_not_given_back(harness: Harness) -> None:
    signed = harness.sign(harness.claims())
    code = harness.issue().code
    assert harness.token(harness.form(code, client_assertion=signed)).status_code == 200
    for _ in range(2):
        assert harness.token(harness.form(code, client_assertion=signed)).status_code == 401


def test_an_assertion_that_was_given_back_serves_once_more_and_not_twice(
    make_world: MakeWorld, cut_store: CutStore
) -> None:
    harness = make_world(store=cut_store)
    signed, code = harness.sign(harness.claims()), harness.issue().code
    cut_store.cut_at, cut_store.took_effect = 0, True
    assert harness.token(harness.form(code, client_assertion=signed)).status_code == 503
    cut_store.cut_at = None
    assert harness.token(harness.form(harness.issue().code, client_assertion=signed)).status_code == 200
    assert harness.token(harness.form(harness.issue().code, client_assertion=signed)).status_code == 401


def test_what_is_remembered_lapses_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.oidc.unsent._MOST", 3)
    now = [100.0]
    unsent = Unsent(lambda: now[0])
    for name in "abcd":
        unsent.add(name)
    assert [name in unsent for name in "abcd"] == [False, True, True, True]
    assert (unsent.pop("b"), unsent.pop("b")) == (True, False)
    now[0] += RETRY_WITHIN
    assert "c" not in unsent
    unsent.add("e")
    assert list(unsent._until) == ["e"]


class LaggingStore(BreakableStore):
    """A store whose replicas confirm nothing that is taken after so many things."""

    confirms = 1_000

    def put_new(self, entry: Any) -> bool:
        return self._proved(super().put_new(entry))

    def run(self, *steps: Any) -> Any:
        answers = super().run(*steps)
        if new := [answer for step, answer in zip(steps, answers, strict=False) if step.what == "new"]:
            self._proved(any(new))
        return answers

    def _proved(self, taken: bool) -> bool:
        self.confirms -= 1
        if taken and self.confirms < 0:
            raise NotDurable("0 of 1 replicas have confirmed")
        return taken


@pytest.mark.parametrize("confirms", [0, 1])
@pytest.mark.parametrize("same", [False, True])
def test_what_no_replica_confirms_gives_no_token_until_one_does(
    make_world: MakeWorld, confirms: int, same: bool
) -> None:
    """The assertion with the use of the code, and then the access token."""
    store = LaggingStore(lambda: 1_790_000_000.0)
    harness, other = make_world(store=store), make_world(store=store)
    code = harness.issue().code
    form = harness.form(code)
    store.confirms = confirms
    refused = harness.token(form)
    assert (refused.status_code, refused.get_json()["error"]) == (503, "temporarily_unavailable")
    assert refused.headers["Retry-After"]
    assert not harness.handed_over
    store.confirms = 1_000
    assert_given(other, other.token(form if same else other.form(code)))  # at once, at another broker
    assert harness.token(harness.form(code)).get_json()["error"] == "invalid_grant"


def test_a_code_is_good_only_in_the_history_of_the_store_that_it_was_issued_in(harness: Harness) -> None:
    code = harness.issue(history=harness.store.history).code
    harness.store.history = "after a failover"
    refused = harness.token(harness.form(code))
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_grant")
    assert "start again with a new authorization request" in refused.get_json()["error_description"]
    assert not harness.handed_over
    assert_given(harness, harness.token(harness.form(harness.issue(history=harness.store.history).code)))


def test_a_request_sent_again_after_a_failover_gets_no_token(harness: Harness) -> None:
    code = harness.issue(history=harness.store.history).code
    failed(harness, harness.form(code))
    harness.store.history = "after a failover"
    assert harness.token(harness.form(code)).get_json()["error"] == "invalid_grant"


def test_a_code_of_a_broker_that_noted_no_history_is_good(harness: Harness) -> None:
    assert_given(harness, harness.token(harness.form(harness.issue(history="").code)))
