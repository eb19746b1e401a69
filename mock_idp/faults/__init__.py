"""Every fault of the mock banks, by name. Data: what it bends, whether a relying party must refuse it, and how.

Names are those of the OpenID conformance modules where one exists (`Fault.conformance` has the whole name).
"""

from __future__ import annotations

from collections.abc import Mapping

from mock_idp.faults import claims, encryption, key_set, person, response, signature, token_endpoint
from mock_idp.faults.model import Fault, Where

_ALL: tuple[Fault, ...] = (
    *claims.FAULTS,
    *person.FAULTS,
    *signature.FAULTS,
    *encryption.FAULTS,
    *response.FAULTS,
    *token_endpoint.FAULTS,
    *key_set.FAULTS,
)

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}

__all__ = ["FAULTS", "Fault", "Where"]
