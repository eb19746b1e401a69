from __future__ import annotations

from tests.broker.pages.conftest import built, harness

__all__ = ["built", "harness"]
