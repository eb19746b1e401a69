"""Statements about a trail: whose signature counts, and how trust goes from one key to the next."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from kit.audit.heads import HEAD, Head, read_heads, sign_head
from kit.audit.signed import AUDIT_SIG, CannotSign, Trust, sign
from kit.keys.watch import WatchedKeys
from tests.harness.collector import PURPOSES, audit_keys, rotate
from tests.harness.keys import DAY, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def keys(folder: Path, clock: Clock) -> WatchedKeys:
    return audit_keys(folder, clock)


def published(keys: WatchedKeys) -> list[dict[str, object]]:
    return [key.public_jwk() for key in keys.published(AUDIT_SIG.name)]


def head(seq: int) -> Head:
    return Head("audit-x.jsonl", seq, f"{seq:064x}")


def test_a_signed_head_is_read_from_a_line_of_any_form(keys: WatchedKeys, clock: Clock) -> None:
    token = sign_head(keys, head(3), clock())
    lines = (
        f'<109>1 - h tunnus 1 audit-head [x@1 jws="{token}"]\n',
        json.dumps({"jws": token}),
        f"noise {token} x",
        "-",
    )
    assert read_heads(lines, Trust(published(keys))) == ([head(3)] * 3, 0)


def test_a_head_that_was_changed_or_signed_by_another_counts_as_unknown(
    keys: WatchedKeys, clock: Clock, tmp_path: Path
) -> None:
    trust = Trust(published(keys))
    start, payload, signature = sign_head(keys, head(3), clock()).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps(claims | {"hash": "f" * 64}).encode()).rstrip(b"=").decode()
    other = sign_head(audit_keys(tmp_path / "other", clock), head(4), clock())
    assert read_heads([f"{start}.{forged}.{signature}", other], trust) == ([], 2)


def test_a_statement_of_another_kind_is_no_head(keys: WatchedKeys, clock: Clock) -> None:
    claims = {"file": "audit-x.jsonl", "seq": 1, "hash": "0" * 64}
    assert Trust(published(keys)).open(sign(keys, "something+jwt", claims), HEAD) is None


def test_what_is_no_jws_at_all_does_not_open(keys: WatchedKeys) -> None:
    trust = Trust(published(keys))
    assert [trust.open(text, HEAD) for text in ("", "a.b.c", "eyJ.eyJ.x", "é")] == [None] * 4


def test_trust_goes_on_over_rotations_and_back(keys: WatchedKeys, folder: Path, clock: Clock) -> None:
    """Who holds the first key's public part, or the last one's, reads all heads, in whatever order they stand."""
    first, tokens, sets = published(keys), [], []
    for seq in range(1, 4):
        rotate(folder, clock)
        clock.now += 60
        tokens.append(sign_head(keys, head(seq), clock()))
        clock.now += 2 * DAY
        tokens.append(sign_head(keys, head(seq + 10), clock()))
        sets.append(published(keys))
    for known in (first, sets[-1]):
        heads, unknown = read_heads(reversed(tokens), Trust(known))
        assert (len(heads), unknown) == (6, 0)


def test_a_key_that_was_withdrawn_in_an_emergency_is_vouched_for_by_nobody(
    keys: WatchedKeys, folder: Path, clock: Clock
) -> None:
    before = sign_head(keys, head(1), clock())
    rotate(folder, clock, emergency=True)
    clock.now += 3600
    after = sign_head(keys, head(2), clock())
    assert read_heads([before, after], Trust(published(keys))) == ([head(2)], 1)


def test_without_a_key_nothing_is_signed(keys: WatchedKeys, folder: Path, clock: Clock) -> None:
    for path in folder.glob("*.json"):
        path.unlink()
    with pytest.raises(CannotSign, match="no audit-sig key"):
        sign_head(WatchedKeys(folder, PURPOSES, clock), head(1), clock())
