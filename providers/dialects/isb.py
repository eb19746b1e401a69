"""`isb`: OP Identity Service Broker. Source: OP Identity Service Broker API §6-§9, §13.

The query holds `request` and nothing else; the bank is selected by `ftn_idp_id`; no level of assurance can
be asked for, so it is enforced on the ID token alone. `cancel` means that the person backed out, while
`access_denied` is a failure. Names come only with scope `profile`; `weak` or `strong` tells what the
client makes of the identification. The answer does not name the bank. A code that was used before is
`invalid_request`, as our own mistakes are; only the description tells them apart.
"""

from __future__ import annotations

from providers.connection import ClaimNames, Dialect
from providers.dialects.ftn import REJECTED

ISB = Dialect(
    name="isb",
    claims=ClaimNames(
        personal_identity_code="personal_identity_code",
        given_name="given_name",
        family_name="family_name",
        name="name",
        birthdate="birthdate",
    ),
    scopes=("openid", "personal_identity_code"),
    query_client_id=False,
    request_audience="none",
    selector="ftn_idp_id",
    acr_in_request=False,
    spname_claim="ftn_spname",
    prompt=None,
    cancel_errors=frozenset({"cancel"}),
    profile_scope="profile",
    credential_scopes={"weak": "weak", "strong": "strong"},
    errors=REJECTED,
    used_code=frozenset({"invalid grant"}),
    jwe_algorithms=("RSA-OAEP",),
    jwe_encryptions=("A128CBC-HS256",),
    publishes="embedded_ui",
)
