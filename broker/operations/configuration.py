"""The configuration with every file it names: what `tunnus check`, `doctor` and `serve` refuse, in one report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from broker.chooser.catalogue import Catalogue
from broker.chooser.marks import load_logos
from broker.chooser.notices import Notices
from broker.pages.rendering import FOLDER, Pages
from broker.settings import Settings
from broker.settings.settings import read_broker_settings
from kit.pages.look import look_readers
from kit.serving.operations import Check
from kit.settings.loading import load_whole
from kit.settings.report import ConfigurationError, dotted


def load_everything(path: Path) -> tuple[Settings, Pages]:
    """The settings and the pages made with them, every file read. Raises ConfigurationError with every problem."""
    settings, problems = read_broker_settings(path)

    def read_notices() -> Notices:
        return Notices(settings.notices.file, settings.connections, settings.languages.codes)

    def read_logos() -> object:
        return load_logos(settings.brand.logo_dir, settings.providers.keys() | settings.connections.keys())

    readers = (read_notices, read_logos, *look_readers(FOLDER, settings.brand, settings.texts))
    load_whole(path, settings, problems, *readers)
    return settings, Pages(settings, Catalogue(settings, {}, read_notices()))


def loosened(settings: Settings) -> Iterator[str]:
    """What the settings of single clients loosen, a line for each that does, for who reads `tunnus check`."""
    for name, client in settings.clients.items():
        spared = [key for key in ("pkce", "nonce", "state") if getattr(client, key) == "optional"]
        if spared:
            yield f"clients.{name}: {', '.join(spared)} may be absent from its requests; what it sends is enforced"
        if not client.iss_in_errors:
            yield f"clients.{name}: iss is left out of error responses, so it cannot tell who answered with an error"


def check_configuration(path: Path) -> Iterator[Check]:
    """Whether the configuration can be used, as a part of what `tunnus doctor` prints: each problem by itself."""
    try:
        settings, _ = load_everything(path)
    except ConfigurationError as error:
        for problem in error.problems:
            where = f"{problem.source or path}: {dotted(problem.key)}"
            yield Check("configuration", "failed", f"{where} {problem.wrong}", problem.mend)
    else:
        yield Check("configuration", "ok", f"{path}, environment {settings.environment}")
