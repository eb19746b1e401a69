"""The stand-in online service: what a developer copies to let a company's representatives in.

It signs people in by user name and password, which registration checks for it, or by identification, as a client of
the broker in the same sector as registration, so that both know a person by the same `sub`. Before each page it asks
registration what the person may see; a section they may not see is neither linked to nor shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from flask import Flask, Response, abort, flash, render_template, request, session, url_for
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from demo.online_service import data
from demo.online_service.api import Company, Refused, Unavailable
from demo.online_service.sign_ins import Visitor
from demo.online_service.state import OnlineService
from demo.online_service.texts import LANGUAGES, TEXTS
from demo.portal.relying_party import Failure, register_broker, see_other, send_away, take_answer
from kit.pages.languages import Languages
from kit.pages.rendering import SECURITY_HEADERS
from kit.pages.shared_look import use_shared_look

CLIENT_ID = "online-service"
SECTIONS = ("consumption", "contracts", "invoices")
"""Those shown here; the fourth, users, is on registration's own pages."""
HEADERS = {**SECURITY_HEADERS} | {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; img-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
}
"""No script runs here."""
LONGEST_USER_NAME, LONGEST_PASSWORD = 512, 1024
"""Characters; registration refuses longer ones as a request that it cannot read."""


def create_app(service: OnlineService) -> Flask:
    """The online service as a WSGI application."""
    app = Flask(__name__, static_folder=None)
    use_shared_look(app, Path(__file__).parent, lambda: problem(404, "not_found"))
    app.secret_key = service.session_key
    app.config.update(
        SESSION_COOKIE_NAME="online_session",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=service.places.url.startswith("https:"),
        MAX_CONTENT_LENGTH=16 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,  # it demands the Referer that our Referrer-Policy suppresses
    )
    CSRFProtect(app)
    app.jinja_env.filters.update(
        month=lambda day: format_date(day, "LLLL yyyy", locale=language()),
        day=lambda day: format_date(day, "d.M.yyyy" if language() != "en" else "d MMM yyyy", locale=language()),
        euros=lambda sum: format_currency(sum, "EUR", locale=language()),
        number=lambda number: format_decimal(number, locale=language()),
    )
    app.context_processor(lambda: _what_every_page_needs(service))

    @app.before_request
    def choose_language() -> None:
        if (chosen := request.values.get("ui_locales")) in LANGUAGES:
            session["language"] = chosen

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    @app.get("/livez")
    def livez() -> Response:
        return Response("ok\n", content_type="text/plain")

    _add_sign_in(app, service)
    _add_data(app, service)
    _add_problems(app)
    return app


def language() -> str:
    """The language chosen here, else the browser's."""
    return str(session.get("language") or request.accept_languages.best_match(LANGUAGES) or "fi")


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page in the person's language."""
    return Response(render_template(template, **values), status)


def problem(status: int, kind: str, text: str | None = None, **values: Any) -> Response:
    """A page that says what went wrong. kind, text: names of texts."""
    return page("online_problem.html", status, kind=kind, text=text, **values)


def _what_every_page_needs(service: OnlineService) -> dict[str, Any]:
    return {
        "texts": TEXTS[language()],
        "locale": language(),
        "languages": Languages(LANGUAGES, "fi").links(request.path),
        "form_id": None,
        "registration": service.places.registration,
        "visitor": service.visitor(),
        "sections": SECTIONS,
    }


