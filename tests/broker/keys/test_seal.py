"""What stands in the store is sealed under its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.keys import PURPOSES, KeyRing, Timetable
from kit.keys.key_file import write_key
from kit.keys.rotation import new_key
from providers.model import DecryptionFailed, UnknownKey
from tests.broker.conftest import NOW
from tests.harness.keys import DAY, Clock, end


class TestSeal:
    def test_what_was_sealed_opens_under_its_name(self, whole: KeyRing) -> None:
        assert whole.unseal("name", whole.seal("name", b"data")) == b"data"

    def test_it_does_not_open_under_another_name(self, whole: KeyRing) -> None:
        with pytest.raises(DecryptionFailed):
            whole.unseal("other", whole.seal("name", b"data"))

    @pytest.mark.parametrize("place", [0, 12, -1])
    def test_a_changed_byte_is_noticed(self, whole: KeyRing, place: int) -> None:
        sealed = bytearray(whole.seal("name", b"data"))
        sealed[place] ^= 1
        with pytest.raises(DecryptionFailed):
            whole.unseal("name", bytes(sealed))

    def test_the_key_id_is_a_part_of_what_is_protected(self, whole: KeyRing) -> None:
        sealed = bytearray(whole.seal("name", b"data"))
        sealed[3] ^= 1
        with pytest.raises(UnknownKey):
            whole.unseal("name", bytes(sealed))

    @pytest.mark.parametrize("value", [b"", b"\x01", b"\x02" + b"0" * 60])
    def test_another_format_is_refused(self, whole: KeyRing, value: bytes) -> None:
        with pytest.raises(DecryptionFailed):
            whole.unseal("name", value)

    def test_nothing_is_sealed_the_same_twice(self, whole: KeyRing) -> None:
        assert whole.seal("name", b"data") != whole.seal("name", b"data")

    def test_an_older_key_still_opens_until_its_tail_ends(self, folder: Path, clock: Clock) -> None:
        sealed = KeyRing(folder, clock).seal("name", b"data")
        keep = NOW + 3 * DAY
        end(folder, "store", None, NOW + DAY, NOW + DAY, keep)
        successor = Timetable(created=NOW + 10, publish_from=NOW + DAY - 5, use_from=NOW + DAY - 5)
        write_key(folder, PURPOSES["store"], new_key("A256GCM"), successor)
        ring = KeyRing(folder, clock)
        clock.now = NOW + DAY + 1
        newer = ring.seal("name", b"new")
        assert newer[1:9] != sealed[1:9]
        assert ring.unseal("name", sealed) == b"data"
        clock.now = keep
        assert ring.unseal("name", newer) == b"new"
        with pytest.raises(UnknownKey):
            ring.unseal("name", sealed)
