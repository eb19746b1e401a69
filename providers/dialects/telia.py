"""`telia`: Telia Tunnistus. Source: Telia integration guide v2.36 §2.2-§2.6.

A method id in `acr_values` selects the bank and takes the place of the level of assurance there; the level
is enforced on the ID token. The service name is registered beforehand, not sent. The answer names the bank
in `amr`, and `access_denied` means that the person backed out.
"""

from __future__ import annotations

from providers.connection import Dialect
from providers.dialects.ftn import FTN_CLAIMS, REJECTED

TELIA = Dialect(
    name="telia",
    claims=FTN_CLAIMS,
    scopes=("openid",),
    query_client_id=True,
    request_audience="issuer",
    selector="acr_values",
    acr_in_request=True,
    spname_claim=None,
    prompt="login",
    cancel_errors=frozenset({"access_denied"}),
    names_bank_in="amr",
    errors=REJECTED,
    jwe_algorithms=("RSA-OAEP",),
    jwe_encryptions=("A128CBC-HS256", "A128GCM"),
    publishes="maintenance_text",
)
