"""The levels of assurance there are (FTN profile; Finnish Transport and Communications Agency, Traficom)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from kit.settings.report import meant, refusal

LEVELS: Mapping[str, str] = {
    "http://ftn.ficora.fi/2017/loa2": "production",
    "http://ftn.ficora.fi/2017/loa3": "production",
    "http://ftn.ficora.fi/2017/loatest2": "test",
    "http://ftn.ficora.fi/2017/loatest3": "test",
}
"""Each level of assurance there is, to the environment it belongs to."""


def _level(value: str) -> str:
    if value not in LEVELS:
        raise refusal("is no level of assurance", allowed=", ".join(LEVELS), mend=meant(value, LEVELS))
    return value


Level = Annotated[str, AfterValidator(_level)]
