"""The checks of the FAPI profiles, and how each is removed: data."""

from __future__ import annotations

from tests.removals.of_broker import Mutation

TESTS = "tests/broker/oidc/fapi"


def _row(what: str, file: str, old: str, new: str, rows: str) -> Mutation:
    place = file if file.startswith(("kit/", "broker/")) else f"broker/oidc/{file}"
    return Mutation(what, place, old, new, rows, tests=TESTS)


FAPI = (
    _row(
        "a request_uri is its client's",
        "fapi/pushed.py",
        ' or value["client_id"] != client_id:',
        ":",
        "share_an_address",
    ),
    _row("a used request_uri is gone", "fapi/pushed.py", " or used is not None", "", "until_one_login"),
    _row(
        "a request_uri ends in one login",
        "fapi/pushed.py",
        'if not first and (holder is None or holder["transaction"] != transaction):',
        "if False:",
        "until_one_login",
    ),
    _row(
        "a pushed redirect URI is still registered",
        "authorize.py",
        " or not client.may_lead_to(found.redirect_uri)",
        "",
        "gone_with_its_redirect_uri",
    ),
    _row(
        "no request beside a request_uri",
        "authorize.py",
        'if "request" in parameters.values or not',
        "if not",
        "beside-a-request",
    ),
    _row(
        "a request_uri once",
        "authorize.py",
        ' or not parameters.is_clean("request_uri")',
        "",
        "request_uri_twice",
    ),
    _row("no request_uri is pushed", "fapi/par.py", 'if "request_uri" in form:', "if False:", "request-uri"),
    # the profile
    _row(
        "a request is pushed",
        "guard.py",
        "if request.client.fapi and not request.pushed:",
        "if False:",
        "was_not_pushed",
    ),
    _row(
        "a request is signed",
        "guard.py",
        "if request.client.message_signing and not request.signed:",
        "if False:",
        "no_request_that_is_not_signed",
    ),
    _row(
        "responses to message signing are signed",
        "guard.py",
        "if request.client.message_signing and request.response_mode not in SIGNED:",
        "if False:",
        "response-mode-unsigned",
    ),
    _row(
        "a dpop_jkt is a thumbprint", "guard.py", "and not _THUMBPRINT.match(thumbprint)", "and False", "dpop-jkt-short"
    ),
    _row(
        "aud is the issuer as a string",
        "client_authentication.py",
        'if client.fapi and assertion.claims["aud"] != self._issuer:',
        "if False:",
        "issuer_as_a_string",
    ),
    _row(
        "no RS256 by the profile",
        "broker/settings/models.py",
        'ALGORITHMS if self.profile == "plain" else FAPI_ALGORITHMS',
        "ALGORITHMS",
        "algorithms_of_assertions or rs256_is_for",
    ),
    _row(
        "a code of the profile lives a minute",
        "codes.py",
        "now < self.issued_at + self.lifetime",
        "now < self.issued_at + CODE_LIFETIME",
        "replica_that_lags",
    ),
    Mutation(
        "no RS256 by published keys",
        "broker/oidc/fetched_keys.py",
        "signing_keys(published, client.signing_algorithms)",
        "signing_keys(published)",
        "may_publish_its_keys",
        tests="tests/broker/oidc/test_fetched_keys.py",
    ),
    # proofs
    _row(
        "typ of a proof", "kit/client_authentication/assertion.py", "not in types:", "not in (*types, 'jwt'):", "typ-"
    ),
    _row(
        "no private key in a proof",
        "fapi/dpop.py",
        ' or {"d", "p", "q", "dp", "dq", "qi", "k"} & jwk.keys():',
        ":",
        "jwk-private",
    ),
    _row("an RSA key is not weak", "fapi/dpop.py", "not 2048 <= int", "not 0 <= int", "weak_nor_costly"),
    _row(
        "an RSA key is not costly",
        "fapi/dpop.py",
        ".bit_length() <= 4096:",
        ".bit_length() <= 9999:",
        "weak_nor_costly",
    ),
    _row("htm", "fapi/dpop.py", 'if claims.get("htm") != method:', "if False:", "htm-"),
    _row("htu", "fapi/dpop.py", " or _normalised(htu) not in map(_normalised, urls):", ":", "htu-"),
    _row("no user in htu", "fapi/dpop.py", ' and "@" not in parts.netloc', "", "htu-with-a-user"),
    _row("iat is not long ago", "fapi/dpop.py", "not now - OLDEST <= seconds_of", "not 0 <= seconds_of", "iat-past"),
    _row("iat is not ahead", "fapi/dpop.py", " <= now + AHEAD:", ":", "iat-ahead"),
    _row(
        "a proof has a jti",
        "fapi/dpop.py",
        "if not isinstance(jti, str) or not 1 <= len(jti) <= _LONGEST_JTI or not jti.isprintable():",
        "if False:",
        "jti-",
    ),
    _row("ath", "fapi/dpop.py", "if access_token is not None and claims", "if False and claims", "ath_is_of"),
    _row("a nonce of ours", "fapi/dpop.py", 'if not nonces.accepts(claims.get("nonce")):', "if False:", "nonce"),
    _row(
        "a nonce lapses",
        "fapi/dpop.py",
        "for one in (period, period - 1)",
        "for one in range(period + 1)",
        "a_nonce_lives",
    ),
    _row(
        "a proof serves once",
        "fapi/sender.py",
        "if not use_once(self._store",
        "if False and not use_once(self._store",
        "serves_once",
    ),
    _row(
        "a client shows a proof",
        "fapi/sender.py",
        'client.sender_constrained == "dpop" and',
        "False and",
        "without_a_proof",
    ),
    _row(
        "a client shows a certificate",
        "fapi/sender.py",
        'client.sender_constrained == "mtls" and sender.certificate is None',
        "False",
        "readable_certificate",
    ),
    _row(
        "a token is its key's",
        "fapi/sender.py",
        'if confirmation.get("jkt") != sender.jkt:',
        "if False:",
        "without_its_key",
    ),
    _row(
        "a token is its certificate's",
        "fapi/sender.py",
        'if "x5t#S256" in confirmation and',
        "if False and",
        "bound_to_the_certificate",
    ),
    _row(
        "a bound token is no bearer token",
        "userinfo.py",
        'if dpop != ("jkt" in confirmation):',
        "if False:",
        "without_its_key",
    ),
    _row(
        "a code is its key's",
        "grant.py",
        "found.dpop_jkt != self.request.sender.jkt",
        "False",
        "key_that_the_request_named",
    ),
    _row("dpop_jkt and proof agree", "fapi/par.py", "if request.dpop_jkt is not None:", "if False:", "that_differ"),
    # request objects
    _row(
        "iss of a request object",
        "fapi/request_objects.py",
        'if claims.get("iss") != client.client_id or',
        "if",
        "iss-",
    ),
    _row(
        "client_id of a request object",
        "fapi/request_objects.py",
        ' or claims.get("client_id") != client.client_id:',
        ":",
        "client-id-",
    ),
    _row(
        "no sub in a request object",
        "fapi/request_objects.py",
        'if claims.get("sub") == client.client_id:',
        "if False:",
        "sub-",
    ),
    _row(
        "no request within",
        "fapi/request_objects.py",
        'if claims.keys() & {"request", "request_uri"}:',
        "if False:",
        "request-within",
    ),
    _row(
        "aud of a request object",
        "fapi/request_objects.py",
        "if issuer not in (audience if isinstance(audience, list) else [audience]):",
        "if False:",
        "aud-",
    ),
    _row(
        "a request object has not lapsed",
        "fapi/request_objects.py",
        "if now >= ends + CLOCK_SKEW:",
        "if False:",
        "exp-past",
    ),
    _row(
        "a request object may be used",
        "fapi/request_objects.py",
        "if begins > now + CLOCK_SKEW:",
        "if False:",
        "nbf-in",
    ),
    _row("nbf is not long ago", "fapi/request_objects.py", "begins < now - LONGEST_LIFE or", "", "nbf-long-ago"),
    _row("exp is near", "fapi/request_objects.py", " or ends > begins + LONGEST_LIFE:", ":", "exp-far"),
    _row(
        "parameters are strings",
        "fapi/request_objects.py",
        "    if not isinstance(value, str):",
        "    if False:",
        "a-list or a-number",
    ),
    _row(
        "nothing beside a request object",
        "fapi/par.py",
        'sent = request_objects.parameters_of(form["request"], client, keys_of, self.op.issuer, self.op.now)',
        'sent = {n: v for n, v in form.items() if n != "request"} | request_objects.parameters_of('
        'form["request"], client, keys_of, self.op.issuer, self.op.now)',
        "beside",
    ),
    _row(
        "typ of a request object",
        "fapi/request_objects.py",
        '_TYPES = ("jwt", "oauth-authz-req+jwt")',
        '_TYPES = ("jwt", "oauth-authz-req+jwt", "client-authentication+jwt")',
        "typ-of-an-assertion",
    ),
    # certificates
    _row(
        "certificates come by named proxies",
        "fapi/certificates.py",
        "if peer is not None and any(peer in network for network in self._proxies):",
        "if True:",
        "named_proxies_alone",
    ),
    _row(
        "a certificate is one",
        "fapi/certificates.py",
        "            x509.load_der_x509_certificate(der)\n",
        "",
        "no-certificate",
    ),
    Mutation(
        "a request_uri ends in one login of the flow",
        "broker/flow/callback.py",
        "    pushed.use(flow.store, transaction.request, transaction.id)\n",
        "",
        "serves_one_login",
        tests="tests/protocol/test_fapi.py",
    ),
    Mutation(
        "a posted request_uri stays one",
        "broker/flow/start.py",
        "if authorization.pushed is not None:",
        "if False:",
        "sent_round_as_itself",
        tests="tests/protocol/test_fapi.py",
    ),
    Mutation(
        "a certificate is looked for before the client's address",
        "broker/app.py",
        "    use_client_address(app, settings.trusted_proxies)\n    server = settings.server\n"
        "    use_client_certificate(app, server.client_certificate_header, server.client_certificate_proxies)\n",
        "    server = settings.server\n"
        "    use_client_certificate(app, server.client_certificate_header, server.client_certificate_proxies)\n"
        "    use_client_address(app, settings.trusted_proxies)\n",
        "who_connects",
        tests="tests/protocol/test_fapi.py",
    ),
    *(
        Mutation(
            f"the settings refuse: {what}",
            "broker/settings/profiles.py",
            old,
            "if False:",
            "profile_does_not_allow or signs_nothing or plain_http",
            tests="tests/broker/settings/test_profiles.py",
        )
        for what, old in (
            ("a secret", 'if client.auth_method != "private_key_jwt":'),
            ("no usable key", "if client.jwks_uri is None and not signing_keys(client.jwks or (), FAPI_ALGORITHMS):"),
            ("RS256", 'if client.id_token_alg != "ES256":'),
            ("no PKCE", 'if client.pkce != "required":'),
            ("no iss", "if not client.iss_in_errors:"),
            ("unbound tokens", 'if client.sender_constraint == "none":'),
            (
                "plain http",
                'if any(uri.startswith("http:") and not is_this_machine(host_of(uri)) for uri in '
                "client.redirect_uris):",
            ),
        )
    ),
    *(
        Mutation(
            f"certificates need {what}",
            file,
            old,
            "if False:",
            "certificates",
            tests="tests/broker/settings/test_profiles.py",
        )
        for what, file, old in (
            (
                "a header",
                "broker/settings/checks.py",
                'if client.sender_constrained == "mtls" and server.client_certificate_header is None:',
            ),
            (
                "proxies in front",
                "broker/settings/checks.py",
                "if server.client_certificate_header is not None and settings.trusted_proxies == 0:",
            ),
            ("named proxies", "broker/settings/server.py", "if (named is not None) != bool(proxies):"),
            (
                "a header of their own",
                "broker/settings/server.py",
                "if named is not None and named.lower() in _HEADERS_OF_OTHERS:",
            ),
        )
    ),
)
