"""
The page of the ledger: every fire time, what became of it, and why.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from orchd.errors import UsageError
from orchd.model.instants import to_us
from orchd.model.names import shown
from orchd.model.slots import Outcome
from orchd.store import queries
from orchd.store.queries import SlotView
from orchd.web.answers import with_slot_holds
from orchd.web.asking import an_instant, slot_before, slot_key
from orchd.web.daemon import Daemon
from orchd.web.pages.rendering import page
from orchd.web.pages.run_list import day_us

_PER_PAGE: Final = 100
#: Characters of a day, such as 2026-11-23.
_DAY: Final = 10
#: What a person means -> outcomes of slots.
OUTCOMES: Final[Mapping[str, tuple[Outcome, ...]]] = {
    "": (),
    "started": (Outcome.STARTED,),
    "not started": (Outcome.SKIPPED, Outcome.MISSED),
    "skipped": (Outcome.SKIPPED,),
    "missed": (Outcome.MISSED,),
}


class SlotPages:
    """
    ``/slots``.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def router(self) -> APIRouter:
        """
        Make the route.
        """
        routes = APIRouter(include_in_schema=False)
        routes.add_api_route("/slots", self.show)
        return routes

    def show(
        self, request: Request, schedule: str = "", outcome: str = "", until: str = "", after: str = ""
    ) -> Response:
        """
        Show a page of the ledger, the latest fire time first; *after* names the last slot of the page before it.
        """
        if outcome not in OUTCOMES:
            raise UsageError(
                f"{shown(outcome)} is no outcome; write one of {', '.join(word for word in OUTCOMES if word)}"
            )

        with self._daemon.database.reading() as conn:
            slots = queries.ledger(
                conn,
                schedule=schedule or None,
                outcomes=OUTCOMES[outcome],
                until_us=_until_us(until),
                after=slot_before(after),
                # One more than is shown: the last one is told apart from it.
                limit=_PER_PAGE + 1,
            )
            names = queries.schedule_names(conn)
            told = with_slot_holds(self._daemon, conn, slots[:_PER_PAGE])
            states = queries.run_states(conn, [slot.run for slot in slots if slot.run])
        return page(
            request,
            "slots.html",
            slots=told,
            states=states,
            names=names,
            schedule=schedule,
            outcome=outcome,
            outcomes=OUTCOMES,
            until=until[:_DAY],
            is_filtered=bool(schedule or outcome or until or after),
            older=_older(slots, schedule, outcome, until),
        )


def _until_us(text: str) -> int | None:
    """
    Return the last instant that *text* means: of a day its end, in UTC; None for the empty text.
    """
    if len(text) == _DAY:
        return day_us(text, days=1) - 1

    return to_us(an_instant(text)) if text else None


def _older(slots: Sequence[SlotView], schedule: str, outcome: str, until: str) -> str | None:
    if len(slots) <= _PER_PAGE:
        return None

    asked = {"schedule": schedule, "outcome": outcome, "until": until, "after": slot_key(slots[_PER_PAGE - 1])}
    return urlencode({name: value for name, value in asked.items() if value})
