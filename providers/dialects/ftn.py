"""`ftn`: our reading of the FTN profile itself, for an OpenID Provider of one bank.

Sources: Idura's FTN guide; the DVV reference provider; Telia integration guide §2.4 for the claim URNs.
The text of Traficom's recommendation 213/2023 S was not at hand: where it says otherwise, it wins.
"""

from __future__ import annotations

from providers.connection import ClaimNames, Dialect
from providers.errors import RelyingPartyRejected, Unavailable

FTN_CLAIMS = ClaimNames(
    personal_identity_code="urn:oid:1.2.246.21",
    given_name="urn:oid:1.2.246.575.1.14",
    family_name="urn:oid:2.5.4.4",
    name="urn:oid:2.16.840.1.113730.3.1.241",
    birthdate="urn:oid:1.3.6.1.5.5.7.9.1",
    reference=("session_index", "sub"),
    known=frozenset(
        {
            "urn:oid:1.2.246.22",
            "urn:oid:1.2.246.575.1.15",
            "http://eidas.europa.eu/attributes/naturalperson/PersonIdentifier",
            "bank-tupasid",
        }
    ),
)

REJECTED = {
    "invalid_request": RelyingPartyRejected,
    "invalid_request_object": RelyingPartyRejected,
    "invalid_scope": RelyingPartyRejected,
    "invalid_client": RelyingPartyRejected,
    "unauthorized_client": RelyingPartyRejected,
    "unsupported_response_type": RelyingPartyRejected,
    "temporarily_unavailable": Unavailable,
}
"""What an OAuth error says of us, or of the bank's state; any other is the bank's failure (RFC 6749 §4.1.2.1)."""

FTN = Dialect(
    name="ftn",
    claims=FTN_CLAIMS,
    scopes=("openid",),
    query_client_id=True,
    request_audience="issuer",
    selector=None,
    acr_in_request=True,
    spname_claim="ftn_spname",
    prompt="login",
    cancel_errors=frozenset({"access_denied", "user_cancelled"}),
    errors=REJECTED,
)
