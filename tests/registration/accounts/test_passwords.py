"""What a password costs to look at and to hash, and who waits for whom."""

from __future__ import annotations

import random
import threading
import time
from contextlib import ExitStack

import pytest
from zxcvbn import matching, scoring

from kit.typed_text import LONGEST_TYPED
from registration.accounts import strength
from registration.accounts.passwords import COMMON, TOO_LONG, Busy, Passwords, problem_of

READ_IN_MANY_WAYS = "4@8({[<3691!|70$5+%2"
"""Each could stand for a letter, some for two."""


def some_passwords() -> list[str]:
    chance = random.Random(2026)
    mixed = ["".join(chance.sample(READ_IN_MANY_WAYS, 20)) + READ_IN_MANY_WAYS * 2 for _ in range(5)]
    return [*mixed, "p4$$w0rd1999@4(3{[<6901!|0$5+7%2z" * 2, "1999" * 18, "aA1!" * 64, "4@8(3610$+7z!" * 5]


@pytest.mark.parametrize("password", some_passwords())
def test_no_password_costs_more_than_a_moment_to_look_at(password: str) -> None:
    began = time.thread_time()
    problem_of(password[:256], "aino")
    assert time.thread_time() - began < 4 * strength.MOST_SECONDS


def test_the_look_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strength, "MOST_SECONDS", -1.0)
    assert not strength.is_common("Password1", "aino")


def beginnings_and_ends() -> list[str]:
    """Two words of zxcvbn's lists, or of ours, with something between or around them, and what repeats."""
    chance = random.Random(2026)
    words = [word for ranks in matching.RANKED_DICTIONARIES.values() for word in list(ranks)[:2000]] + strength._WORDS
    forms = ("{0}1", "{0}{1}", "{1}.{0}", "4{0}!", "{0}-{1}-7", "{0}{0}", "12.5.1978{0}", "{1}Zx9{0}")
    return [chance.choice(forms).format(*chance.sample(words, 2)).title() for _ in range(120)]


def test_what_is_common_is_what_zxcvbn_finds_by_all_its_parts_and_lists() -> None:
    common = 0
    for password in beginnings_and_ends():
        seen, words = password[:24], [*map(str.lower, strength._WORDS), "aino"]
        lists = {**matching.RANKED_DICTIONARIES, "user_inputs": matching.build_ranked_dict(words)}
        guesses = scoring.most_guessable_match_sequence(seen, matching.omnimatch(seen, lists))["guesses"]
        assert strength.is_common(password, "aino") == (guesses < 1_000_000 + 5), password
        common += strength.is_common(password, "aino")
    assert 10 < common < 110


@pytest.mark.parametrize("password", ["Password1", "Salasana123", "P4$$w0rd", "Kesäkuu2024", "Qwerty12345!"])
def test_common_passwords_are_still_found(password: str) -> None:
    assert problem_of(password, "aino") == COMMON


def test_the_words_of_one_request_are_in_nobody_elses_list() -> None:
    assert strength.is_common("Zyxwvut-Kimmeltä1", "Zyxwvut-Kimmeltä1")
    assert not strength.is_common("Zyxwvut-Kimmeltä1", "aino")


def test_a_password_that_is_typed_too_long_is_refused_before_it_is_looked_at() -> None:
    assert problem_of("\u200b" * LONGEST_TYPED + "Kesäyö-2026!", "aino") == TOO_LONG


def passwords(room: int) -> Passwords:
    return Passwords(1, 8, 1, room=room)


def test_beyond_the_room_nobody_is_admitted_and_who_has_ended_leaves_it() -> None:
    queue = passwords(4)
    with ExitStack() as held:
        for number in range(4):
            held.enter_context(queue.admitted(f"192.0.2.{number}"))
        with pytest.raises(Busy), queue.admitted("198.51.100.1"):
            pass
    with queue.admitted("198.51.100.1"):
        pass


def test_one_network_gets_half_of_the_room() -> None:
    queue = passwords(4)
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(queue.admitted("192.0.2.1"))
        with pytest.raises(Busy), queue.admitted("192.0.2.1"):
            pass
        with queue.admitted("192.0.2.2"):
            pass


def test_an_ipv6_site_gets_half_of_the_room_too() -> None:
    queue = passwords(4)
    with ExitStack() as held:
        for number in range(2):
            held.enter_context(queue.admitted(f"2001:db8:1:{number}::/64", "2001:db8:1::/48"))
        with pytest.raises(Busy), queue.admitted("2001:db8:1:9::/64", "2001:db8:1::/48"):
            pass


def test_an_error_inside_gives_the_place_back() -> None:
    queue = passwords(2)
    for _ in range(5):
        with pytest.raises(RuntimeError), queue.admitted("192.0.2.1"):
            raise RuntimeError


def test_many_at_the_same_moment_are_all_counted_out_again() -> None:
    queue, busy = passwords(8), []

    def knock() -> None:
        for _ in range(200):
            try:
                with queue.admitted("192.0.2.1", "a site"):
                    pass
            except Busy:
                busy.append(1)

    threads = [threading.Thread(target=knock) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not queue._inside
