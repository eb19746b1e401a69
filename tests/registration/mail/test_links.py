"""The link in a confirmation e-mail: what it holds, how long it is valid, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.keys.rotation import Rotation
from registration.keys import LONGEST_KEPT, PURPOSES, Keys, load_keys
from registration.mail.links import VALID, link_token, read_link
from tests.harness.registration_keys import make_keys

NOW = 1_800_000_000
ENTRY = "0123456789abcdef" * 2


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    make_keys(tmp_path, 0)
    return load_keys(tmp_path)


def test_a_link_names_the_entry_it_was_sent_with(keys: Keys) -> None:
    assert read_link(keys, link_token(keys, ENTRY, NOW), NOW) == (ENTRY, False)


def test_a_link_stands_in_an_address_as_it_is(keys: Keys) -> None:
    assert set(link_token(keys, ENTRY, NOW)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_a_link_expires_a_day_after_it_was_signed(keys: Keys) -> None:
    token = link_token(keys, ENTRY, NOW)
    assert VALID == 86_400
    assert read_link(keys, token, NOW + VALID - 1) == (ENTRY, False)
    assert read_link(keys, token, NOW + VALID) == (ENTRY, True)


def test_a_link_that_was_changed_is_refused(keys: Keys) -> None:
    token = link_token(keys, ENTRY, NOW)
    entry, at, signature = token.rsplit(".", 2)
    later = link_token(keys, ENTRY, NOW + 999).rsplit(".", 2)[1]
    for changed in ("", "x", token[:-1], token + "A", f"{entry}.{later}.{signature}", f"X{token}", f"{entry}.{at}."):
        assert read_link(keys, changed, NOW) is None
    assert read_link(keys, token + "A" * 2000, NOW) is None
    assert read_link(keys, "ä" * 40, NOW) is None


def test_a_link_signed_by_an_older_key_still_opens_until_that_key_is_gone(tmp_path: Path) -> None:
    now = [NOW]
    make_keys(tmp_path, NOW)
    keys = load_keys(tmp_path, lambda: now[0])
    old = link_token(keys, ENTRY, NOW)
    Rotation(tmp_path, PURPOSES).rotate(["cookie"], NOW)
    now[0] = NOW + VALID
    new = link_token(keys, ENTRY, now[0])
    assert new.rsplit(".", 1)[1] != link_token(keys, ENTRY, NOW).rsplit(".", 1)[1]
    assert read_link(keys, old, NOW) == (ENTRY, False)
    now[0] += LONGEST_KEPT
    assert read_link(keys, old, NOW) is None
    assert read_link(keys, new, NOW + VALID) == (ENTRY, False)


def test_what_was_signed_for_something_else_is_no_link(keys: Keys) -> None:
    assert read_link(keys, link_token(keys, "no entry", NOW), NOW) is None
    assert read_link(keys, link_token(keys, ENTRY.upper(), NOW), NOW) is None
