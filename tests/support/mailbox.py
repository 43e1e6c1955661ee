"""A real SMTP server on a free port of this machine, with the messages that it took."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller


class Mailbox:
    """Takes messages, or refuses those to some addresses."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refused: set[str] = set()

    async def handle_RCPT(self, *given: Any) -> str:  # noqa: N802 - the name that the server calls
        _server, _session, envelope, address, _options = given
        if address in self.refused:
            return "550 no such box"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, *given: Any) -> str:  # noqa: N802
        message = BytesParser(policy=default).parsebytes(given[2].content)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 taken"

    def taken(self) -> list[str]:
        """Return the recipients since the last call, in order of arrival, and forget them."""
        found, self.messages = [str(message["To"]) for message in self.messages], []
        return found


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_mail(port: int, box: Mailbox) -> Iterator[Mailbox]:
    """Run the server and stop it at the end."""
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
