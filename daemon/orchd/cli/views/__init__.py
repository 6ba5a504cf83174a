"""
How each answer of the daemon looks to a person. A view takes the answer and a screen, and decides nothing.
"""

from orchd.cli.views.access import link, revoked, token, tokens
from orchd.cli.views.lists import flows, schedules
from orchd.cli.views.replies import created, next_fires, paused, reloaded, started, why
from orchd.cli.views.runs import runs, show
from orchd.cli.views.status import status

__all__ = [
    "created",
    "flows",
    "link",
    "next_fires",
    "paused",
    "reloaded",
    "revoked",
    "runs",
    "schedules",
    "show",
    "started",
    "status",
    "token",
    "tokens",
    "why",
]
