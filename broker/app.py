"""The only wiring: settings in, a Flask application out. Nothing happens at import time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException

from broker import oidc, relying_party
from broker.adapters import create_adapters, places_of
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
from broker.oidc.client_files import WatchedClientFiles
from broker.oidc.fapi.certificates import use_client_certificate
from broker.oidc.refused import RefusedRequests
from broker.operations import health
from broker.operations.developer import add_developer_pages
from broker.operations.metrics import Metrics
from broker.operations.status import status_of
from broker.pages.rendering import Pages
from broker.reference import new_reference
from broker.settings import Settings
from broker.settings.models import LimitSettings
from broker.store import Durability, RedisStore, StoreUnavailable, connect
from broker.tracing import tracing_of
from kit import logs
from kit.audit.collector import Collector
from kit.keys.watch import ages
from kit.pages import assets
from kit.pages.look import ACCESSIBILITY_PATH
from kit.serving.addresses import use_client_address
from kit.serving.host import refuse_unusable_host
from kit.serving.plain import ON_EVERY_ANSWER, PlainFlask, PlainResponse

if TYPE_CHECKING:
    from broker.tracing.spans import Tracing

log = logging.getLogger("tunnus.app")


@dataclass(frozen=True)
class Parts:
    """What a process holds; `app.extensions["tunnus"]`. operations: the application of the second port.

    tracing: None unless logins are traced.
    """

    settings: Settings
    keys: KeyRing
    store: RedisStore
    audit: AuditTrail
    heads: Collector
    metrics: Metrics
    flow: Flow
    live_notices: LiveNotices
    client_files: WatchedClientFiles
    operations: Flask
    tracing: Tracing | None


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
    metrics = Metrics(LimitSettings.model_fields, clock)
    metrics.watch_keys(lambda: ages(keys.status(), settings.keys.rotate_every, clock()))
    durability = Durability(settings.store.durable_replicas, settings.store.durable_timeout)
    store = RedisStore(connect(settings.store), keys, metrics.store_round_trip, durability, metrics.store_failure)
    heads = Collector.of(settings.audit.collector, keys, clock, "tunnus")
    heads.show(metrics.registry)
    audit = AuditTrail(settings.audit.dir, clock, head=heads.offer)
    metrics.watch_audit(lambda: audit.refusals_waiting)
    tracing = tracing_of(settings)
    adapters = create_adapters(settings, keys, metrics.observer, clock, tracing.call if tracing else None)
    for name, adapter in adapters.items():
        metrics.watch(name, adapter, settings.providers_of(name), places_of(settings))
    live = LiveNotices(readers_of(settings), metrics.observer, clock)
    metrics.watch_notices(live.connections, live.age)
    notices = Notices(settings.notices.file, settings.connections, settings.languages.codes)
    catalogue = Catalogue(settings, adapters, notices, live)
    pages = Pages(settings, catalogue)

    def handed_over(client_id: str, **fields: str | int | None) -> None:
        audit.record("handed_over", client=client_id, **fields)

    op = OpenIDProvider(settings, keys, store, clock, handed_over, metrics.client_keys_fetched)
    limits = Limits(settings.limits, store, keys.keyed_digest)
    for name, most in limits.in_all.items():
        metrics.watch_limit(name, partial(limits.used, name, clock), most)
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
        limits=limits,
        client_address=client_address,
        clock=clock,
    )
    app = PlainFlask(__name__, static_folder=None, template_folder=None)
    refuse_unusable_host(app)
    app.url_map.merge_slashes = False  # else `/choose//x` redirects to whatever the Host header names
    use_client_address(app, settings.trusted_proxies)
    server = settings.server
    use_client_certificate(app, server.client_certificate_header, server.client_certificate_proxies)

    def request_refused(client: str | None, error: str) -> None:
        metrics.request_refused(client=client, error=error)
        flow.audit_refusal(Refusal("bad_request" if error == "page" else error, "authorization_request", None, client))

    refused = RefusedRequests(store, clock, request_refused)
    app.register_blueprint(
        oidc.create_blueprint(
            op,
            lambda authorization: start.begin(flow, authorization),
            lambda response: send(flow, response),
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
    if tracing is not None:
        tracing.trace_requests(app)
    client_files = WatchedClientFiles(settings, op.registered)
    operations = health.create_app(
        settings,
        keys=keys,
        store=store,
        audit=audit,
        heads=heads,
        metrics=metrics,
        status=lambda: status_of(
            keys, metrics, audit, catalogue, adapters, places_of(settings), settings.keys.rotate_every
        ),
        live_notices=live,
        registered=op.registered,
        client_files=client_files,
        clock=clock,
    )
    if settings.developer_uri is not None:
        add_developer_pages(operations, settings, op, audit)
    parts = Parts(settings, keys, store, audit, heads, metrics, flow, live, client_files, operations, tracing)
    app.extensions["tunnus"] = parts
    return app


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
        if not isinstance(response, PlainResponse):  # whoever makes one puts them into it
            for name, value in ON_EVERY_ANSWER.items():
                response.headers.setdefault(name, value)
        return response
