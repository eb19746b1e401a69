"""The mail server we hand e-mail to (submission, RFC 6409), by the standard library's smtplib."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage

from registration.settings.models import MailSettings

_SERVICE_CLOSES = 421


class Unusable(Exception):
    """There is no connection, or it is of no more use. reason: a constant. status: the server's, if it gave one."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


class Refused(Exception):
    """The server does not take this e-mail; the connection goes on. for_good: 5xx (RFC 5321 §4.2.1)."""

    def __init__(self, status: int | None, *, for_good: bool) -> None:
        super().__init__(status)
        self.status, self.for_good = status, for_good


class Connection:
    """A connection that is made when the first e-mail is handed over, and left at the end.

    our_name: for EHLO. tls: how the server's certificate and name are checked. A server that offers no STARTTLS
    where it is configured gets nothing from us.
    """

    def __init__(self, settings: MailSettings, our_name: str, tls: Callable[[], ssl.SSLContext]) -> None:
        self._settings, self._our_name, self._tls = settings, our_name, tls
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._server is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._server.quit()
            self._server.close()

    def deliver(self, message: EmailMessage, recipient: str) -> None:
        """Hand a message over; returns when the server has taken it. Raises Unusable or Refused."""
        server = self._server = self._server or self._connected()
        try:
            server.send_message(message, self._settings.sender, [recipient])
        except smtplib.SMTPRecipientsRefused as error:
            raise _answer(next(iter(error.recipients.values()))[0]) from error
        except smtplib.SMTPDataError as error:
            raise _answer(error.smtp_code) from error
        except smtplib.SMTPNotSupportedError as error:  # an address in other letters than ASCII (RFC 6531)
            raise Refused(None, for_good=True) from error
        except smtplib.SMTPResponseException as error:
            raise Unusable("sender refused", error.smtp_code) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unusable("connection lost") from error

    def _connected(self) -> smtplib.SMTP:
        try:
            return self._open()
        except smtplib.SMTPNotSupportedError as error:
            raise Unusable("no STARTTLS, or no login") from error
        except smtplib.SMTPResponseException as error:
            raise Unusable("not let in", error.smtp_code) from error
        except ssl.SSLError as error:
            raise Unusable("TLS, or its certificate") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unusable("no connection") from error

    def _open(self) -> smtplib.SMTP:
        settings = self._settings
        where = (settings.host, settings.port, self._our_name)
        if settings.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=settings.timeout, context=self._tls())
        else:
            server = smtplib.SMTP(*where, timeout=settings.timeout)
        try:
            if settings.security == "starttls":
                server.starttls(context=self._tls())
            if settings.user is not None:
                server.login(settings.user, settings.password or "")
        except BaseException:
            server.close()
            raise
        return server


def _answer(status: int) -> Refused | Unusable:
    if status == _SERVICE_CLOSES:
        return Unusable("server closes", status)
    return Refused(status, for_good=status >= 500)
