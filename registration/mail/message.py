"""An e-mail of ours as a message: its headers, and its text in the person's language."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlsplit

from email_validator import validate_email

from registration.database.models import Account, OutboxEntry
from registration.keys import Keys
from registration.mail.links import link_token
from registration.mail.outbox import CALLER_CHECK, CONFIRMATION, NEW_ADDRESS
from registration.pages.rendering import Pages
from registration.settings import Settings

PLACES = {CONFIRMATION: "/confirm", NEW_ADDRESS: "/confirm", CALLER_CHECK: "/caller/link"}
"""Where the link of an e-mail leads, by its kind."""


def write_message(
    settings: Settings, keys: Keys, pages: Pages, entry: OutboxEntry, account: Account, now: int, code: str = ""
) -> EmailMessage:
    """The message of an outbox entry, written anew at each try: its link is valid from now.

    now: seconds since the epoch. code: of an activation. Raises TemplateError, and ValueError or MessageError for
    an address that no e-mail can have.
    """
    brand = settings.brand
    locale = settings.languages.first(entry.locale) or settings.languages.default
    words = {name: one_line(word) for name, word in entry.words.items()}
    words |= {"name": one_line(account.name), "url": settings.url}
    if code:
        words["code"] = code
    if entry.kind in PLACES:
        words["link"] = f"{settings.url}{PLACES[entry.kind]}/{link_token(keys, entry.id, now)}"
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(one_line(brand.name.get(locale)), addr_spec=settings.mail.sender)
    message["To"] = _recipient(entry.address)
    message["Subject"] = one_line(pages.render(f"mail/{entry.kind}.subject.txt", locale, **words))
    message["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    message["Message-ID"] = f"<{entry.id}@{host_of(settings.url)}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: nobody's absence is told to us
    # Quoted-printable passes every mail server, also one that takes seven bits only.
    text = pages.render(f"mail/{entry.kind}.txt", locale, **words).strip() + "\n"
    message.set_content(text, cte="quoted-printable")
    message["Content-Language"] = locale  # last: set_content removes what describes a content
    return message


def _recipient(address: str) -> Address:
    try:
        return Address(addr_spec=ascii_address(address))
    except IndexError as error:  # email's own parser, at an empty text
        raise ValueError("no address of an e-mail") from error


def ascii_address(address: str) -> str:
    """An address whose domain is written in ASCII (RFC 5891): not every mail server takes other letters."""
    if address.isascii():
        return address
    return validate_email(address, check_deliverability=False).ascii_email or address


def one_line(text: str) -> str:
    """A text without line breaks and control characters: it can begin no header, and no paragraph of its own."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def host_of(url: str) -> str:
    """The host of an address as e-mail writes it: a name, or an address in brackets (RFC 5321 §4.1.3)."""
    host = urlsplit(url).hostname or "localhost"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"
