"""A real SMTP server in a thread, that keeps what it takes and refuses what it is told to; and what is sent to it."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ipaddress
import ssl
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from threading import Thread
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from registration.cases import open_case
from registration.customer_register import Customer
from registration.database.connection import Database
from registration.database.models import Account, Base, OutboxEntry
from registration.keys import Keys, load_keys
from registration.mail.outbox import notify
from registration.mail.sending import Mailer
from registration.settings import Settings
from tests.harness.registration_keys import make_keys

NOW = 1_800_000_000
OK = "250 taken"


class MailServer:
    """Listens on 127.0.0.1. answers: by recipient, what the next e-mails get instead of being taken.

    at: called with the recipient when an e-mail has been taken, before the sender is told. tls: for STARTTLS, then
    required. implicit: for TLS from the start. login: user and password, then required.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
        implicit: ssl.SSLContext | None = None,
    ) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.senders: list[str | None] = []
        self.connections = 0
        self.encrypted: list[bool] = []
        self.answers: dict[str, list[str]] = defaultdict(list)
        self.at: Callable[[str], None] = lambda _recipient: None
        self._login = login
        self._options: dict[str, Any] = {"hostname": "mail.test", "tls_context": tls, "require_starttls": bool(tls)}
        if login:
            self._options |= {"authenticator": self._check, "auth_required": True}
        self._loop = asyncio.new_event_loop()
        listening = self._loop.create_server(self._protocol, "127.0.0.1", 0, ssl=implicit)
        self._server = self._loop.run_until_complete(listening)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = Thread(target=self._loop.run_forever)

    def __enter__(self) -> MailServer:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, to: str, _options: Any) -> str:
        """aiosmtpd's hook."""
        answers = self.answers[to]
        if answers and answers[0].startswith("RCPT "):
            return answers.pop(0).removeprefix("RCPT ")
        envelope.rcpt_tos.append(to)
        return OK

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        """aiosmtpd's hook."""
        to = envelope.rcpt_tos[0]
        if self.answers[to]:
            return self.answers[to].pop(0)
        message = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        self.recipients += envelope.rcpt_tos
        self.senders.append(envelope.mail_from)
        self.encrypted.append(session.ssl is not None)
        self.at(to)
        return OK

    def _protocol(self) -> SMTP:
        self.connections += 1
        return SMTP(self, loop=self._loop, **self._options)

    def _check(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        right = (data.login.decode(), data.password.decode()) == self._login
        return AuthResult(success=right, handled=False)

    async def _end(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Texts:
    """Stands in for pages.Pages."""

    def render(self, template: str, locale: str, **values: str) -> str:
        """The template's name, the language and every value."""
        return f"{template} {locale}\n" + "".join(f"{name}: {value}\n" for name, value in sorted(values.items()))


def configuration(folder: Path, port: int, database_url: str, **mail: Any) -> dict[str, Any]:
    """What stands in the file of a registration whose mail server listens on that port; makes its keys and terms."""
    keys, terms = folder / "keys", folder / "terms"
    make_keys(keys, 0)
    terms.mkdir(exist_ok=True)
    server = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "noreply@power.example", "timeout": 5}
    return {
        "environment": "test",
        "url": "https://register.example:8443",
        "database": {"url": database_url},
        "keys": {"dir": str(keys)},
        "brand": {
            "name": {"fi": "Testi-Sähkö", "sv": "Testi-El", "en": "Test Power"},
            "customer_service": {"phone": "010 000", "email": "help@power.example"},
        },
        "links": {"private_customers": "https://private.example", "online_service": "https://online.example"},
        "broker": {"issuer": "https://id.example", "accepted_acr": ["http://ftn.ficora.fi/2017/loatest2"]},
        "terms": {"dir": str(terms), "version": "1"},
        "mail": server | mail,
    }


def account_of(name: str, locale: str = "sv", email: str | None = None) -> Account:
    """An account, not stored yet, its address confirmed."""
    return Account(
        id=f"{name:0>32}",
        sub=name,
        user_name=name,
        user_name_key=name,
        password_hash="x",
        given_name=name.title(),
        family_name="Öberg",
        email=f"{name}@people.example" if email is None else email,
        email_confirmed_at=NOW,
        locale=locale,
        terms_version="1",
        terms_accepted_at=NOW,
        created_at=NOW,
        password_changed_at=NOW,
    )


class Post:
    """A database with its tables, people in it, and a mailer whose clock is moved by hand."""

    def __init__(self, folder: Path, port: int, database_url: str, **mail: Any) -> None:
        self.now = NOW
        self.configuration = configuration(folder, port, database_url, **mail)
        self.settings = Settings.model_validate(self.configuration, context={"base": folder})
        self.keys: Keys = load_keys(self.settings.keys.dir)
        self.database = Database(database_url)
        Base.metadata.create_all(self.database.engine)
        self.mailer = self.another()

    def another(self, **more: Any) -> Mailer:
        """A sender of its own."""
        parts: dict[str, Any] = {"pages": Texts(), "clock": lambda: self.now, "chance": lambda: 0.0} | more
        return Mailer(self.settings, self.database, self.keys, **parts)

    def person(self, name: str, locale: str = "sv", email: str | None = None) -> Account:
        """An account, its address confirmed."""
        account = account_of(name, locale, email)
        with self.database.write() as session:
            session.add(account)
        return account

    def notify(self, account: Account, kind: str = "rights_changed", **words: str) -> None:
        """Put an e-mail into the outbox."""
        with self.database.write() as session:
            notify(session, account, kind, self.now, **words)

    def case(self, account: Account) -> str:
        """A case that an activation code decides; its id."""
        customer = Customer("1001", "1234567-1", "Åkes Ab", email="info@company.example")
        with self.database.write() as session:
            return open_case(session, account, "founding", customer, self.now, way="email").id

    def waiting(self) -> list[OutboxEntry]:
        """What is not sent yet."""
        with self.database.read() as session:
            return [entry for entry in session.query(OutboxEntry).order_by(OutboxEntry.address) if not entry.sent_at]

    def entries(self) -> list[OutboxEntry]:
        """What stands in the outbox, sent or not."""
        with self.database.read() as session:
            return list(session.query(OutboxEntry).order_by(OutboxEntry.address))


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate signed by itself, for a name or an address: its file, and what a server uses it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    try:
        names: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        names = x509.DNSName(name)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret = folder / f"{name}.key"
    secret.write_bytes(key.private_bytes(*form))
    file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return file, context
