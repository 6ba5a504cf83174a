"""
A mail server on the loopback interface.
"""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope


@dataclass
class Mailbox:
    """
    Where the server listens, and what it took.
    """

    port: int = 0
    #: To whom, and what; the whole envelope beside what everybody sees.
    letters: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    #: Names that logged in.
    logins: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        """
        Take a letter.
        """
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        self.letters.append((list(envelope.rcpt_tos), letter))  # type: ignore[arg-type]
        return "250 taken"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _kind: str, given: Any) -> AuthResult:
        """
        Let those in whose password is ``good``.
        """
        self.logins.append(given.login.decode())
        return AuthResult(success=given.password == b"good", handled=False)


@contextmanager
def mail_server(*, tls: ssl.SSLContext | None = None, start_tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """
    Run a server: with *tls* from the first byte, with *start_tls* after ``STARTTLS``, else without any.
    """
    box = Mailbox()
    loop = asyncio.new_event_loop()

    def protocol() -> SMTP:
        return SMTP(
            box,
            tls_context=start_tls,
            require_starttls=start_tls is not None,
            authenticator=box.authenticate,
            auth_require_tls=start_tls is not None,
            loop=loop,
        )

    server = loop.run_until_complete(loop.create_server(protocol, "127.0.0.1", 0, ssl=tls))
    box.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield box
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
