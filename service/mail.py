"""Plain text e-mails to staff through the configured mail server; the host is held to the allow-list (X10)."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from service.outbound import OutboundDeniedError
from service.settings import Settings


class MailError(Exception):
    """The e-mail was not taken; ``code`` says why, without an address."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def send_mail(settings: Settings, *, to: str, subject: str, body: str) -> None:
    """Send one e-mail; it is taken by the server when this returns.

    Parameters
    ----------
    settings : Settings
        Those of ``smtp_*``.
    to : str
        Address of a member of staff.
    subject, body : str
        Plain text.

    Raises
    ------
    MailError
        If no server is set, or it cannot be reached, or refuses.
    OutboundDeniedError
        If the server is not on the allow-list.
    """
    if settings.smtp_host is None:
        code = "no-mail-server"
        raise MailError(code)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.smtp_sender, to, subject
    message.set_content(body)
    try:
        with _server(settings) as server:
            server.send_message(message)
    except smtplib.SMTPAuthenticationError as error:
        code = "sign-in-refused"
        raise MailError(code) from error
    except smtplib.SMTPException as error:
        code = "refused"
        raise MailError(code) from error
    except (OSError, ValueError) as error:
        code = "unreachable"
        raise MailError(code) from error


@contextmanager
def _server(settings: Settings) -> Iterator[smtplib.SMTP]:
    host, port = settings.smtp_host or "", settings.smtp_port
    if f"{host}:{port}" not in settings.outbound_hosts:
        message = f"Outbound calls to {host}:{port} are not allowed; the allow-list holds the hosts of the settings."
        raise OutboundDeniedError(message)
    context = ssl.create_default_context()
    if settings.smtp_tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=settings.smtp_timeout_s, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=settings.smtp_timeout_s)
    with server:
        if settings.smtp_tls == "starttls":
            server.starttls(context=context)
        if settings.smtp_user and settings.smtp_password:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        yield server
