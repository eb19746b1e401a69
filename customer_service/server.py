"""Customer service as a process: two ports, and an orderly end. One process: sessions stand in its memory."""

from __future__ import annotations

from pathlib import Path

from customer_service.app import create_app
from customer_service.configuration import load_everything
from customer_service.log_fields import FIELDS
from kit import logs
from kit.serving import process

LARGEST_REQUEST = 256 * 1024
"""Bytes. Above a form's limit (`app.LARGEST_FORM`), so that a form that is too large is answered by a page."""


def serve(settings_path: Path) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigurationError if it cannot."""
    settings = load_everything(settings_path)
    logs.configure_logging(settings.log.level, FIELDS)
    app = create_app(settings)
    public, operations = process.serve(
        app, app.extensions["operations"], app.extensions["metrics"], settings_path, settings, LARGEST_REQUEST
    )
    while not public.ending.wait(3600):
        pass
    process.drain(public, operations, settings.drain)
