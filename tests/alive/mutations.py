"""The checks, and how each is removed: data."""

from __future__ import annotations

from dataclasses import dataclass

ENGINE = "providers/engine/"
REFUSALS = "tests/protocol/test_refusals.py"


@dataclass(frozen=True, slots=True)
class Mutation:
    """what: the check. file: where it stands. old, new: text replaced there. rows: `pytest -k`. tests: where."""

    what: str
    file: str
    old: str
    new: str
    rows: str
    tests: str = REFUSALS


def _without(check: str, rows: str) -> Mutation:
    return Mutation(check, ENGINE + "id_token.py", f"    {check},\n", "", rows)


def _edit(what: str, file: str, old: str, rows: str, new: str = "") -> Mutation:
    return Mutation(what, ENGINE + file, old, new, rows)


_HEADER = '    for member in ("zip", "crit", "b64"):'

MUTATIONS = (
    _without("check_issuer", "telia and invalid-iss"),
    _without("check_audience", "telia and invalid-aud"),
    _without("check_authorized_party", "telia and invalid-azp"),
    _without("check_expiry", "telia and invalid-expired-exp"),
    _without("check_issue_time", "telia and iat-in-future"),
    _without("check_nonce", "telia and nonce-invalid"),
    _without("check_subject", "telia and missing-sub"),
    _without("check_assurance", "isb and acr-production"),
    _without("check_authentication_time", "telia and auth-time-too-old"),
    _without("check_access_token_hash", "telia and invalid-athash"),
    _without("check_authentication_methods", "telia and amr-wrong-type"),
    _edit(
        "second audience",
        "id_token.py",
        "audiences == [expected.client_id]",
        "telia and invalid-secondary-aud",
        "expected.client_id in (audiences or [])",
    ),
    _edit("nbf", "id_token.py", '    if "nbf" in claims:', "telia and nbf-in-future", "    if False:"),
    _edit(
        "auth_time in the future",
        "id_token.py",
        '    _require(at <= expected.now + expected.skew, "auth_time", "it is in the future")\n',
        "telia and auth-time-in-future",
    ),
    _edit(
        "age of the token",
        "id_token.py",
        '    _require(issued >= expected.now - OLDEST, "iat", "the token is too old")\n',
        "telia and iat-is-week-in-past",
    ),
    _edit(
        "numbers are numbers",
        "id_token.py",
        '    _require(numeric, name, "it is missing or no number")\n',
        "telia and exp-wrong-type",
    ),
    _edit(
        "allowed JWS algorithms, twice",
        "compact.py",
        '    if header.get("alg") not in algorithms:',
        "telia and invalid-alternate-alg",
        "    if False:",
    ),
    _edit(
        "allowed content encryption",
        "compact.py",
        '    if encryptions and header.get("enc") not in encryptions:',
        "isb and jwe-enc-not-allowed",
        "    if False:",
    ),
    _edit("no extension in a header", "compact.py", _HEADER, "telia and jwe-zip", "    for member in ():"),
    _edit("no crit in a header", "compact.py", _HEADER, "telia and jws-crit", '    for member in ("zip", "b64"):'),
    _edit(
        "kid is named",
        "compact.py",
        '    if not isinstance(header.get("kid"), str):',
        "telia and kid-absent-multiple-jwks",
        "    if False:",
    ),
    _edit(
        "no member twice",
        "compact.py",
        "    if len(members) != len(pairs):",
        "telia and claims-duplicate-member",
        "    if False:",
    ),
    _edit(
        "strict base64url",
        "compact.py",
        "    if not all(_SEGMENT.match(segment) for segment in found):",
        "telia and jws-stray-padding",
        "    if False:",
    ),
    _edit(
        "number of parts",
        "compact.py",
        "    if len(found) != parts:",
        "telia and idtoken-not-encrypted",
        "    if False:",
    ),
    _edit(
        "content type of the JWE",
        "id_token.py",
        '        if str(header.get("cty", "JWT")).upper() != "JWT":',
        "telia and jwe-cty-wrong",
        "        if False:",
    ),
    _edit(
        "length of a header",
        "compact.py",
        "    if len(segment) > LONGEST_HEADER:",
        "telia and jwe-header-long",
        "    if False:",
    ),
    _edit("state once", "response.py", "    if len(values) != 1:", "telia and state-repeated", "    if not values:"),
    _edit(
        "form of a state",
        "response.py",
        "    if not _HANDLE.match(values[0]):",
        "telia and state-malformed",
        "    if False:",
    ),
    _edit(
        "parameters once",
        "response.py",
        "        if len(message.get(name, ())) > 1:",
        "telia and code-repeated",
        "        if False:",
    ),
    _edit(
        "iss where it is advertised",
        "response.py",
        "    if issuer is None and connection.iss_parameter:",
        "ftn and remove-authorization-response-iss",
        "    if False:",
    ),
    _edit(
        "iss is ours",
        "response.py",
        "    if issuer is not None and issuer != connection.issuer:",
        "ftn and invalid-authorization-response-iss",
        "    if False:",
    ),
    _edit(
        "an error is read before a code",
        "response.py",
        "    if error is not None:",
        "telia and code-and-error",
        "    if False:",
    ),
    _edit("a code is there", "response.py", "    if not code:", "telia and code-missing", "    if False:"),
    _edit(
        "length of a code",
        "response.py",
        "    if len(code) > LONGEST_CODE or not _CODE.match(code):",
        "telia and code-oversized",
        "    if False:",
    ),
    _edit(
        "status of the token endpoint",
        "token_request.py",
        "    if answer.status >= 500:",
        "telia and token-503",
        "    if False:",
    ),
    _edit(
        "content type of a token response",
        "token_request.py",
        '    if answer.content_type != "application/json":',
        "telia and token-wrong-content-type",
        "    if False:",
    ),
    _edit(
        "errors of the token endpoint",
        "token_request.py",
        "    if answer.status != 200:",
        "telia and token-unauthorized-client",
        "    if False:",
    ),
    _edit(
        "token type",
        "token_request.py",
        '    if not isinstance(token_type, str) or token_type.lower() != "bearer":',
        "telia and token-type-wrong",
        "    if False:",
    ),
    _edit(
        "an ID token is there",
        "token_request.py",
        "    if not isinstance(id_token, str) or not id_token:",
        "telia and token-missing-id-token",
        "    if False:",
    ),
    _edit(
        "redirects are not followed",
        "http.py",
        "allow_redirects=False",
        "telia and token-redirect",
        "allow_redirects=True",
    ),
    _edit(
        "bytes of an answer",
        "http.py",
        "            if len(body) > LONGEST_BODY:",
        "telia and token-10mb",
        "            if False:",
    ),
    _edit(
        "time to the last byte",
        "http.py",
        '            if left <= 0:\n                raise BankUnreachable("no whole',
        "telia and token-slow-drip",
        '            left = max(left, 5)\n            if False:\n                raise BankUnreachable("no whole',
    ),
    _edit(
        "issuer of a signed JWKS",
        "entity_statement.py",
        '    if payload.get("iss") != entity_id or payload.get("sub") != entity_id:',
        "telia and jwks-wrong-iss",
        "    if False:",
    ),
    _edit(
        "expiry of a signed JWKS",
        "entity_statement.py",
        '    if payload.get("exp", now + 61) <= now - 60:',
        "telia and jwks-expired",
        "    if False:",
    ),
    _edit(
        "a signed JWKS from the future",
        "entity_statement.py",
        '    if payload.get("iat", now) > now + 60:',
        "telia and jwks-from-future",
        "    if False:",
    ),
    _edit(
        "signer of a signed JWKS",
        "entity_statement.py",
        '        key = keys.get(header["kid"])\n',
        "telia and jwks-signed-by-signing-key",
        '        key = keys.get(header["kid"]) or [*usable_keys(loads_payload(token)["keys"]).values()][0]\n',
    ),
    _edit("use of a key", "entity_statement.py", 'or jwk.get("use", use) != use', "telia and jwks-key-for-encryption"),
    _edit("size of a key", "entity_statement.py", "* 8 >= SMALLEST_RSA", "telia and jwks-weak-key", "* 8 >= 512"),
    _edit(
        "a personal identity code is there",
        "normalise.py",
        '    if value is None or value == "":',
        "telia and hetu-missing",
        "    if value == 0:",
    ),
    _edit(
        "check character",
        "normalise.py",
        "        hetu.validate(code, allow_temporary=True)\n",
        "telia and hetu-invalid-check",
        "        hetu.compact(code)\n",
    ),
    _edit(
        "artificial codes in test only",
        "normalise.py",
        "    if artificial != connection.test:",
        "telia and hetu-real-range",
        "    if False:",
    ),
    _edit(
        "birth date",
        "normalise.py",
        "    if not isinstance(said, str) or not _ISO_DATE.match(said) or said != derived.isoformat():",
        "telia and hetu-birthdate-mismatch",
        "    if False:",
    ),
    _edit(
        "a name is there",
        "normalise.py",
        '    raise _mismatch("the answer holds no name", claim)',
        "telia and names-missing",
        '    return ""',
    ),
    _edit(
        "no control characters in names",
        "normalise.py",
        ' or any(unicodedata.category(character) == "Cc" for character in name)',
        "telia and family-name-control-character",
    ),
    _edit(
        "the bank that answered is the chosen one",
        "normalise.py",
        '    if {method.rsplit("/", 1)[-1] for method in methods}.isdisjoint(wanted):',
        "telia and amr-of-another-bank",
        "    if False:",
    ),
    Mutation(
        "a state belongs to its connection",
        "broker/flow/callback.py",
        "    if attempt.connection != arrival.connection:",
        "    if False:",
        "telia and response-to-another-callback",
    ),
)
