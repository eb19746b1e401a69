"""Public key sets in a configuration."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc.jwk import RSAKey
from pydantic import TypeAdapter, ValidationError

from kit.keys.sets import KeySet
from tests.harness.weak_keys import roca_key

SOUND = RSAKey.generate_key(2048, {"kid": "sound"}).as_dict(private=False)


def read(*keys: Any) -> tuple[dict[str, Any], ...]:
    """A set as the configuration has it."""
    found: tuple[dict[str, Any], ...] = TypeAdapter(KeySet).validate_python({"keys": list(keys)})
    return found


def test_an_optional_member_that_is_null_or_empty_says_nothing() -> None:
    assert read({**SOUND, "use": None, "alg": "", "key_ops": None, "x5c": None}) == (SOUND,)


@pytest.mark.parametrize("kid", [None, "", 7])
def test_each_key_has_a_kid(kid: object) -> None:
    with pytest.raises(ValidationError, match="without kid"):
        read({**SOUND, "kid": kid})


def test_a_key_that_anyone_can_factor_is_refused_by_its_name() -> None:
    with pytest.raises(ValidationError, match="ROCA, CVE-2017-15361"):
        read(SOUND, roca_key().as_dict(private=False))
