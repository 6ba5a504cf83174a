"""
``/metrics``: what Prometheus reads, in its text format 0.0.4. Forty lines; the client library would keep a registry.
"""

from collections.abc import Iterable, Iterator, Mapping

from fastapi import APIRouter, Response
from starlette.responses import PlainTextResponse

from orchd import clock
from orchd.model.instants import to_us
from orchd.model.states import FlowRunState
from orchd.store import queries
from orchd.web.daemon import Daemon, Figures

_Labels = Mapping[str, str]


class MetricsRoute:
    """
    ``/metrics``.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def router(self) -> APIRouter:
        """
        Make the route.
        """
        routes = APIRouter(tags=["daemon"])
        routes.add_api_route(
            "/metrics",
            self.metrics,
            responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
            response_description="runs, lateness of starts, what is held, ingest lag, tick age, size of the store",
        )
        return routes

    def metrics(self) -> Response:
        """
        Give the daemon's figures as Prometheus reads them.
        """
        daemon = self._daemon
        with daemon.database.reading() as conn:
            counts = queries.counts(conn, since_us=to_us(clock.now()))
            size = daemon.database.size(conn)
        text = "\n".join([*_live(counts, size, daemon.is_healthy()), *_worked(daemon.figures()), ""])
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _live(counts: Mapping[str, int], size: int, is_healthy: bool) -> Iterator[str]:
    live = [state for state in FlowRunState if not state.is_final]
    states = [({"state": state.value}, counts.get(state.value, 0)) for state in live]
    yield from _family("orchd_up", "gauge", "1 while ticks run and the store takes what is written", [({}, is_healthy)])
    yield from _family("orchd_runs", "gauge", "Runs that are not over, by state", states)
    held = counts.get(FlowRunState.SCHEDULED.value, 0)
    yield from _family(
        "orchd_held_runs", "gauge", "Runs that wait for their time, a place or another run", [({}, held)]
    )
    yield from _family("orchd_store_bytes", "gauge", "Size of the run store", [({}, size)])


def _worked(figures: Figures) -> Iterator[str]:
    ended = [({"state": state}, count) for state, count in sorted(figures.ended.items())]
    yield from _family("orchd_runs_ended_total", "counter", "Runs that ended since the daemon began", ended)
    yield from _lateness(figures)
    lag, age = figures.ingest_lag_s, figures.tick_age_s
    yield from _family("orchd_ingest_lag_seconds", "gauge", "From a line to its place in the store", [({}, lag)])
    yield from _family("orchd_tick_age_seconds", "gauge", "Since the scheduler last looked", [({}, age)])


def _lateness(figures: Figures) -> Iterator[str]:
    name, total = "orchd_start_lateness_seconds", 0
    yield f"# HELP {name} From a fire time to the start of its run's process; held and caught-up ones too"
    yield f"# TYPE {name} histogram"
    for bound, count in zip([*map(str, figures.late_bounds_s), "+Inf"], figures.late, strict=True):
        total += count
        yield f'{name}_bucket{{le="{bound}"}} {total}'
    yield f"{name}_sum {figures.late_sum_s:.6f}"
    yield f"{name}_count {total}"


def _family(name: str, kind: str, told: str, samples: Iterable[tuple[_Labels, float]]) -> Iterator[str]:
    yield f"# HELP {name} {told}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        # Only words of ours are labels: nothing in them needs an escape.
        said = ",".join(f'{label}="{word}"' for label, word in labels.items())
        yield f"{name}{{{said}}} {value:.10g}" if said else f"{name} {value:.10g}"
