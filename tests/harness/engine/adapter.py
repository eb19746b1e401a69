"""How a test makes an adapter."""

from __future__ import annotations

from collections.abc import Callable

from providers.engine.adapter import OidcAdapter

Make = Callable[..., OidcAdapter]
