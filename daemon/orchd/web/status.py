"""
Routes about the daemon itself: health, status, why, reload, stop.
"""

from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool

from orchd import clock
from orchd.model.instants import to_us
from orchd.model.states import FAILURE_STATES, FlowRunState
from orchd.store import queries
from orchd.web.answers import answer, with_hold
from orchd.web.asking import outcome
from orchd.web.daemon import Daemon
from orchd.web.why import why

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

    cancel: bool = False


def router(daemon: Daemon) -> APIRouter:
    """
    Make the routes.
    """
    routes = APIRouter(tags=["daemon"])

    @routes.get("/health")
    def health() -> Response:
        """
        Say whether the daemon is up and ticks, and no more.
        """
        is_up = daemon.is_healthy()
        body = answer({"up": is_up})
        body.status_code = 200 if is_up else 503
        return body

    @routes.get("/api/v1/status")
    def status() -> Response:
        """
        Give the whole state of the daemon on one screen.
        """
        since_us = to_us(clock.now() - _RECENT)
        holds = daemon.holds()
        with daemon.database.reading() as conn:
            running = queries.live_runs(conn, states=_RUNNING)
            held = queries.live_runs(conn, states={FlowRunState.SCHEDULED}, limit=_HELD)
            failed = queries.ended_runs(conn, states=FAILURE_STATES, since_us=since_us, limit=_FAILURES)
            counts = queries.counts(conn, since_us=since_us)
        return answer(
            {
                **daemon.facts(),
                "running": running,
                "held": [with_hold(run, holds) for run in held],
                "next": daemon.upcoming(None, n=_COMING, after=None),
                "failed": failed,
                "counts": counts,
            }
        )

    @routes.get("/api/v1/why")
    def explain(of: str) -> Response:
        """
        Say why a run or a fire time did or did not start. `of` is a run, `SCHEDULE` or `SCHEDULE@TIME`.
        """
        return answer(why(daemon, of))

    @routes.post("/api/v1/reload")
    async def reload() -> Response:
        """
        Read config and flow files again; a broken config changes nothing.
        """
        answered = await outcome(daemon.reload())
        return answer(answered)

    @routes.post("/api/v1/stop")
    async def stop(body: StopBody, request: Request) -> Response:
        """
        End the daemon; runs go on without it, unless they are to be cancelled.
        """
        await run_in_threadpool(daemon.stop, cancel=body.cancel)
        return answer({"stopping": True})

    return routes
