"""What the routes of the flow work with, and how a problem becomes an address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from flask import Request, Response
from werkzeug.urls import iri_to_uri

from broker.audit import AuditTrail, AuditUnavailable, Refusal
from broker.chooser.catalogue import Catalogue
from broker.flow.browser import BrowserCookies
from broker.flow.limits import Limits
from broker.flow.records import Problem, ProblemWithoutTransaction, Progress, Transaction
from broker.oidc import OpenIDProvider
from broker.oidc.responses import form_of
from broker.operations.metrics import Metrics
from broker.pages.rendering import Pages
from broker.reference import reference_of
from broker.settings import Settings
from broker.store import Store
from kit import logs
from kit.pages.languages import COOKIE, PARAMETER
from kit.serving.plain import ON_EVERY_ANSWER, PlainResponse
from providers.errors import IdentificationError
from providers.model import Adapter


@dataclass(frozen=True, slots=True)
class Answer:
    """Where to send the browser; and if a transaction of it got on by the request, which one and how far."""

    url: str
    transaction: str | None = field(default=None, repr=False)
    progress: Progress | None = None


@dataclass(frozen=True)
class Flow:
    """The parts that the person's way runs through; nothing in it belongs to one request.

    client_address: of the browser that sent a request, None if it cannot be told. clock: seconds since the epoch.
    """

    settings: Settings
    store: Store
    op: OpenIDProvider
    pages: Pages
    catalogue: Catalogue
    adapters: Mapping[str, Adapter]
    audit: AuditTrail
    cookies: BrowserCookies
    metrics: Metrics
    limits: Limits
    client_address: Callable[[Request], str | None]
    clock: Callable[[], float]

    @property
    def now(self) -> int:
        """Whole seconds since the epoch."""
        return int(self.clock())

    def problem_of(
        self, transaction: Transaction, error: IdentificationError, row: str | None, *, claimed: bool = False
    ) -> Transaction:
        """The transaction with its problem noted; tells the request's story line and the metrics.

        claimed: an attempt was, so that the refusal gets an audit record of its own.
        """
        client = transaction.request.client_id
        self.log_refusal(error, claimed=claimed, txn=transaction.txn, client=client, provider=row)
        return replace(transaction, problem=Problem(code=error.code, row=row, at=self.now))

    def problem_without_transaction(
        self,
        error: IdentificationError,
        locale: str,
        *,
        transaction: str,
        client: str | None,
        row: str | None = None,
    ) -> str:
        """Keep a problem that the transaction it is about cannot hold; return the address of its page.

        One record for each kind of problem, however often an address is asked for.
        """
        reference = reference_of(transaction, error.code, row)
        problem = ProblemWithoutTransaction(reference, Problem(error.code, row, self.now), locale, transaction)
        self.store.put(problem.entry())
        self.log_refusal(error, txn=problem.reference, client=client, provider=row)
        return f"/problem/{problem.reference}"

    def log_refusal(self, error: IdentificationError, *, claimed: bool = False, **fields: str | None) -> None:
        """Put code, step and reason into the request's story line, and count it, in the audit trail unless claimed."""
        logs.add(code=error.code, step=str(error.step), reason=error.reason, claim=error.claim, **fields)
        row = fields.get("provider")
        choice = self.catalogue.find(row) if row else None
        connection = choice.connection_id if choice else None
        self.metrics.refused(code=error.code, step=str(error.step), provider=row, connection=connection)
        if not claimed:
            self.audit_refusal(Refusal(error.code, str(error.step), error.reason, fields.get("client")))

    def audit_refusal(self, refusal: Refusal) -> None:
        """Count a refusal before a claim in the audit trail; nothing is handed over, so no answer hangs on it."""
        try:
            self.audit.count_refusal(refusal)
        except AuditUnavailable:
            logs.add(audit="unavailable")


def page_url(transaction: Transaction) -> str:
    """The address that shows how a transaction stands: its problem's page, or the chooser."""
    problem = transaction.problem
    at_chooser = problem is None or problem.code == "cancelled"
    return f"/choose/{transaction.id}" if at_chooser else f"/problem/{transaction.id}"


def language_of(flow: Flow, request: Request, kept: str) -> str:
    """The language of a page whose transaction is known: what the person chose, else what the client asked for."""
    languages = flow.settings.languages
    asked = request.args.get(PARAMETER) or request.cookies.get(COOKIE)
    return languages.first(asked) or languages.of(request, kept)


def send(flow: Flow, url: str, locale: str | None = None) -> Response:
    """Send the browser to an address of ours or a bank's, or on to a client with an authorization response.

    locale: of the page, where it has to be one; None: as the request says.
    """
    form = form_of(url)
    return flow.pages.form_post(*form, locale) if form else see_other(url)


def see_other(url: str) -> Response:
    """303: the browser goes there with a GET, whatever brought it here. Nothing of it is kept."""
    location = url if url.isascii() else iri_to_uri(url)
    return PlainResponse(status="303 SEE OTHER", headers={"Location": location, **_WITH_EACH_REDIRECT})


_WITH_EACH_REDIRECT = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    **ON_EVERY_ANSWER,
}
