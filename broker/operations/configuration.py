"""The configuration with every file it names: what `tunnus check`, `doctor` and `serve` refuse, in one report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from broker.chooser.catalogue import Catalogue
from broker.chooser.marks import load_logos
from broker.chooser.notices import Notices
from broker.keys import purposes_of
from broker.pages.rendering import FOLDER, Pages
from broker.settings import Settings
from broker.settings.settings import read_broker_settings
from broker.settings.store import StoreSettings
from kit.keys.folder import read_folder
from kit.pages.look import look_readers
from kit.serving.operations import Check
from kit.settings.loading import load_whole
from kit.settings.report import ConfigurationError, Problem, dotted
from providers.dialects import DIALECTS


def load_everything(path: Path) -> tuple[Settings, Pages]:
    """The settings and the pages made with them, every file read. Raises ConfigurationError with every problem."""
    settings, problems = read_broker_settings(path)

    def read_notices() -> Notices:
        return Notices(settings.notices.file, settings.connections, settings.languages.codes)

    def read_logos() -> object:
        return load_logos(settings.brand.logo_dir, settings.providers.keys() | settings.connections.keys())

    def read_token() -> None:
        if settings.keys.pkcs11:
            refuse_unfit_token(path, settings)

    readers = (read_notices, read_logos, read_token, *look_readers(FOLDER, settings.brand, settings.texts))
    load_whole(path, settings, problems, *readers)
    return settings, Pages(settings, Catalogue(settings, {}, read_notices()))


def refuse_unfit_token(path: Path, settings: Settings) -> None:
    """Raise ConfigurationError if a bank must encrypt in a way that a token's rp-enc key cannot decrypt.

    The token is not asked: what its key can do was noted when it was made.
    """
    purposes = purposes_of(settings.keys)
    if not settings.keys.dir.is_dir() or not any(
        key.alg_only for key in read_folder(settings.keys.dir, purposes).of("rp-enc")
    ):
        return
    wrong = "encrypts in another way than RSA-OAEP, which is all that the rp-enc key in the token can decrypt"
    mend = "take rp-enc out of keys.pkcs11.purposes, and: tunnus keys rotate rp-enc"
    unfit = [
        Problem(("connections", name, "dialect"), wrong, connection.dialect, mend=mend)
        for name, connection in settings.connections.items()
        if "RSA-OAEP" not in DIALECTS[connection.dialect].jwe_algorithms
    ]
    if unfit:
        raise ConfigurationError(path, unfit)


def loosened(settings: Settings) -> Iterator[str]:
    """What the settings of single clients loosen, a line for each that does, for who reads `tunnus check`."""
    for name, client in settings.clients.items():
        spared = [key for key in ("pkce", "nonce", "state") if getattr(client, key) == "optional"]
        if spared:
            yield f"clients.{name}: {', '.join(spared)} may be absent from its requests; what it sends is enforced"
        if not client.iss_in_errors:
            yield f"clients.{name}: iss is left out of error responses, so it cannot tell who answered with an error"


def what_a_failover_risks(store: StoreSettings) -> Iterator[str]:
    """What `durable_replicas` risks as it is set, where the store can fail over; for who reads `tunnus check`."""
    number = store.durable_replicas
    if number:
        yield (
            f"store.durable_replicas = {number}: nothing is given before so many replicas confirm that it was used, "
            "and with fewer nobody can identify; of more, one that did not confirm may be promoted (see tunnus doctor)"
        )
    elif store.sentinel is not None or store.cluster:
        yield (
            "store.durable_replicas = 0: a failover can forget that a bank's answer or a client assertion was used; "
            "codes of before it are refused, so none works twice"
        )


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
