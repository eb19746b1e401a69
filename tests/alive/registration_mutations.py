"""The defences of registration and of the verifier, and how each is removed: data."""

from __future__ import annotations

from tests.alive.mutations import Mutation

ERRAND = "tests/registration/test_errand.py"
TRIP = "tests/registration/test_identification.py"
DEFENCES = "tests/registration/test_defences.py"
RIGHTS = "tests/registration/test_rights.py"
RIGHTS_PAGES = "tests/registration/test_rights_pages.py"
SIGN_IN = "tests/registration/test_sign_in_rules.py"
CLIENTS = "tests/registration/test_api_client_authentication.py"
IMPORT = "tests/registration/test_customers_import.py"
VERIFIER = "tests/verifier"
SETTINGS = "tests/registration/test_registration_settings.py"


def removal(what: str, file: str, old: str, new: str, rows: str, tests: str) -> Mutation:
    """One removal in registration/."""
    return Mutation(what, f"registration/{file}", old, new, rows, tests)


REGISTRATION = (
    removal(
        "a form needs its token",
        "app.py",
        "            protection.protect()\n",
        "            pass\n",
        "token",
        DEFENCES,
    ),
    removal(
        "sending needs its token", "errand/send.py", "if not ConfirmForm().validate()", "if False", "token", DEFENCES
    ),
    removal(
        "the form's own token",
        "errand/form.py",
        "if form.csrf_token.errors:",
        "if False:",
        "without_its_token",
        DEFENCES,
    ),
    removal("no framing", "pages.py", '    "X-Frame-Options": "DENY",\n', "", "security_headers", DEFENCES),
    removal(
        "a strict policy", "pages.py", "frame-ancestors 'none'; form-action 'self'", "", "security_headers", DEFENCES
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
        "sessions.py",
        "    token = new_token()\n    cookie[",
        "    token = old or new_token()\n    cookie[",
        "beforehand",
        DEFENCES,
    ),
    removal(
        "signing out ends the session here too",
        "sessions.py",
        "            transaction.execute(delete(Session).where(Session.id == digest(token)))\n    cookie.pop",
        "            pass\n    cookie.pop",
        "signing_out",
        DEFENCES,
    ),
    removal(
        "a new password ends all sessions",
        "account.py",
        "        sessions.end_all(transaction, account)\n        person",
        "        person",
        "new_password",
        DEFENCES,
    ),
    removal(
        "a new password needs a fresh identification",
        "account.py",
        "or not _is_fresh(session, service.now)",
        "",
        "yesterday",
        DEFENCES,
    ),
    removal(
        "one's own sessions only",
        "account.py",
        "Session.key == key, sessions.of_account(account)",
        "Session.key == key",
        "somebody_else",
        DEFENCES,
    ),
    removal(
        "a state belongs to its browser",
        "errand/callback.py",
        "if token is None or digest(token) != browser:",
        "if False:",
        "browser or cookie",
        TRIP,
    ),
    removal(
        "the issuer is compared",
        "errand/callback.py",
        'if _once("iss") != service.broker.issuer:',
        "if False:",
        "issuer",
        TRIP,
    ),
    removal("an answer is claimed once", "attempts.py", ", Attempt.claimed_at.is_(None))", ")", "eight_copies", TRIP),
    removal(
        "an outcome is for a minute",
        "attempts.py",
        'if outcome and outcome["until"] <= now:',
        "if False:",
        "after_a_minute",
        TRIP,
    ),
    removal(
        "an attempt is for an hour",
        "attempts.py",
        "if row is None or row.expires_at <= now:",
        "if row is None:",
        "hour",
        TRIP,
    ),
    removal("the nonce is compared", "oidc.py", "verify(token, nonce=request.nonce)", "verify(token)", "nonce", TRIP),
    removal("the assurance is enough", "oidc.py", "        accepted_acr=broker.accepted_acr,\n", "", "assurance", TRIP),
    removal(
        "a purpose is one of ours", "errand/start.py", "purpose not in attempts.PURPOSES or ", "", "no_sense", TRIP
    ),
    removal(
        "adults only", "errand/callback.py", "if not is_old_enough(", "if False and is_old_enough(", "minor", ERRAND
    ),
    removal(
        "the register is asked at the form",
        "errand/form.py",
        "refused = check_company(service, person.sub, form)",
        "refused = None",
        "same_bytes",
        ERRAND,
    ),
    removal(
        "the register is asked at sending",
        "errand/send.py",
        'if checked.refused == "not_together":',
        "if False:",
        "meanwhile",
        ERRAND,
    ),
    removal(
        "the name belongs to the numbers",
        "customer_register/port.py",
        "if fits and expected else",
        "if expected else",
        "same_bytes",
        ERRAND,
    ),
    removal(
        "five wrong tries",
        "errand/checks.py",
        "if limits.take(service.database, person, rules.tries_per_person, limits.DAY, now):",
        "if False:",
        "five_wrong",
        ERRAND,
    ),
    removal(
        "wrong tries of a number",
        "errand/checks.py",
        "if limits.is_reached(service.database, number, rules.tries_per_customer_number, now):",
        "if False:",
        "many_people",
        ERRAND,
    ),
    removal(
        "what was not checked is not sent",
        "errand/send.py",
        'bool(draft.get("checked")) and ',
        "",
        "passed_the_form",
        ERRAND,
    ),
    removal(
        "the password is not the user name",
        "passwords.py",
        "        return IS_USER_NAME\n",
        "        return None\n",
        "user_name_cannot",
        ERRAND,
    ),
    removal(
        "common passwords are refused",
        "passwords.py",
        'return COMMON if guessed["score"] < LEAST_SCORE else None',
        "return None",
        "Password1",
        ERRAND,
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
        "sign_in.py",
        "counts.pair, PER_PAIR,",
        "counts.pair, 10**6,",
        "pair or address",
        SIGN_IN,
    ),
    removal(
        "an unknown user name is hashed too",
        "passwords.py",
        "hashed or self._nobody",
        "hashed or ''",
        "unknown or nobody",
        SIGN_IN,
    ),
    removal(
        "aud of an assertion",
        "api/client_assertion.py",
        '        raise ClientRefused("aud must be exactly one value, our address or the endpoint\'s")\n',
        "        pass\n",
        "aud",
        CLIENTS,
    ),
    removal(
        "exp of an assertion",
        "api/client_assertion.py",
        '        raise ClientRefused("exp is past")\n',
        "        pass\n",
        "exp or past or old",
        CLIENTS,
    ),
    removal(
        "ten minutes of an assertion",
        "api/client_assertion.py",
        '        raise ClientRefused("exp must be within 10 minutes")\n',
        "        pass\n",
        "exp or minutes or long",
        CLIENTS,
    ),
    removal(
        "iss of an assertion",
        "api/client_assertion.py",
        '        raise ClientRefused("iss must be the client\'s id")\n',
        "        pass\n",
        "iss",
        CLIENTS,
    ),
    removal(
        "nothing critical in an assertion",
        "api/client_assertion.py",
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
        "errand/start.py",
        "limits.take(service.database, counted, most, STARTS_WINDOW, service.now) is not None",
        "False",
        "begun_from_an_address",
        DEFENCES,
    ),
    removal(
        "production knows its proxies",
        "settings_checks.py",
        "if settings.server.trusted_proxies == 0:",
        "if False:",
        "trusted_proxies",
        SETTINGS,
    ),
    removal(
        "production's pages are not on this machine",
        "settings_checks.py",
        'if is_loopback(urlsplit(url).hostname or ""):',
        "if False:",
        "this",
        SETTINGS,
    ),
    removal(
        "production has no placeholders",
        "settings_checks.py",
        """if any(f".{host.rstrip('.').lower()}".endswith(f".{name}") for name in PLACEHOLDERS):""",
        "if False:",
        "placeholder",
        SETTINGS,
    ),
)
"""Forms, cookies, sessions, the trip to the broker, the register, rights, sign-in, the API; and the verifier."""
