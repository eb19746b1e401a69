"""The only wiring: settings in, a Flask application out. Nothing happens at import time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException

from broker import oidc, relying_party
from broker.audit import AuditTrail, Refusal
from broker.chooser import api
from broker.chooser.catalogue import Catalogue
from broker.chooser.live_notices import LiveNotices, readers_of
from broker.chooser.notices import Notices
from broker.flow import routes as flow_routes
from broker.flow import start
from broker.flow.browser import BrowserCookies
from broker.flow.limits import Limits
from broker.flow.service import Flow, send
from broker.keys import KeyRing
from broker.log_fields import FIELDS
from broker.oidc import OpenIDProvider
from broker.oidc.refused import RefusedRequests
from broker.operations import health
from broker.operations.metrics import Metrics
from broker.pages.rendering import Pages
from broker.reference import new_reference
from broker.settings import Settings
from broker.store import Durability, RedisStore, StoreUnavailable, connect
from kit import logs
from kit.keys.roca import has_roca_fingerprint
from kit.keys.watch import ages
from kit.pages import assets
from kit.pages.look import ACCESSIBILITY_PATH
from kit.pages.rendering import SECURITY_HEADERS
from kit.serving.addresses import use_client_address
from kit.serving.host import refuse_unusable_host
from providers.engine.adapter import OidcAdapter
from providers.engine.http import BankHttp, places
from providers.model import Adapter, Keys, Observer

log = logging.getLogger("tunnus.app")


@dataclass(frozen=True)
class Parts:
    """What a process holds; `app.extensions["tunnus"]`. operations: the application of the second port."""

    settings: Settings
    keys: KeyRing
    store: RedisStore
    audit: AuditTrail
    metrics: Metrics
    flow: Flow
    live_notices: LiveNotices
    operations: Flask


def create_app(
    settings: Settings,
    *,
    clock: Callable[[], float] = time.time,
    client_address: Callable[[Request], str | None] = lambda request: request.remote_addr,
) -> Flask:
    """The broker as a WSGI application. clock: seconds since the epoch.

    client_address: of the browser that sent a request, None if it cannot be told.

    Raises ConfigurationError or KeysUnusable if the settings or the keys cannot be used. No bank and no
    store is asked for anything here: neither can stop the broker from starting.
    """
    keys = KeyRing.of(settings.keys, clock)
    metrics = Metrics()
    metrics.watch_keys(lambda: ages(keys.status(), settings.keys.rotate_every, clock()))
    durability = Durability(settings.store.durable_replicas, settings.store.durable_timeout)
    store = RedisStore(connect(settings.store), keys, metrics.store_round_trip, durability)
    audit = AuditTrail(settings.audit.dir, clock)
    adapters = create_adapters(settings, keys, metrics.observer, clock)
    for name, adapter in adapters.items():
        metrics.watch(name, usable=partial(getattr, adapter, "usable"), calls=partial(getattr, adapter, "calls"))
    live = LiveNotices(readers_of(settings), metrics.observer, clock)
    metrics.watch_notices(live.connections, live.age)
    notices = Notices(settings.notices.file, settings.connections, settings.languages.codes)
    catalogue = Catalogue(settings, adapters, notices, live)
    pages = Pages(settings, catalogue)

    def handed_over(client_id: str, **fields: str | int | None) -> None:
        audit.record("handed_over", client=client_id, **fields)

    op = OpenIDProvider(settings, keys, store, clock, handed_over, metrics.client_keys_fetched)
    flow = Flow(
        settings=settings,
        store=store,
        op=op,
        pages=pages,
        catalogue=catalogue,
        adapters=adapters,
        audit=audit,
        cookies=BrowserCookies(secure=settings.secure),
        metrics=metrics,
        limits=Limits(settings.limits, store, keys.keyed_digest),
        client_address=client_address,
        clock=clock,
    )
    app = Flask(__name__, static_folder=None, template_folder=None)
    refuse_unusable_host(app)
    app.url_map.merge_slashes = False  # else `/choose//x` redirects to whatever the Host header names
    use_client_address(app, settings.trusted_proxies)

    def request_refused(client: str | None, error: str) -> None:
        metrics.request_refused(client=client, error=error)
        flow.audit_refusal(Refusal("bad_request" if error == "page" else error, "authorization_request", None, client))

    refused = RefusedRequests(store, clock, request_refused)
    app.register_blueprint(
        oidc.create_blueprint(
            op,
            lambda authorization: start.begin(flow, authorization),
            lambda response: send(flow, response, settings.languages.of(request)),
            pages.bad_request,
            refused,
        )
    )
    app.register_blueprint(flow_routes.create_blueprint(flow))
    app.register_blueprint(relying_party.create_blueprint(settings, keys, clock))
    app.register_blueprint(assets.create_blueprint(pages.assets, pages.not_found))
    app.register_blueprint(api.create_blueprint(catalogue, settings.issuer, settings.languages))
    _answer_everything(app, pages, settings)
    logs.log_each_request(app, FIELDS, metrics.request)
    operations = health.create_app(
        settings,
        keys=keys,
        store=store,
        audit=audit,
        metrics=metrics,
        live_notices=live,
        fetched=op.fetched,
        clock=clock,
    )
    app.extensions["tunnus"] = Parts(settings, keys, store, audit, metrics, flow, live, operations)
    return app


def create_adapters(
    settings: Settings, keys: Keys, observer: Observer, clock: Callable[[], float]
) -> dict[str, Adapter]:
    """One adapter for each connection of the config, each with HTTP, breaker and keys of its own."""
    adapters: dict[str, Adapter] = {}
    most = places(settings.server.threads, len(settings.connections))
    for name in settings.connections:
        connection = settings.connection_of(name)
        http = BankHttp(connection, most, observer)
        served = settings.providers_of(name)
        adapters[name] = OidcAdapter(connection, served, keys, http, observer, clock, has_roca_fingerprint)
    return adapters


def _answer_everything(app: Flask, pages: Pages, settings: Settings) -> None:
    """No request goes without a page of ours, in a language, with the security headers."""

    def locale() -> str:
        return settings.languages.of(request)

    @app.get("/")
    def show_home() -> Response:
        return pages.home(locale(), status=200)

    @app.get(ACCESSIBILITY_PATH)
    def show_accessibility() -> Response:
        return pages.accessibility() or pages.not_found(locale())

    @app.errorhandler(StoreUnavailable)
    def without_store(error: StoreUnavailable) -> Response:
        logs.add(code="unavailable", step="store", reason=error.reason)
        response = pages.fault(locale(), status=503, again=request.method in ("GET", "HEAD"))
        response.headers["Retry-After"] = "10"
        return response

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        if error.code == 404:
            return pages.not_found(locale())
        if request.path in oidc.CALLED_BY_CLIENTS:
            return oidc.answer_http_error(error)
        reference = new_reference()
        logs.add(txn=reference, outcome="refused")
        response = pages.bad_request(reference)
        response.status_code = error.code or 400
        if error.code == 405 and (allowed := getattr(error, "valid_methods", None)):
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        # The traceback's values may hold anything, so only the kind and place of the error are logged.
        logs.add(code="fault", reason=type(error).__name__)
        log.error("fault", extra={"reason": type(error).__name__, "place": logs.raised_at(error)})
        return pages.fault(locale())

    @app.after_request
    def harden(response: Response) -> Response:
        for name in ("X-Content-Type-Options", "Referrer-Policy"):
            response.headers.setdefault(name, SECURITY_HEADERS[name])
        return response
