"""
Mail over SMTP.
"""

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

from orchd.flow.helpers import defaults_from_attrs
from orchd.flow.task import Task
from orchd.tasks.secrets import Secret

_TIME_LIMIT_S: Final = 60.0
_ARGUMENTS: Final = (
    "subject msg email_to email_from smtp_server smtp_port smtp_type msg_plain email_to_cc email_to_bcc attachments"
).split()


class EmailTask(Task):
    """
    Sends a mail. The secrets ``EMAIL_USERNAME`` and ``EMAIL_PASSWORD`` say who logs in, unless nobody does.
    """

    def __init__(
        self,
        subject: str | None = None,
        msg: str | None = None,
        email_to: str | None = None,
        email_from: str = "orchd@localhost",
        smtp_server: str = "smtp.gmail.com",
        smtp_port: int = 465,
        smtp_type: str = "SSL",
        msg_plain: str | None = None,
        email_to_cc: str | None = None,
        email_to_bcc: str | None = None,
        attachments: Sequence[str] | None = None,
        **task_args: Any,
    ) -> None:
        """
        Args:
            subject: of the mail; like the rest, it may also be given in the flow.

            msg: its text as HTML.

            email_to: addresses, with commas between them.

            email_from: address of the sender.

            smtp_server: name of the host that takes the mail.

            smtp_port: its port.

            smtp_type: ``SSL``, ``STARTTLS``, or ``INSECURE``: no encryption, and nobody logs in.

            msg_plain: its text without HTML; with *msg* it is for those who cannot show that.

            email_to_cc: who else gets it.

            email_to_bcc: who else gets it without the others seeing that.

            attachments: names of files that go with it.
        """
        self.subject = subject
        self.msg = msg
        self.email_to = email_to
        self.email_from = email_from
        self.smtp_server = smtp_server
        self.smtp_port = smtp_port
        self.smtp_type = smtp_type
        self.msg_plain = msg_plain
        self.email_to_cc = email_to_cc
        self.email_to_bcc = email_to_bcc
        self.attachments = list(attachments or ())
        super().__init__(**task_args)

    @defaults_from_attrs(*_ARGUMENTS)
    def run(
        self,
        subject: str | None = None,
        msg: str | None = None,
        email_to: str | None = None,
        email_from: str | None = None,
        smtp_server: str | None = None,
        smtp_port: int | None = None,
        smtp_type: str | None = None,
        msg_plain: str | None = None,
        email_to_cc: str | None = None,
        email_to_bcc: str | None = None,
        attachments: Sequence[str] | None = None,
    ) -> None:
        """
        Send it.

        Raises:
            ValueError: there is no text, or *smtp_type* is none of the three.

            OSError: the server did not take it (``smtplib.SMTPException`` is one), or a file cannot be read.
        """
        if not (msg or msg_plain):
            raise ValueError("You must specify either msg or msg_plain.")

        letter = EmailMessage()
        letter["Subject"] = subject or ""
        letter["From"] = email_from or ""
        for field, addresses in (("To", email_to), ("Cc", email_to_cc), ("Bcc", email_to_bcc)):
            if addresses:
                letter[field] = addresses

        letter.set_content(msg_plain or msg, subtype="plain" if msg_plain else "html")
        if msg and msg_plain:
            letter.add_alternative(msg, subtype="html")

        for name in attachments or ():
            path = Path(name)
            letter.add_attachment(path.read_bytes(), maintype="application", subtype="octet-stream", filename=path.name)

        send(letter, host=smtp_server or "", port=smtp_port or 0, smtp_type=smtp_type or "")


def send(letter: EmailMessage, *, host: str, port: int, smtp_type: str) -> None:
    """
    Hand *letter* to the server at *host*; its ``Bcc`` is not shown to anybody.

    Args:
        smtp_type: ``SSL``, ``STARTTLS`` or ``INSECURE``.

    Raises:
        ValueError: *smtp_type* is none of the three.

        OSError: the server did not take it.
    """
    match smtp_type:
        case "SSL":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, context=ssl.create_default_context(), timeout=_TIME_LIMIT_S
            )
        case "STARTTLS" | "INSECURE":
            server = smtplib.SMTP(host, port, timeout=_TIME_LIMIT_S)
        case _:
            raise ValueError(f"{smtp_type} is an unsupported value for smtp_type.")

    with server:
        if smtp_type == "STARTTLS":
            server.starttls(context=ssl.create_default_context())

        if smtp_type != "INSECURE":
            server.login(str(Secret("EMAIL_USERNAME").get()), str(Secret("EMAIL_PASSWORD").get()))

        server.send_message(letter)
