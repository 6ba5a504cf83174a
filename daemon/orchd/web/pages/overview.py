"""
The first page: is the daemon well, what runs, what comes, what failed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from orchd import clock
from orchd.model.instants import to_us
from orchd.model.states import FAILURE_STATES, FlowRunState
from orchd.store import queries
from orchd.store.database import Connection
from orchd.web.answers import with_holds
from orchd.web.daemon import Daemon, Json
from orchd.web.pages.rendering import page
from orchd.web.pages.strips import Sketch, sketch

_RUNNING: Final = frozenset({FlowRunState.PENDING, FlowRunState.RUNNING, FlowRunState.WAITING, FlowRunState.CANCELLING})
_RECENT: Final = timedelta(days=1)
_COMING: Final = 10
#: Schedules whose next fire time comes after those.
_LATER: Final = 5
_HELD: Final = 10
_FAILED: Final = 6
_UNSTARTED: Final = 8
_BARS: Final = 50
#: Flows, those that ran last; the page of flows has them all.
_FLOWS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flow:
    name: str
    sketch: Sketch
    last: queries.BarView | None


class OverviewPage:
    """
    ``/``.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def router(self) -> APIRouter:
        """
        Make the route.
        """
        routes = APIRouter(include_in_schema=False)
        routes.add_api_route("/", self.show)
        return routes

    def show(self, request: Request) -> Response:
        """
        Show the whole state of the daemon on one page.
        """
        daemon = self._daemon
        with daemon.database.reading() as conn:
            stored = _stored(conn)
        facts = daemon.facts()
        coming = daemon.upcoming(None, n=_COMING, after=None)
        later, more = _later(coming, *daemon.soonest(n=_COMING))
        counts = stored["counts"]
        return page(
            request,
            "overview.html",
            **stored | {"held": with_holds(daemon, stored["held"])},
            daemon=facts["daemon"],
            healthy=daemon.is_healthy(),
            troubles=_troubles(facts),
            failures=sum(counts.get(state.value, 0) for state in FAILURE_STATES),
            coming=coming,
            later=later,
            more=more,
            broken=facts["broken"],
        )


def _stored(conn: Connection) -> dict[str, Any]:
    since_us = to_us(clock.now() - _RECENT)
    running = queries.live_runs(conn, states=_RUNNING)
    return {
        "running": running,
        "progress": queries.progress(conn, [run.number for run in running]),
        "held": queries.live_runs(conn, states={FlowRunState.SCHEDULED}, limit=_HELD),
        "failed": queries.ended_runs(conn, states=FAILURE_STATES, since_us=since_us, limit=_FAILED),
        "counts": queries.counts(conn, since_us=since_us),
        "unstarted": queries.unstarted(conn, since_us=since_us, limit=_UNSTARTED),
        "flows": [_flow(conn, name) for name in queries.latest_flows(conn, limit=_FLOWS)],
    }


def _flow(conn: Connection, name: str) -> _Flow:
    bars = queries.last_bars(conn, name, limit=_BARS)
    return _Flow(name=name, sketch=sketch(bars, places=_BARS), last=bars[-1] if bars else None)


def _later(coming: Sequence[Json], soonest: Sequence[Json], more: int) -> tuple[list[Json], int]:
    """
    Return of the schedules of *soonest* those that are not among *coming*: a frequent one must not hide the nightly.
    """
    named = {fire["schedule"] for fire in coming}
    others = [fire for fire in soonest if fire["schedule"] not in named]
    return others[:_LATER], more + len(others[_LATER:])


def _troubles(facts: dict[str, Any]) -> list[str]:
    said = [facts["config_error"] and f"The config on disk is broken, the old one is in use: {facts['config_error']}"]
    said.append(facts["daemon"]["store_error"] and f"The store cannot be used: {facts['daemon']['store_error']}")
    said += [f"Run {each['run']} of {each['flow']} is not launched yet: {each['reason']}" for each in facts["put_off"]]
    said += [
        f"The clock was set back: schedule {each['schedule']} waits until {each['until']}."
        for each in facts["clock_waits"]
    ]
    return [sentence for sentence in said if sentence]
