"""The dialects by name."""

from __future__ import annotations

from collections.abc import Mapping

from providers.connection import Dialect
from providers.dialects.ftn import FTN
from providers.dialects.isb import ISB
from providers.dialects.telia import TELIA

DIALECTS: Mapping[str, Dialect] = {dialect.name: dialect for dialect in (FTN, TELIA, ISB)}
