"""What the forms of every service are made of: a form with its token, and two validators. Errors are msgids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.validators import StopValidation

MOST_TEXT = 254
"""Characters of a field."""


class Takes:
    """A validator: the field's text must be printable and taken by a function, whose result replaces it."""

    def __init__(self, message: str, take: Callable[[str], str] = str, least: int = 1, most: int = MOST_TEXT) -> None:
        self.message, self.take, self.least, self.most = message, take, least, most

    def __call__(self, form: Any, field: Field) -> None:
        text = field.data or ""
        if not text.isprintable() or not self.least <= len(text) <= self.most:
            raise StopValidation(self.message)
        try:
            field.data = self.take(text)
        except ValueError as error:
            raise StopValidation(self.message) from error


class Ticked:
    """A validator: the box must be ticked."""

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, form: Any, field: Field) -> None:
        if not field.data:
            raise StopValidation(self.message)


_AS_SENT: Any = object()


class Form(FlaskForm):  # type: ignore[misc]
    """A form with its CSRF token.

    formdata: what was sent as a form unless given. Flask-WTF would take files and JSON, too, which hold more than text.
    """

    def __init__(self, formdata: Any = _AS_SENT, **more: Any) -> None:
        if formdata is _AS_SENT:
            formdata = (request.form or None) if request and request.method == "POST" else None
        super().__init__(formdata=formdata, **more)

    def problems(self) -> list[tuple[str, str]]:
        """Field id and msgid of each error, in the order of the fields."""
        return [(field.id, field.errors[0]) for field in self if field.errors and field.name != "csrf_token"]
