"""
Routes about the daemon itself: health, status, why, reload, stop.
"""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from orchd import clock
from orchd.model.instants import to_us
from orchd.model.states import FAILURE_STATES, FlowRunState
from orchd.store import queries
from orchd.web.answers import answer, with_holds
from orchd.web.asking import outcome
from orchd.web.daemon import Daemon
from orchd.web.why import explained

_RUNNING: Final = frozenset({FlowRunState.PENDING, FlowRunState.RUNNING, FlowRunState.WAITING, FlowRunState.CANCELLING})
#: How far back the counts and the last failures of the status reach.
_RECENT: Final = timedelta(days=1)
_FAILURES: Final = 5
_COMING: Final = 10
_HELD: Final = 20


class StopBody(BaseModel):
    """
    Whether runs are cancelled first.
    """

    model_config = ConfigDict(extra="forbid")

    cancel: bool = Field(default=False, description="runs get a moment to end, then are cancelled")


class DaemonRoutes:
    """
    What can be asked about the daemon as a whole, and done with it.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def router(self) -> APIRouter:
        """
        Make the routes.
        """
        routes = APIRouter(tags=["daemon"])
        add = routes.add_api_route
        add("/health", self.health, response_description="`{up: true}`; with status 503 `{up: false}`")
        add("/api/v1/status", self.status, response_description="daemon, runs, next fire times, failures, counts")
        add("/api/v1/why", self.why, response_description="`{of, kind: run|slot|schedule|flow, sentences, slot, run}`")
        add(
            "/api/v1/reload",
            self.reload,
            methods=["POST"],
            response_description="`{ok, error, changes: [text], broken: [{file, error}]}`",
        )
        add("/api/v1/stop", self.stop, methods=["POST"], response_description="`{stopping: true}`")
        return routes

    async def health(self) -> Response:
        """
        Say whether the daemon is up and ticks, and no more.
        """
        # In the loop: it answers though every thread waits for a store that is away.
        is_up = self._daemon.is_healthy()
        return answer({"up": is_up}, status=200 if is_up else 503)

    def status(self) -> Response:
        """
        Give the whole state of the daemon on one screen.
        """
        daemon = self._daemon
        since_us = to_us(clock.now() - _RECENT)
        with daemon.database.reading() as conn:
            running = queries.live_runs(conn, states=_RUNNING)
            held = queries.live_runs(conn, states={FlowRunState.SCHEDULED}, limit=_HELD)
            failed = queries.ended_runs(conn, states=FAILURE_STATES, since_us=since_us, limit=_FAILURES)
            counts = queries.counts(conn, since_us=since_us)
        coming, more = daemon.soonest(n=_COMING)
        return answer(
            {
                **daemon.facts(),
                "running": running,
                "held": with_holds(daemon, held),
                "next": coming,
                "next_more": more,
                "failed": failed,
                "counts": counts,
            }
        )

    def why(self, of: Annotated[str, Query(description="a run, a flow, `SCHEDULE` or `SCHEDULE@TIME`")]) -> Response:
        """
        Say why a run or a fire time did or did not start.
        """
        return answer(explained(self._daemon, of))

    async def reload(self) -> Response:
        """
        Read config and flow files again; a broken config changes nothing.
        """
        answered = await outcome(self._daemon.reload())
        return answer(answered)

    async def stop(self, body: StopBody) -> Response:
        """
        End the daemon; runs go on without it, unless they are to be cancelled.
        """
        self._daemon.stop(cancel=body.cancel)
        return answer({"stopping": True})
