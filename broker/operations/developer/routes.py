"""The pages of `/developer`, to nobody who comes through a proxy or by another name than the setting's."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, redirect, render_template, request
from jinja2 import ChoiceLoader, FileSystemLoader
from werkzeug.sansio.utils import get_host

from broker.audit import AuditTrail, AuditUnavailable
from broker.oidc import OpenIDProvider
from broker.oidc.clients import Client
from broker.oidc.refused import LIFETIME, RefusedRequest, kept_requests
from broker.operations.developer.claims import Expected, tell
from broker.operations.developer.tries import Try, begin, derived, finish
from broker.settings import Settings
from broker.settings.models import ClientSettings
from broker.settings.server import DEVELOPER_PATH
from broker.store import StoreUnavailable
from kit.keys.checks import moment
from kit.pages.rendering import SECURITY_HEADERS
from kit.status.page import HEADERS, through_a_proxy
from providers.model import KeyFailure

COOKIE = "tunnus_developer"
COOKIE_LIFETIME = 1800
"""Seconds."""
_AWAY = "The store, the audit trail or a key is away: /status says which."
_OF_ERRORS = {"access_denied": "The person went back, or the bank said no."}


def add_developer_pages(app: Flask, settings: Settings, op: OpenIDProvider, audit: AuditTrail) -> None:
    """Add the pages to the application of the second port, whose status page has given it the shared look."""
    ours = FileSystemLoader(Path(__file__).parent / "templates")
    app.jinja_env.loader = ChoiceLoader([ours, *filter(None, [app.jinja_env.loader])])
    shown = _Shown(settings, op, audit)
    pages = Blueprint("developer", __name__, url_prefix=DEVELOPER_PATH)
    pages.before_request(shown.refuse_strangers)
    pages.get("")(shown.clients)
    pages.get("/clients/<name>")(shown.client)
    pages.post("/clients/<name>")(shown.begun)
    pages.get("/answer")(shown.answer)
    for failure in (StoreUnavailable, AuditUnavailable, KeyFailure):
        pages.register_error_handler(failure, lambda _: shown.problem(503, "That cannot be done now", _AWAY))
    app.register_blueprint(pages)


@dataclass(frozen=True)
class _Shown:
    """Each page; nothing of a request is kept in it."""

    settings: Settings
    op: OpenIDProvider
    audit: AuditTrail

    def refuse_strangers(self) -> Response | None:
        """What comes by another name, or through a proxy."""
        origin = self.settings.server.developer_page or ""
        # By another name, a page of somebody else's could have its own lead here (DNS rebinding), and read the answer.
        if request.host != get_host(*urlsplit(origin)[:2]):
            return Response(f"Open it at {origin}{DEVELOPER_PATH}\n", 403, mimetype="text/plain")
        return through_a_proxy()

    def clients(self) -> Response:
        """`/developer`."""
        counts = {name: len(self._refused(name)) for name in sorted(self.op.sections)}
        return self._page("developer.html", sections=self.op.sections, counts=counts, refused=self._refused(None))

    def client(self, name: str) -> Response:
        """`/developer/clients/<name>`."""
        client = self.op.clients.get(name)
        if client is None:
            return self.problem(404, "There is no such client", "It is not in the configuration of this broker.")
        secret = request.cookies.get(COOKIE) or secrets.token_urlsafe(32)
        response = self._page(
            "developer_client.html",
            name=name,
            section=self.op.sections[name],
            facts=_facts(self.op.sections[name]),
            scopes=_scopes(client),
            token=derived(secret, "form"),
            refused=self._refused(name),
        )
        response.set_cookie(
            COOKIE,
            secret,
            max_age=COOKIE_LIFETIME,
            path=DEVELOPER_PATH,
            secure=str(self.settings.server.developer_page).startswith("https:"),
            httponly=True,
            samesite="Lax",  # it must come along when the broker sends the browser back
        )
        return response

    def begun(self, name: str) -> Any:
        """A POST of its form: to the broker's public port, with a request that is kept."""
        client, secret = self.op.clients.get(name), request.cookies.get(COOKIE, "")
        scope = request.form.get("scope", "")
        sent = request.form.get("token", "").encode()
        if not secret or not hmac.compare_digest(sent, derived(secret, "form").encode()):
            return self.problem(403, "Nothing was begun", "The form was not of this browser's page: load it again.")
        if client is None or scope not in _scopes(client):
            return self.problem(400, "Nothing was begun", "Client and scope must be ones of the configuration.")
        return redirect(begin(self.op, client, scope, Try.new(secret)), 303)

    def answer(self) -> Response:
        """`/developer/answer`: where the broker sends the browser back."""
        tried = Try.of(request.cookies.get(COOKIE, ""), request.args.get("state", ""))
        if tried is None:
            return self.problem(400, "This answer is of no login begun here", "Its state is not of this browser.")
        if error := request.args.get("error"):
            said = request.args.get("error_description", "")[:300] or _OF_ERRORS.get(error, "")
            return self.problem(400, f"The client would get the error {error[:60]}", said)
        login = finish(self.op, self.audit, request.args.get("code", ""), tried)
        if login is None:
            said = "It was used, as by a reload, or is too old, or of another login: begin again."
            return self.problem(400, "The code cannot be used", said)
        op = self.op
        expected = Expected(op.issuer, login.client, tried.nonce, login.access_token, op.accepted, op.now)
        told = tell(login.token, op.keys.public_set("id-token-sig"), expected)
        return self._page("developer_token.html", client=login.client.client_id, told=told)

    def problem(self, status: int, title: str, said: str) -> Response:
        """A page that says what cannot be done."""
        return self._page("developer_problem.html", status, title=title, said=said)

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:
        brand = self.settings.brand.name.en
        html = render_template(template, languages=None, form_id=None, brand=brand, moment=moment, **values)
        # Its form leads to the chooser: Chromium looks at each redirect (Content Security Policy Level 3 §6.4.2).
        leads = f"form-action 'self' {self.op.issuer}"
        policy = HEADERS["Content-Security-Policy"].replace("form-action 'none'", leads)
        return Response(html, status, headers={**SECURITY_HEADERS, "Content-Security-Policy": policy})

    def _refused(self, client: str | None) -> list[RefusedRequest]:
        """Within the hour, newest first. client: None for those that name none of ours."""
        found = kept_requests(self.op.store, [client] if client else (), self.op.now - LIFETIME)
        return [one for one in reversed(found) if one.client == client]


def _scopes(client: Client) -> list[str]:
    """What a login may ask for, the usual first."""
    further = [name for name in ("profile", "personal_identity_code") if name in client.scopes]
    wanted = [" ".join(["openid", *further[:number]]) for number in range(len(further) + 1)]
    return sorted(wanted, key=lambda scope: (scope != "openid profile", scope))


def _facts(section: ClientSettings) -> Sequence[tuple[str, str]]:
    """What stands in the configuration of a client, no secret or its hash."""
    keys = section.jwks_uri or ", ".join(str(key["kid"]) for key in section.jwks or ())
    needs = [name for name in ("pkce", "nonce", "state") if getattr(section, name) == "required"]
    return (
        ("redirect_uris", " ".join(section.redirect_uris)),
        ("auth_method", section.auth_method),
        ("jwks_uri" if section.jwks_uri else "jwks", keys),
        ("scopes", " ".join(section.scopes)),
        ("its requests must bring", ", ".join(needs)),
        ("id_token_alg", section.id_token_alg),
        ("profile", section.profile),
        ("sector", section.sector),
    )
