"""
State handlers that tell others.
"""

import functools
import json
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

from orchd.engine.faults import said
from orchd.engine.handlers import callback_factory as callback_factory
from orchd.engine.state import State
from orchd.tasks.secrets import Secret

_TIME_LIMIT_S = 30.0


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

    if isinstance(new, tuple(ignore_states)) or (only_states and not isinstance(new, tuple(only_states))):
        return new

    request = urllib.request.Request(
        str(Secret(webhook_secret or "SLACK_WEBHOOK_URL").get()),
        data=json.dumps(slack_message(subject, new)).encode(),
        headers={"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    try:
        opener.open(request, timeout=_TIME_LIMIT_S).close()
    except OSError as exc:
        raise ValueError(f"Slack notification for {subject} failed") from exc

    return new


def slack_message(subject: Any, state: State) -> dict[str, Any]:
    """
    Return what Slack is sent.
    """
    text = f"```{said(state.result)}```" if isinstance(state.result, Exception) else state.message
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
