"""The pages a person sees at a mock bank: plain HTML, no script, plainly not a bank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from flask import Response, render_template, request

from kit.pages.languages import Languages
from mock_idp.faults import FAULTS
from mock_idp.pages.texts import LANGUAGES, TEXTS
from mock_idp.people.faces import Face, in_order
from mock_idp.people.personas import personas_of
from mock_idp.protocol.refusal import Refused
from mock_idp.state import Interaction

# Browsers hold every redirect that follows a form against form-action, and the way back leads through
# addresses that only the relying party knows: so any http or https address, and nothing else.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action http: https:"
)

EXAMPLE_BIRTHDATE = "1985-06-15"


def secure(response: Response) -> Response:
    """Put the headers of every page on a response."""
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response


def home(issuers: Sequence[str], *, control: bool) -> Response:
    """What this is, for whoever opens the base address."""
    return Response(_render("home.html", "en", issuers=issuers, control=control))


def choose_face(interaction: Interaction, action: str) -> Response:
    """The list of faces, where the contract cannot select one."""
    return _page("faces.html", interaction, action, faces=in_order(_language(interaction)))


def choose_persona(
    interaction: Interaction, face: Face, action: str, now: float, *, problem: str | None = None
) -> Response:
    """The persons of the face, the other outcomes, and the faults of the dialect."""
    dialect = interaction.request.issuer.dialect
    own, others = personas_of(face.id, now)
    faults = [fault for fault in FAULTS.values() if dialect.name in fault.dialects]
    response = _page(
        "person.html",
        interaction,
        action,
        own=own,
        others=others,
        faults=faults,
        cancel_words=dialect.cancelled,
        problem=problem,
        birthdate=_typed_birthdate(),
        chosen_fault=request.values.get("fault", ""),
    )
    response.status_code = 400 if problem else 200
    return response


def wait_for_phone(interaction: Interaction, action: str, seconds_left: int) -> Response:
    """The waiting page of the mobile certificate; it reloads itself every five seconds."""
    response = _page("waiting.html", interaction, action, seconds_left=seconds_left)
    response.headers["Refresh"] = "5"
    return response


def gone() -> Response:
    """The trip is over or was never known: 410."""
    return _dead_end("gone", 410)


def not_found() -> Response:
    """There is no such page: 404."""
    return _dead_end("not_found", 404)


def _dead_end(what: str, status: int) -> Response:
    """In the browser's language, unless a link chose another: there is no trip to ask."""
    locale = _chosen_language() or request.accept_languages.best_match(list(LANGUAGES), "en") or "en"
    return Response(_render("dead_end.html", locale, languages=_language_links(), what=what), status)


def refused(refusal: Refused) -> Response:
    """A request that no bank answers by redirect: 400, and the rule that was broken. For developers, in English."""
    return Response(_render("refused.html", "en", refusal=refusal), 400)


def _page(template: str, interaction: Interaction, action: str, **values: object) -> Response:
    locale = _language(interaction)
    face_name = interaction.face.names[locale] if interaction.face else None
    html = _render(
        template,
        locale,
        languages=_language_links(),
        face_name=face_name,
        service_name=interaction.request.service_name,
        interaction=interaction,
        action=action,
        **values,
    )
    return Response(html)


def _render(template: str, locale: str, languages: object = None, **values: object) -> str:
    return render_template(template, t=TEXTS[locale], locale=locale, languages=languages, form_id=None, **values)


def _language_links() -> list[tuple[str, str, str]]:
    return Languages(LANGUAGES, "en").links(request.path)


def _language(interaction: Interaction) -> str:
    """The trip's language; one that is asked for now stays for the rest of it."""
    if chosen := _chosen_language():
        interaction.request = replace(interaction.request, ui_locale=chosen)
    return interaction.request.ui_locale


def _chosen_language() -> str | None:
    """The language that a link or button of a page asks for."""
    chosen = request.args.get("ui_locales")
    return chosen if chosen in LANGUAGES else None


def _typed_birthdate() -> str:
    """What stands in the field: what was typed, as far as it is a date; at first an example."""
    typed = request.values.get("birthdate", EXAMPLE_BIRTHDATE)
    try:
        return date.fromisoformat(typed).isoformat()
    except ValueError:
        return ""
