"""
State handlers and tasks that tell others.
"""

import functools
import json
import urllib.request
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Any, Final

from orchd.engine.faults import said
from orchd.engine.handlers import callback_factory as callback_factory
from orchd.engine.state import State
from orchd.flow.helpers import defaults_from_attrs
from orchd.flow.task import Task
from orchd.tasks.mail import EmailTask as EmailTask
from orchd.tasks.mail import send
from orchd.tasks.secrets import Secret

_TIME_LIMIT_S: Final = 30.0
#: Host and port that take mail for Gmail.
GMAIL: Final = ("smtp.gmail.com", 465)


def slack_notifier(
    subject: Any = None,
    old: State | None = None,
    new: State | None = None,
    *,
    ignore_states: Sequence[type[State]] = (),
    only_states: Sequence[type[State]] = (),
    webhook_secret: str | None = None,
    backend_info: bool = True,
    proxies: dict[str, str] | None = None,
) -> Any:
    """
    Tell Slack of each new state. Called without states, it returns the handler.

    Args:
        ignore_states: states that nobody is told of.

        only_states: the only ones that somebody is told of.

        webhook_secret: name of the secret with the address; None for ``SLACK_WEBHOOK_URL``.

    Raises:
        ValueError: Slack did not take it.
    """
    if old is None or new is None:
        handler: Callable[..., Any] = functools.partial(
            slack_notifier,
            ignore_states=ignore_states,
            only_states=only_states,
            webhook_secret=webhook_secret,
            backend_info=backend_info,
            proxies=proxies,
        )
        return handler

    if _is_passed_over(new, ignore_states, only_states):
        return new

    address = str(Secret(webhook_secret or "SLACK_WEBHOOK_URL").get())
    try:
        _post(address, slack_message(subject, new), proxies=proxies)
    except OSError as exc:
        raise ValueError(f"Slack notification for {subject} failed") from exc

    return new


def gmail_notifier(
    subject: Any = None,
    old: State | None = None,
    new: State | None = None,
    *,
    ignore_states: Sequence[type[State]] = (),
    only_states: Sequence[type[State]] = (),
) -> Any:
    """
    Mail each new state over Gmail to its own account, that of the secrets ``EMAIL_USERNAME`` and ``EMAIL_PASSWORD``.

    Called without states, it returns the handler.

    Args:
        ignore_states: states that nobody is told of.

        only_states: the only ones that somebody is told of.

    Raises:
        ValueError: Gmail did not take it.
    """
    if old is None or new is None:
        handler: Callable[..., Any] = functools.partial(
            gmail_notifier, ignore_states=ignore_states, only_states=only_states
        )
        return handler

    if _is_passed_over(new, ignore_states, only_states):
        return new

    letter = EmailMessage()
    letter["Subject"] = f"orchd: {subject.name} is now in a {type(new).__name__} state"
    letter["From"] = "orchd@localhost"
    letter["To"] = str(Secret("EMAIL_USERNAME").get())
    letter.set_content(_text(new) or letter["Subject"])
    try:
        send(letter, host=GMAIL[0], port=GMAIL[1], smtp_type="SSL")
    except OSError as exc:
        raise ValueError(f"Email notification for {subject} failed") from exc

    return new


class SlackTask(Task):
    """
    Sends a message to Slack.
    """

    def __init__(
        self,
        message: str | dict[str, Any] | None = None,
        webhook_secret: str = "SLACK_WEBHOOK_URL",
        **task_args: Any,
    ) -> None:
        """
        Args:
            message: text, or what Slack is to be sent; it may also be given in the flow.

            webhook_secret: name of the secret with the address.
        """
        self.message = message
        self.webhook_secret = webhook_secret
        super().__init__(**task_args)

    @defaults_from_attrs("message", "webhook_secret")
    def run(
        self,
        message: str | dict[str, Any] | None = None,
        webhook_secret: str | None = None,
        webhook_url: str | None = None,
    ) -> None:
        """
        Send it.

        Args:
            webhook_url: the address itself; then no secret is asked for.

        Raises:
            OSError: Slack did not take it.
        """
        address = webhook_url or str(Secret(str(webhook_secret)).get())
        _post(address, message if isinstance(message, dict) else {"text": message})


def _is_passed_over(state: State, ignored: Sequence[type[State]], only: Sequence[type[State]]) -> bool:
    return isinstance(state, tuple(ignored)) or bool(only and not isinstance(state, tuple(only)))


def _post(address: str, message: dict[str, Any], *, proxies: dict[str, str] | None = None) -> None:
    request = urllib.request.Request(
        address, data=json.dumps(message).encode(), headers={"Content-Type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    opener.open(request, timeout=_TIME_LIMIT_S).close()


def _text(state: State) -> str | None:
    return f"```{said(state.result)}```" if isinstance(state.result, Exception) else state.message


def slack_message(subject: Any, state: State) -> dict[str, Any]:
    """
    Return what Slack is sent.
    """
    text = _text(state)
    fields = [{"title": "Message", "value": text, "short": False}] if text else []
    return {
        "attachments": [
            {
                "fallback": "State change notification",
                "color": state.color,
                "author_name": "orchd",
                "fields": fields,
                "title": type(state).__name__,
                "text": f"{subject.name} is now in a {type(state).__name__} state",
                "footer": "orchd notification",
            }
        ]
    }
