"""The checks, and how each is removed: data."""

from __future__ import annotations

from dataclasses import dataclass

REFUSALS = "tests/protocol/test_refusals.py"
HOSTS = "tests/kit/settings/test_hosts.py"
SETTINGS = "tests/broker/settings/test_settings.py"


@dataclass(frozen=True, slots=True)
class Mutation:
    """what: the check. file: where it stands. old, new: text replaced there. rows: `pytest -k`. tests: where."""

    what: str
    file: str
    old: str
    new: str
    rows: str
    tests: str = REFUSALS


MUTATIONS = (
    Mutation("check_issuer", "providers/engine/id_token.py", "    check_issuer,\n", "", "telia and invalid-iss"),
    Mutation("check_audience", "providers/engine/id_token.py", "    check_audience,\n", "", "telia and invalid-aud"),
    Mutation(
        "check_authorized_party",
        "providers/engine/id_token.py",
        "    check_authorized_party,\n",
        "",
        "telia and invalid-azp",
    ),
    Mutation(
        "check_expiry", "providers/engine/id_token.py", "    check_expiry,\n", "", "telia and invalid-expired-exp"
    ),
    Mutation(
        "check_issue_time", "providers/engine/id_token.py", "    check_issue_time,\n", "", "telia and iat-in-future"
    ),
    Mutation("check_nonce", "providers/engine/id_token.py", "    check_nonce,\n", "", "telia and nonce-invalid"),
    Mutation("check_subject", "providers/engine/id_token.py", "    check_subject,\n", "", "telia and missing-sub"),
    Mutation("check_assurance", "providers/engine/id_token.py", "    check_assurance,\n", "", "isb and acr-production"),
    Mutation(
        "check_authentication_time",
        "providers/engine/id_token.py",
        "    check_authentication_time,\n",
        "",
        "telia and auth-time-too-old",
    ),
    Mutation(
        "check_access_token_hash",
        "providers/engine/id_token.py",
        "    check_access_token_hash,\n",
        "",
        "telia and invalid-athash",
    ),
    Mutation(
        "check_authentication_methods",
        "providers/engine/id_token.py",
        "    check_authentication_methods,\n",
        "",
        "telia and amr-wrong-type",
    ),
    Mutation(
        "second audience",
        "providers/engine/id_token.py",
        "audiences == [expected.client_id]",
        "expected.client_id in (audiences or [])",
        "telia and invalid-secondary-aud",
    ),
    Mutation(
        "nbf", "providers/engine/id_token.py", '    if "nbf" in claims:', "    if False:", "telia and nbf-in-future"
    ),
    Mutation(
        "auth_time in the future",
        "providers/engine/id_token.py",
        '    _require(at <= expected.now + expected.skew, "auth_time", "it is in the future")\n',
        "",
        "telia and auth-time-in-future",
    ),
    Mutation(
        "age of the token",
        "providers/engine/id_token.py",
        '    _require(issued >= expected.now - OLDEST, "iat", "the token is too old")\n',
        "",
        "telia and iat-is-week-in-past",
    ),
    Mutation(
        "numbers are numbers",
        "providers/engine/compact.py",
        "isinstance(value, bool) or not isinstance(value, int | float) or",
        "not isinstance(value, int | float) or",
        "bool or boolean or True",
        tests="tests/providers",
    ),
    Mutation(
        "allowed algorithms",
        "providers/engine/compact.py",
        '    if header.get("alg") not in algorithms:',
        "    if False:",
        "RS512 or RSA1_5",
        tests="tests/providers/test_engine_id_token.py",
    ),
    Mutation(
        "allowed content encryption",
        "providers/engine/compact.py",
        '    if encryptions and header.get("enc") not in encryptions:',
        "    if False:",
        "enc",
        tests="tests/providers/test_engine_id_token.py",
    ),
    Mutation(
        "no extension in a header",
        "providers/engine/compact.py",
        '    for member in ("zip", "crit", "b64"):',
        "    for member in ():",
        "zip",
        tests="tests/providers/test_engine_id_token.py",
    ),
    Mutation(
        "no crit in a header",
        "providers/engine/compact.py",
        '    for member in ("zip", "crit", "b64"):',
        '    for member in ("zip", "b64"):',
        "crit",
        tests="tests/providers/test_engine_id_token.py",
    ),
    Mutation(
        "kid is named",
        "providers/engine/compact.py",
        '    if not isinstance(header.get("kid"), str):',
        "    if False:",
        "telia and kid-absent-multiple-jwks",
    ),
    Mutation(
        "no member twice",
        "providers/engine/compact.py",
        "    if len(members) != len(pairs):",
        "    if False:",
        "telia and claims-duplicate-member",
    ),
    Mutation(
        "strict base64url",
        "providers/engine/compact.py",
        "    if not all(_is_strict(segment) for segment in found):",
        "    if False:",
        "padding",
        tests="tests/providers/test_engine_id_token.py",
    ),
    Mutation(
        "number of parts",
        "providers/engine/compact.py",
        "    if len(found) != parts:",
        "    if False:",
        "encrypted",
        tests="tests/providers/test_engine_id_token.py",
    ),
    Mutation(
        "content type of the JWE",
        "providers/engine/id_token.py",
        '        check_type(header, "cty", CONTENT_TYPES)\n',
        "",
        "telia and jwe-cty-wrong",
    ),
    Mutation(
        "length of a header",
        "providers/engine/compact.py",
        "    if len(segment) > LONGEST_HEADER:",
        "    if False:",
        "header and long or header and huge or oversize",
        tests="tests/providers/test_engine_id_token.py",
    ),
    Mutation(
        "state once",
        "providers/engine/response.py",
        "    if len(values) != 1:",
        "    if not values:",
        "telia and state-repeated",
    ),
    Mutation(
        "form of a state",
        "providers/engine/response.py",
        "    if not _HANDLE.match(values[0]):",
        "    if False:",
        "telia and state-malformed",
    ),
    Mutation(
        "parameters once",
        "providers/engine/response.py",
        "        if len(message.get(name, ())) > 1:",
        "        if False:",
        "telia and code-repeated",
    ),
    Mutation(
        "iss where it is advertised",
        "providers/engine/response.py",
        "    if issuer is None and connection.iss_parameter:",
        "    if False:",
        "ftn and remove-authorization-response-iss",
    ),
    Mutation(
        "iss is ours",
        "providers/engine/response.py",
        "    if issuer is not None and issuer != connection.issuer:",
        "    if False:",
        "ftn and invalid-authorization-response-iss",
    ),
    Mutation(
        "an error is read before a code",
        "providers/engine/response.py",
        "    if error is not None:",
        "    if False:",
        "telia and code-and-error",
    ),
    Mutation(
        "a code is there", "providers/engine/response.py", "    if not code:", "    if False:", "telia and code-missing"
    ),
    Mutation(
        "length of a code",
        "providers/engine/response.py",
        "    if len(code) > LONGEST_CODE or not _CODE.match(code):",
        "    if False:",
        "telia and code-oversized",
    ),
    Mutation(
        "status of the token endpoint",
        "providers/engine/token_request.py",
        "    if answer.status >= 500:",
        "    if False:",
        "telia and token-503",
    ),
    Mutation(
        "content type of a token response",
        "providers/engine/token_request.py",
        '    if answer.content_type != "application/json":',
        "    if False:",
        "telia and token-wrong-content-type",
    ),
    Mutation(
        "errors of the token endpoint",
        "providers/engine/token_request.py",
        "    if answer.status != 200:",
        "    if False:",
        "telia and token-unauthorized-client",
    ),
    Mutation(
        "token type",
        "providers/engine/token_request.py",
        '    if not isinstance(token_type, str) or token_type.lower() != "bearer":',
        "    if False:",
        "telia and token-type-wrong",
    ),
    Mutation(
        "an ID token is there",
        "providers/engine/token_request.py",
        "    if not isinstance(id_token, str) or not id_token:",
        "    if False:",
        "telia and token-missing-id-token",
    ),
    Mutation(
        "a redirect's body is not read",
        "providers/engine/watched.py",
        "        return None\n",
        "        return super().get_redirect_target(resp)\n",
        "redirect",
        tests="tests/providers/test_engine_http.py",
    ),
    Mutation(
        "bytes of an answer",
        "providers/engine/http.py",
        "            if len(body) > LONGEST_BODY:",
        "            if False:",
        "telia and token-10mb",
    ),
    Mutation(
        "time to the last byte",
        "providers/engine/http.py",
        "                if left <= 0:\n",
        "                left = max(left, 5)\n                if False:\n",
        "telia and token-slow-drip",
    ),
    Mutation(
        "issuer of a signed JWKS",
        "providers/engine/entity_statement.py",
        '    if payload.get("iss") != entity_id or payload.get("sub") != entity_id:',
        "    if False:",
        "telia and jwks-wrong-iss",
    ),
    Mutation(
        "expiry of a signed JWKS",
        "providers/engine/entity_statement.py",
        '    if "exp" in times and (times["exp"] or 0) <= now - SKEW:',
        "    if False:",
        "telia and jwks-expired",
    ),
    Mutation(
        "a signed JWKS from the future",
        "providers/engine/entity_statement.py",
        '    if (times.get("iat") or 0) > now + SKEW:',
        "    if False:",
        "telia and jwks-from-future",
    ),
    Mutation(
        "signer of a signed JWKS",
        "providers/engine/entity_statement.py",
        '        key = keys.get(header["kid"])\n',
        '        key = keys.get(header["kid"]) or [*usable_keys(loads_payload(token)["keys"]).values()][0]\n',
        "telia and jwks-signed-by-signing-key",
    ),
    Mutation(
        "use of a key",
        "providers/engine/entity_statement.py",
        '        and jwk.get("use", "sig") == "sig"\n',
        "",
        "telia and jwks-key-for-encryption",
    ),
    Mutation(
        "size of a key",
        "providers/engine/entity_statement.py",
        "SMALLEST_KEY <= int",
        "512 <= int",
        "telia and jwks-weak-key",
    ),
    Mutation(
        "a personal identity code is there",
        "providers/engine/normalise.py",
        '    if value is None or value == "":',
        "    if value == 0:",
        "telia and hetu-missing",
    ),
    Mutation(
        "check character",
        "providers/engine/normalise.py",
        "        hetu.validate(code, allow_temporary=True)\n",
        "        hetu.compact(code)\n",
        "telia and hetu-invalid-check",
    ),
    Mutation(
        "artificial codes in test only",
        "providers/engine/normalise.py",
        "    if artificial != connection.test:",
        "    if False:",
        "telia and hetu-real-range",
    ),
    Mutation(
        "birth date",
        "providers/engine/normalise.py",
        "    if claims.get(names.birthdate) not in (None, derived.isoformat()):",
        "    if False:",
        "telia and hetu-birthdate-mismatch",
    ),
    Mutation(
        "a name is there",
        "providers/engine/normalise.py",
        '    raise _mismatch("the answer holds no name", claim)',
        '    return ""',
        "telia and names-missing",
    ),
    Mutation(
        "no control characters in names",
        "providers/engine/normalise.py",
        " or any(unicodedata.category(character) in UNFIT for character in name)",
        "",
        "telia and family-name-control-character",
    ),
    Mutation(
        "the bank that answered is the chosen one",
        "providers/engine/normalise.py",
        "    if wrong:\n",
        "    if False:\n",
        "telia and amr-of-another-bank",
    ),
    Mutation(
        "a state belongs to its connection",
        "providers/engine/adapter.py",
        "        if attempt.connection != self.connection.id or handle_of(message) != handle:\n",
        "        if False:\n",
        "telia and response-to-another-callback",
    ),
    Mutation(
        "an address in any spelling is known",
        "kit/settings/hosts.py",
        """    if not _NUMBER.fullmatch(parts[-1]):
        return None
""",
        """    return None
""",
        "spelling",
        HOSTS,
    ),
    Mutation(
        "IPv4 within IPv6 is that IPv4",
        "kit/settings/hosts.py",
        """if address.ipv4_mapped or address in ipaddress.IPv6Network("64:ff9b::/96"):""",
        "if False:",
        "spelling",
        HOSTS,
    ),
    Mutation(
        "production is on public hosts",
        "broker/settings/checks.py",
        "    yield from in_production(own_urls(settings) | bank_urls(settings))",
        "    yield from ()",
        "belongs_to_a_test",
        SETTINGS,
    ),
    Mutation(
        "production's store is reached by TLS",
        "kit/settings/endpoints.py",
        """if parts.scheme == "redis" and not""",
        """if False and not""",
        "belongs_to_a_test",
        SETTINGS,
    ),
    Mutation(
        "the store's certificate is looked at",
        "kit/settings/endpoints.py",
        """    if options.get("ssl_cert_reqs", "required") not in {"required", "cert_required"} or options.get(""",
        """    if False and options.get(""",
        "belongs_to_a_test",
        SETTINGS,
    ),
    Mutation(
        "a pinned statement is this bank's",
        "broker/settings/pins.py",
        "if statement.entity_id != expected:",
        "if False:",
        "another",
        SETTINGS,
    ),
    Mutation(
        "the statement of a template is not published",
        "broker/settings/checks.py",
        """    yield from placeholder_files(settings.brand.accessibility,""",
        """    () and placeholder_files(settings.brand.accessibility,""",
        "templates",
        SETTINGS,
    ),
    Mutation(
        "a list names nothing twice",
        "kit/settings/types.py",
        "if twice := next((entry for number, entry in enumerate(value) if entry in value[:number]), None):",
        "if twice := None:",
        "twice",
        SETTINGS,
    ),
    Mutation(
        "a host is not percent-encoded",
        "kit/settings/types.py",
        r"""not re.fullmatch(r"[\w.\-:\[\]]+", parts.netloc, re.ASCII)""",
        """"@" in parts.netloc""",
        "cocalhost",
        SETTINGS,
    ),
    Mutation(
        "doctor does what check does",
        "broker/cli/main.py",
        "checks = [*check_configuration(config)]",
        "checks = []",
        "one_report or missing_statement",
        "tests/broker/cli/test_cli.py",
    ),
)
