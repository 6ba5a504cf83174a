"""
Routes about the ledger: every fire time, and what became of it.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from orchd.model.instants import to_us
from orchd.model.slots import Outcome
from orchd.store import queries
from orchd.web.answers import answer, with_slot_holds
from orchd.web.asking import read, slot_before, slot_key, utc
from orchd.web.daemon import Daemon
from orchd.web.paging import After, Limit, page


class SlotRoutes:
    """
    What can be asked about the ledger.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def router(self) -> APIRouter:
        """
        Make the route.
        """
        routes = APIRouter(prefix="/api/v1", tags=["schedules"])
        routes.add_api_route("/slots", self.list_slots, response_description="`{slots: [slot], next: text or null}`")
        return routes

    async def list_slots(
        self,
        schedule: Annotated[str | None, Query(description="only slots of this schedule")] = None,
        outcome: Annotated[list[Outcome] | None, Query(description="only slots of one of these outcomes")] = None,
        until: Annotated[AwareDatetime | None, Query(description="only fire times up to this one")] = None,
        after: After = "",
        limit: Limit = 50,
    ) -> Response:
        """
        List fire times and what became of them, the latest first; `next` asks for the page after this one.
        """
        question = partial(
            queries.ledger,
            schedule=schedule,
            outcomes=outcome or (),
            until_us=None if until is None else to_us(utc(until)),
            after=slot_before(after),
            limit=limit + 1,
        )
        told = await read(self._daemon, lambda conn: with_slot_holds(self._daemon, conn, question(conn)))
        return answer(page("slots", told, limit=limit, key=slot_key))
