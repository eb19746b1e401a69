"""The defences of registration and of the verifier, and how each is removed: data."""

from __future__ import annotations

from tests.removals.of_broker import Mutation

REGISTERING = "tests/registration/flow/test_registering.py"
TRIP = "tests/registration/flow/test_identification.py"
DEFENCES = "tests/registration/flow/test_defences.py"
RIGHTS = "tests/registration/rights/test_rights.py"
RIGHTS_PAGES = "tests/registration/rights/test_rights_pages.py"
SIGN_IN = "tests/registration/accounts/test_sign_in_rules.py"
CLIENTS = "tests/registration/api/test_client_authentication.py"
IMPORT = "tests/registration/customer_register/test_import.py"
VERIFIER = "tests/verifier"
SETTINGS = "tests/registration/settings/test_settings.py"


def removal(what: str, file: str, old: str, new: str, rows: str, tests: str) -> Mutation:
    """One removal in registration/, or in kit/."""
    return Mutation(what, file if file.startswith("kit/") else f"registration/{file}", old, new, rows, tests)


REGISTRATION = (
    Mutation(
        "registration wants one usable host",
        "registration/app.py",
        "    refuse_unusable_host(app)\n",
        "",
        "wants_one_host",
        tests="tests/registration/test_hosts.py",
    ),
    removal(
        "a form needs its token",
        "app.py",
        "            protection.protect()\n",
        "            pass\n",
        "token",
        DEFENCES,
    ),
    removal(
        "sending needs its token", "flow/send.py", "if not ConfirmForm().validate()", "if False", "token", DEFENCES
    ),
    removal(
        "the form's own token",
        "flow/form.py",
        "if form.csrf_token.errors:",
        "if False:",
        "without_its_token",
        DEFENCES,
    ),
    removal(
        "no framing", "kit/pages/rendering.py", '    "X-Frame-Options": "DENY",\n', "", "security_headers", DEFENCES
    ),
    removal(
        "a strict policy",
        "kit/pages/rendering.py",
        "frame-ancestors 'none'; form-action {form_action}",
        "",
        "security_headers",
        DEFENCES,
    ),
    removal(
        "cookies are HttpOnly",
        "app.py",
        "SESSION_COOKIE_HTTPONLY=True",
        "SESSION_COOKIE_HTTPONLY=False",
        "cookies",
        DEFENCES,
    ),
    removal(
        "cookies are SameSite",
        "app.py",
        'SESSION_COOKIE_SAMESITE="Lax"',
        "SESSION_COOKIE_SAMESITE=None",
        "cookies",
        DEFENCES,
    ),
    removal(
        "a new session has a new token",
        "accounts/sessions.py",
        "    token = new_token()\n    cookie[",
        "    token = old or new_token()\n    cookie[",
        "beforehand",
        DEFENCES,
    ),
    removal(
        "signing out ends the session here too",
        "accounts/sessions.py",
        "            transaction.execute(delete(Session).where(Session.id == digest(token)))\n    cookie.pop",
        "            pass\n    cookie.pop",
        "signing_out",
        DEFENCES,
    ),
    removal(
        "a new password ends all sessions",
        "accounts/account.py",
        "        sessions.end_all(transaction, account)\n        person",
        "        person",
        "new_password",
        DEFENCES,
    ),
    removal(
        "a new password needs a fresh identification",
        "accounts/account.py",
        "or not _is_fresh(session, service.now)",
        "",
        "yesterday",
        DEFENCES,
    ),
    removal(
        "one's own sessions only",
        "accounts/account.py",
        "Session.key == key, sessions.of_account(account)",
        "Session.key == key",
        "somebody_else",
        DEFENCES,
    ),
    removal(
        "a state belongs to its browser",
        "flow/callback.py",
        "if token is None or digest(token) != browser:",
        "if False:",
        "browser or cookie",
        TRIP,
    ),
    removal(
        "the issuer is compared",
        "flow/callback.py",
        'if _once("iss") != service.broker.issuer:',
        "if False:",
        "issuer",
        TRIP,
    ),
    removal(
        "an answer is claimed once", "flow/attempts.py", ", Attempt.claimed_at.is_(None))", ")", "eight_copies", TRIP
    ),
    removal(
        "an outcome is for a minute",
        "flow/attempts.py",
        'if outcome and outcome["until"] <= now:',
        "if False:",
        "after_a_minute",
        TRIP,
    ),
    removal(
        "an attempt is for an hour",
        "flow/attempts.py",
        "if row is None or row.expires_at <= now:",
        "if row is None:",
        "hour",
        TRIP,
    ),
    removal(
        "the nonce is compared",
        "flow/broker_client.py",
        "verify(token, nonce=request.nonce)",
        "verify(token)",
        "nonce",
        TRIP,
    ),
    removal(
        "the assurance is enough",
        "flow/broker_client.py",
        "        accepted_acr=broker.accepted_acr,\n",
        "",
        "assurance",
        TRIP,
    ),
    removal("a purpose is one of ours", "flow/start.py", "purpose not in attempts.PURPOSES or ", "", "no_sense", TRIP),
    removal(
        "adults only", "flow/callback.py", "if not is_old_enough(", "if False and is_old_enough(", "minor", REGISTERING
    ),
    removal(
        "the register is asked at the form",
        "flow/form.py",
        "refused = check_company(service, person.sub, form)",
        "refused = None",
        "same_bytes",
        REGISTERING,
    ),
    removal(
        "the register is asked at sending",
        "flow/send.py",
        'if checked.refused == "not_together":',
        "if False:",
        "meanwhile",
        REGISTERING,
    ),
    removal(
        "the name belongs to the numbers",
        "customer_register/port.py",
        "if fits and expected else",
        "if expected else",
        "same_bytes",
        REGISTERING,
    ),
    removal(
        "five wrong tries",
        "flow/checks.py",
        "if limits.take(service.database, person, rules.tries_per_person, limits.DAY, now):",
        "if False:",
        "five_wrong",
        REGISTERING,
    ),
    removal(
        "wrong tries of a number",
        "flow/checks.py",
        "if limits.is_reached(service.database, number, rules.tries_per_customer_number, now):",
        "if False:",
        "many_people",
        REGISTERING,
    ),
    removal(
        "what was not checked is not sent",
        "flow/send.py",
        'bool(draft.get("checked")) and ',
        "",
        "passed_the_form",
        REGISTERING,
    ),
    removal(
        "the password is not the user name",
        "accounts/passwords.py",
        "        return IS_USER_NAME\n",
        "        return None\n",
        "user_name_cannot",
        REGISTERING,
    ),
    removal(
        "common passwords are refused",
        "accounts/passwords.py",
        'return COMMON if guessed["score"] < LEAST_SCORE else None',
        "return None",
        "Password1",
        REGISTERING,
    ),
    removal(
        "users are seen by those who may", "rights/lookup.py", "if not right.may_see_users:", "if False:", "see", RIGHTS
    ),
    removal(
        "a user of the company only",
        "rights/changes.py",
        "    if other is None or other.administrator:",
        "    if other.administrator:",
        "no_power",
        RIGHTS,
    ),
    removal(
        "who removes is administrator",
        "rights/changes.py",
        "    if not own.administrator and account_id != actor.id:",
        "    if False:",
        "remove",
        RIGHTS,
    ),
    removal(
        "the last administrator stays",
        "rights/changes.py",
        "    if is_last_administrator(tx, other):\n        raise LastAdministrator\n    erase",
        "    erase",
        "last",
        RIGHTS,
    ),
    removal(
        "no level above one's own",
        "rights/changes.py",
        "            raise AboveOwnLevel(section)\n",
        "            pass\n",
        "above or level",
        RIGHTS,
    ),
    removal(
        "tries of a user name from an address",
        "accounts/sign_in.py",
        "counts.pair, PER_PAIR,",
        "counts.pair, 10**6,",
        "pair or address",
        SIGN_IN,
    ),
    removal(
        "an unknown user name is hashed too",
        "accounts/passwords.py",
        "hashed or self._nobody",
        "hashed or ''",
        "unknown or nobody",
        SIGN_IN,
    ),
    removal(
        "aud of an assertion",
        "kit/client_authentication/assertion.py",
        '        raise ClientRefused("aud must be exactly one value: our issuer, or this endpoint")\n',
        "        pass\n",
        "aud",
        CLIENTS,
    ),
    removal(
        "exp of an assertion",
        "kit/client_authentication/assertion.py",
        '        raise ClientRefused("exp is past")\n',
        "        pass\n",
        "exp or past or old",
        CLIENTS,
    ),
    removal(
        "ten minutes of an assertion",
        "kit/client_authentication/assertion.py",
        '        raise ClientRefused("exp must be within 10 minutes")\n',
        "        pass\n",
        "exp or minutes or long",
        CLIENTS,
    ),
    removal(
        "iss of an assertion",
        "kit/client_authentication/assertion.py",
        '        raise ClientRefused("iss must be the client_id")\n',
        "        pass\n",
        "iss",
        CLIENTS,
    ),
    removal(
        "nothing critical in an assertion",
        "kit/client_authentication/assertion.py",
        '        raise ClientRefused("the header has an extension")\n',
        "        pass\n",
        "crit or extension",
        CLIENTS,
    ),
    Mutation("verifier issuer", "verifier/tunnus_verifier/claims.py", "    _issuer,\n", "", "iss_", VERIFIER),
    Mutation("verifier audience", "verifier/tunnus_verifier/claims.py", "    _audience,\n", "", "aud_", VERIFIER),
    Mutation(
        "verifier authorized_party",
        "verifier/tunnus_verifier/claims.py",
        "    _authorized_party,\n",
        "",
        "azp or party or authorized",
        VERIFIER,
    ),
    Mutation(
        "verifier times", "verifier/tunnus_verifier/claims.py", "    _times,\n", "", "expired or iat or past", VERIFIER
    ),
    Mutation("verifier age", "verifier/tunnus_verifier/claims.py", "    _age,\n", "", "max_age or long", VERIFIER),
    Mutation(
        "verifier assurance",
        "verifier/tunnus_verifier/claims.py",
        "    _assurance,\n",
        "",
        "acr or assurance or weak",
        VERIFIER,
    ),
    Mutation("verifier nonce", "verifier/tunnus_verifier/claims.py", "    _nonce,\n", "", "nonce", VERIFIER),
    Mutation(
        "verifier types",
        "verifier/tunnus_verifier/claims.py",
        "    _types,\n",
        "",
        "type or text or boolean or string",
        VERIFIER,
    ),
    removal(
        "starts are counted by address",
        "flow/start.py",
        "limits.take(service.database, counted, most, STARTS_WINDOW, service.now) is not None",
        "False",
        "begun_from_an_address",
        DEFENCES,
    ),
    removal(
        "production knows its proxies",
        "settings/checks.py",
        "if settings.server.trusted_proxies == 0:",
        "if False:",
        "trusted_proxies",
        SETTINGS,
    ),
    removal(
        "production's pages are not on this machine",
        "settings/checks.py",
        'if is_loopback(urlsplit(url).hostname or ""):',
        "if False:",
        "this",
        SETTINGS,
    ),
    removal(
        "production has no placeholders",
        "settings/checks.py",
        """if any(f".{host.rstrip('.').lower()}".endswith(f".{name}") for name in PLACEHOLDERS):""",
        "if False:",
        "placeholder",
        SETTINGS,
    ),
)
"""Forms, cookies, sessions, the trip to the broker, the register, rights, sign-in, the API; and the verifier."""
