"""`make check-alive` removes each check by its text: here, that every one of those texts still stands in one place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.removals.of_broker import MUTATIONS, Mutation
from tests.removals.of_deployment import DEPLOYMENT
from tests.removals.of_fapi import FAPI
from tests.removals.of_registration import REGISTRATION
from tests.removals.of_staff import STAFF

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "removal", [*MUTATIONS, *FAPI, *REGISTRATION, *STAFF, *DEPLOYMENT], ids=lambda removal: removal.what
)
def test_what_is_removed_stands_once(removal: Mutation) -> None:
    assert (ROOT / removal.file).read_text(encoding="utf-8").count(removal.old) == 1