def _add_sign_in(app: Flask, service: OnlineService) -> None:
    places = service.places
    broker = register_broker(app, places.issuer, places.back or places.issuer, service.keys, CLIENT_ID)

    def sign_in_page(status: int, error: str | None, user_name: str, **values: Any) -> Response:
        return page("online_sign_in.html", status, error=error, user_name=user_name, **values)

    @app.get("/")
    def index() -> Response:
        if urlsplit(request.host_url).hostname != urlsplit(places.url).hostname:
            # The cookie belongs to one host name, and so does the redirect URI. Scheme and port are the proxy's.
            return see_other(f"{places.url}/")
        visitor = service.visitor()
        if visitor is None:
            return page("online_sign_in.html", error=None, user_name="")
        rights = service.rights(visitor)
        if rights.terms_url is not None:
            return problem(403, "terms", "terms_text", link=rights.terms_url, link_text="read_terms")
        companies = [(service.key_of(company), company) for company in rights.companies]
        return page("online_home.html", companies=companies)

    @app.get("/sign-in")
    def show_sign_in() -> Response:
        return see_other("/")  # the language links of a page that answers the form lead here

    @app.post("/sign-in")
    def sign_in() -> Response:
        user_name, password = request.form.get("user_name", ""), request.form.get("password", "")
        if "ui_locales" in request.form:  # a language of the form was pressed, and nothing else is asked for
            return sign_in_page(200, None, user_name)
        if not user_name or not password:
            return sign_in_page(422, "fill_in", user_name)
        if len(user_name) > LONGEST_USER_NAME or len(password) > LONGEST_PASSWORD:
            return sign_in_page(422, "refused", "")
        found = service.api.sign_in(user_name, password, request.remote_addr or "127.0.0.1")
        if isinstance(found, Refused) and found.wait is not None:
            answer = sign_in_page(429, "wait", user_name, minutes=-(-found.wait // 60))
            answer.headers["Retry-After"] = str(found.wait)
            return answer
        if isinstance(found, Refused):
            return sign_in_page(422, "refused", user_name)
        if found.terms_url is not None:
            return problem(403, "terms", "terms_text", link=found.terms_url, link_text="read_terms")
        service.enter(Visitor(found.sub, f"{found.given_name} {found.family_name}"))
        return see_other(url_for("index"))

    @app.get("/identify")
    def identify() -> Response:
        return send_away(broker, f"{places.url}/callback", ui_locales=language())

    @app.get("/callback")
    def callback() -> Response:
        token = take_answer(broker, places.issuer)
        if isinstance(token, Failure):
            session["failure"] = {"status": token.status, "error": token.error}
            return see_other(url_for("show_failure"))
        claims = token["userinfo"]
        name = claims.get("name") or f"{claims.get('given_name', '')} {claims.get('family_name', '')}".strip()
        service.enter(Visitor(claims["sub"], name, token["id_token"], claims["exp"]))
        return see_other(url_for("index"))

    @app.get("/failed")
    def show_failure() -> Response:
        if "failure" not in session:
            return see_other(url_for("index"))
        status, error = session["failure"]["status"], session["failure"]["error"]
        if error == "access_denied":  # the broker's own pages have told them why
            return problem(status, "left", "left_text")
        return problem(status, "failed", "failed_text", error=error)

    @app.post("/sign-out")
    def sign_out() -> Response:
        service.leave()
        return see_other(url_for("index"))


def _add_data(app: Flask, service: OnlineService) -> None:
    @app.route("/companies/<key>/<section>", methods=["GET", "POST"])
    def show_section(key: str, section: str) -> Response:
        """A section of a company's data. A POST would change it: here nothing is changed."""
        if section not in SECTIONS:
            abort(404)
        visitor = service.visitor()
        if visitor is None:
            return see_other(url_for("index"))
        company = service.company(visitor, key)
        wanted = "write" if request.method == "POST" else "read"
        if company is None or not company.may(section, wanted):
            return problem(403, "forbidden", "forbidden_text")
        if request.method == "POST":
            flash("changed")
            return see_other(request.path)
        rows = _rows(service, company, section)
        return page("online_section.html", company=company, section=section, rows=rows)


def _rows(service: OnlineService, company: Company, section: str) -> list[Any]:
    if section == "contracts":
        return [*data.contracts(company.customer_numbers)]
    if section == "invoices":
        return [*data.invoices(company.customer_numbers, service.today)]
    return [*data.consumption(company.customer_numbers, service.today)]


def _add_problems(app: Flask) -> None:
    @app.errorhandler(Unavailable)
    def unavailable(_error: Unavailable) -> Response:
        answer = _unavailable(503)
        answer.headers["Retry-After"] = "10"
        return answer

    @app.errorhandler(CSRFError)
    def not_our_form(_error: CSRFError) -> Response:
        return problem(400, "bad_request", "expired_text")

    @app.errorhandler(HTTPException)
    def other(error: HTTPException) -> Response:
        status = error.code or 500
        if status >= 500:
            return _unavailable(status)
        return problem(status, "not_found" if status == 404 else "bad_request")


def _unavailable(status: int) -> Response:
    """A page with a button to the same address, or to the first page where the address takes only forms."""
    opened = request.url_rule is not None and "GET" in (request.url_rule.methods or ())
    again = request.path if opened else url_for("index")
    return problem(status, "unavailable", "unavailable_text", link=again, link_text="try_again")
