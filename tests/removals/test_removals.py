"""`make check-alive` removes each check by its text: here, that every one of those texts still stands in one place."""

from __future__ import annotations

from pathlib import Path

from tests.removals.of_broker import MUTATIONS
from tests.removals.of_customer_service import CUSTOMER_SERVICE
from tests.removals.of_deployment import DEPLOYMENT
from tests.removals.of_fapi import FAPI
from tests.removals.of_registration import REGISTRATION
from tests.removals.of_staff import STAFF

ROOT = Path(__file__).resolve().parents[2]


ALL = (*MUTATIONS, *FAPI, *REGISTRATION, *STAFF, *CUSTOMER_SERVICE, *DEPLOYMENT)


def test_what_is_removed_stands_once() -> None:
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in {removal.file for removal in ALL}}
    assert [removal.what for removal in ALL if texts[removal.file].count(removal.old) != 1] == []
