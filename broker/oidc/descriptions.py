"""What a client's developer reads in `error_description`: the parameter, what is wrong with it, and the mend.

Authlib's own words name the parameter at best. Descriptions are constants in the characters that RFC 6749 §4.1.2.1
and §5.2 allow: printable ASCII without quotation mark and backslash.
"""

from __future__ import annotations

from authlib.oauth2 import OAuth2Error

from broker.oidc.codes import CODE_LIFETIME, FAPI_CODE_LIFETIME

_OF_ERRORS = {
    "login_required": "prompt none cannot be met: every identification is a fresh one, so leave prompt out",
    "invalid_scope": "scope must hold openid, and nothing that the client's scopes in our configuration lack",
    "unsupported_response_type": "response_type must be code",
    "unsupported_grant_type": "grant_type must be authorization_code",
}
"""By error, where Authlib has one description for it, or none."""

_OF_AUTHLIB = {
    "Invalid 'prompt' parameter.": "prompt must not hold none beside other values: leave prompt out",
    "Missing 'code_challenge'": "code_challenge is required: send the SHA-256 of the code_verifier in base64url",
    "Invalid 'code_challenge'": "code_challenge must be the SHA-256 of the code_verifier, in base64url without padding",
    "Missing 'code' in request.": "code is required: send the one that came to the redirect_uri",
    "Invalid 'code' in request.": f"code is unknown, used, older than {CODE_LIFETIME} seconds "
    f"(FAPI 2.0: {FAPI_CODE_LIFETIME}) or another client's: start again with a new authorization request",
    "Invalid 'redirect_uri' in request.": "redirect_uri must be the one of the authorization request, in every "
    "character: start again with a new one",
    "Missing 'code_verifier'": "code_verifier is required: send the one that the code_challenge was made of",
    "The authorization request had no 'code_challenge', but a 'code_verifier' was provided.": "code_verifier must not "
    "be sent: the authorization request had no code_challenge, so send both or neither",
    "Invalid 'code_verifier'": "code_verifier must be 43 to 128 characters out of letters, digits, - . _ ~",
    "Code challenge failed.": "code_verifier is not the one that the code_challenge was made of: "
    "keep one for each authorization request, and start again with a new one",
}
"""By Authlib's description."""

_MENDS = {
    "no client authentication of a kind that is accepted": "client authentication is missing: send a client_assertion, "
    "Authorization: Basic, or client_id and client_secret, as the client is registered",
    "the Basic credentials are malformed": "Authorization: Basic must be the base64 of client_id:secret, each of them "
    "form-urlencoded",
    "not a compact JWS": "it must be one signed JWT in compact form, of at most 4096 characters",
    "header or claims are not JSON": "header and claims must be JSON objects",
    "header or claims are not a JSON object": "header and claims must be JSON objects",
    "a member is repeated": "no member of header or claims may be there twice",
    "alg is not accepted": "alg must be RS256, PS256, ES256, EdDSA or Ed25519",
    "the header has an extension": "its header must have no crit and no b64",
    "no registered key verifies the signature": "no key of the client verifies the signature, see alg and kid",
    "sub is not a known client": "sub must be a client_id of our configuration",
    "exp is past": "exp is past, so compare the clocks",
    "nbf lies in the future": "nbf lies in the future, so compare the clocks",
    "iat lies in the future, or more than 10 minutes back": "iat lies in the future, or more than 10 minutes back, so "
    "compare the clocks",
}
"""By the reason of a refused client, where that does not say what to do."""

_NOT_ONE_JWT = "it must be one signed JWT in compact form, not longer than allowed"


def describe_refused_client(reason: str, by_assertion: bool) -> str:
    """The description of a client that has not proved itself; reason: of ClientRefused."""
    mend = _MENDS.get(reason, reason)
    names_it = mend.startswith(("client_", "client ", "Authorization"))
    return f"client_assertion: {mend}" if by_assertion and not names_it else mend


def describe_refused_jwt(reason: str, name: str) -> str:
    """The description of another JWT that a client has signed. name: of what it came as; reason: of ClientRefused."""
    return f"{name}: {_NOT_ONE_JWT if reason == 'not a compact JWS' else _MENDS.get(reason, reason)}"


def describe(error: OAuth2Error) -> str:
    """The description of an error of Authlib's; one of ours is as it should be."""
    said = error.get_error_description() or ""
    return _OF_ERRORS.get(str(error.error)) or _OF_AUTHLIB.get(said, said)
