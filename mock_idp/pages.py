"""The pages a person sees at a mock bank: plain HTML, no script, plainly not a bank."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, render_template

from mock_idp.faces import FACES, Face
from mock_idp.faults import FAULTS
from mock_idp.personas import personas_of
from mock_idp.refusal import Refused
from mock_idp.state import Interaction
from mock_idp.texts import TEXTS

# Browsers hold every redirect that follows a form against form-action, and the way back leads through
# addresses that only the relying party knows: so any http or https address, and nothing else.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action http: https:"
)


def secure(response: Response) -> Response:
    """Put the headers of every page on a response."""
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response


def home(issuers: Sequence[str], *, control: bool) -> Response:
    """What this is, for whoever opens the base address."""
    words = TEXTS["en"]
    html = render_template("home.html", t=words, locale="en", face_name=None, issuers=issuers, control=control)
    return Response(html)


def choose_face(interaction: Interaction, action: str) -> Response:
    """The list of faces, where the contract cannot select one."""
    return _page("faces.html", interaction, action, faces=list(FACES.values()))


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
    )
    response.status_code = 400 if problem else 200
    return response


def wait_for_phone(interaction: Interaction, action: str, seconds_left: int) -> Response:
    """The waiting page of the mobile certificate; it reloads itself every five seconds."""
    response = _page("waiting.html", interaction, action, seconds_left=seconds_left)
    response.headers["Refresh"] = "5"
    return response


def gone(locale: str) -> Response:
    """The trip is over or was never known: 410."""
    words = TEXTS.get(locale, TEXTS["en"])
    return Response(render_template("gone.html", t=words, locale=locale, face_name=None), 410)


def refused(refusal: Refused) -> Response:
    """A request that no bank answers by redirect: 400, and the rule that was broken."""
    return Response(render_template("refused.html", t=TEXTS["en"], locale="en", face_name=None, refusal=refusal), 400)


def _page(template: str, interaction: Interaction, action: str, **values: object) -> Response:
    locale = interaction.request.ui_locale
    face_name = interaction.face.names[locale] if interaction.face else None
    html = render_template(
        template,
        t=TEXTS[locale],
        locale=locale,
        face_name=face_name,
        service_name=interaction.request.service_name,
        interaction=interaction,
        action=action,
        **values,
    )
    return Response(html)
