"""Public key sets in a configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from pydantic import TypeAdapter, ValidationError

from kit.keys.files import write_private
from kit.keys.sets import KeySet, WatchedKeySets, usable_public_keys
from tests.harness.weak_keys import roca_key

SOUND = RSAKey.generate_key(2048, {"kid": "sound"}).as_dict(private=False)


def read(*keys: Any) -> tuple[dict[str, Any], ...]:
    """A set as the configuration has it."""
    found: tuple[dict[str, Any], ...] = TypeAdapter(KeySet).validate_python({"keys": list(keys)})
    return found


def test_an_optional_member_that_is_null_or_empty_says_nothing() -> None:
    assert read({**SOUND, "use": None, "alg": "", "key_ops": None, "x5c": None}) == (SOUND,)


@pytest.mark.parametrize("more", [{"x5c": "MIID"}, {"x5t": 7}, {"x5u": []}, {"exp": "never"}, {"": {}}])
def test_a_member_that_makes_no_key_is_left_out_whatever_it_is(more: dict[str, Any]) -> None:
    assert read({**SOUND, **more}) == (SOUND,)
    assert usable_public_keys([{**SOUND, **more}]) == (SOUND,)


@pytest.mark.parametrize("kid", [None, "", 7])
def test_each_key_has_a_kid(kid: object) -> None:
    with pytest.raises(ValidationError, match="without kid"):
        read({**SOUND, "kid": kid})


def test_a_key_that_anyone_can_factor_is_refused_by_its_name() -> None:
    with pytest.raises(ValidationError, match="ROCA, CVE-2017-15361"):
        read(SOUND, roca_key().as_dict(private=False))


class TestFiles:
    """Sets in files are read again when they change, and never given up for a broken one."""

    def test_a_changed_file_is_taken_within_30_seconds(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        file, now = tmp_path / "client.jwks.json", [0.0]
        file.write_text(json.dumps({"keys": [SOUND]}))
        taken: list[tuple[str, int]] = []
        watched = WatchedKeySets(
            {"client": TypeAdapter(KeySet).validate_python(str(file)), "in-place": (SOUND,), "none": None},
            lambda name, keys: taken.append((name, len(keys))),
            lambda: now[0],
        )
        write_private(file, json.dumps({"keys": [SOUND, {**SOUND, "kid": "next"}]}))
        for now[0], expected in ((29.0, []), (30.0, [("client", 2)]), (60.0, [("client", 2)])):
            watched.look_again()
            assert taken == expected
        for later, broken in enumerate(("{", json.dumps({"keys": []}), json.dumps({"keys": [{**SOUND, "d": "AA"}]}))):
            write_private(file, broken)
            now[0] = 100.0 + 30 * later
            watched.look_again()
        assert taken == [("client", 2)]
        messages = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert messages == ["client_keys_unusable"]
        write_private(file, json.dumps({"keys": [SOUND]}))
        now[0] = 300.0
        watched.look_again()
        assert taken[-1] == ("client", 1)
