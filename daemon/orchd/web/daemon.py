"""
What the API needs of the daemon: the seam between the web room and the scheduler room.
"""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from orchd.model.ids import FlowRunId
from orchd.model.registration import Registration
from orchd.operations import Call
from orchd.store.database import Database

#: A JSON object.
Json = dict[str, object]


class Figures(Struct, frozen=True, kw_only=True):
    """
    What the daemon counts of its own work since it began.
    """

    #: Upper bounds in seconds, and how many starts of slots lie in each (one more for what is beyond the last).
    late_bounds_s: Sequence[float]
    late: Sequence[int]
    late_sum_s: float
    #: State -> how many runs ended in it.
    ended: Mapping[str, int]
    ingest_lag_s: float
    tick_age_s: float


class Daemon(Protocol):
    """
    The running daemon, as seen by a request. Methods that give a Future are carried out by the writer.
    """

    @property
    def database(self) -> Database:
        """
        For reading only.
        """

    def facts(self) -> Json:
        """
        Give the parts of ``/api/v1/status`` that no store holds: ``daemon``, ``broken``, ``config_error``,
        ``put_off``, ``clock_jumps``, ``clock_waits``, ``pools``, ``page`` (``url``; ``trouble``: why there
        is none).
        """

    def figures(self) -> Figures:
        """
        Give what the daemon counts of its own work.
        """

    def holds(self) -> Mapping[str, str]:
        """
        Give run id -> the reason, in words, of each run that is held at this moment.
        """

    def timezone_of(self, schedule: str | None) -> str:
        """
        Give the IANA name of the zone of *schedule*; of the daemon's own when there is none of that name.
        """

    def upcoming(self, schedule: str | None, *, n: int, after: datetime | None) -> Sequence[Json]:
        """
        Give the next *n* fire times of one schedule, or of all together, as the API's ``next`` rows.
        """

    def soonest(self, *, n: int) -> tuple[Sequence[Json], int]:
        """
        Give the next fire time of the *n* schedules that come first, and how many more schedules have one.
        """

    def flow_errors(self) -> Mapping[str, str]:
        """
        Give file -> why it does not load, for each broken flow file.
        """

    def start_run(
        self,
        *,
        flow: str,
        parameters: Json,
        at: datetime | None,
        idempotency_key: str | None,
        by: str,
        name: str | None = None,
        project: str | None = None,
        call: Call | None = None,
    ) -> "Future[str]":
        """
        Make a run of *flow*; gives its id. See :func:`orchd.operations.start_run`.
        """

    def cancel_run(self, ref: str, *, reason: str, by: str) -> "Future[str]":
        """
        Cancel the run that *ref* names; gives its id.
        """

    def rename_run(self, ref: str, *, name: str) -> "Future[str]":
        """
        Give the run that *ref* names another name; gives its id.
        """

    def resume_run(self, ref: str, *, from_task: str | None, by: str) -> "Future[str]":
        """
        Start the next attempt of the run that *ref* names; gives the id of the new run.
        """

    def pause(self, schedule: str, *, note: str, by: str) -> "Future[None]":
        """
        Pause a schedule.
        """

    def unpause(self, schedule: str, *, by: str) -> "Future[None]":
        """
        Let a schedule go on.
        """

    def create_project(self, name: str, *, by: str) -> "Future[bool]":
        """
        Make a project; gives whether it is new.
        """

    def register(self, wish: Registration) -> "Future[None]":
        """
        Take up the flow of a file that somebody registers.
        """

    def reload(self) -> "Future[Mapping[str, object]]":
        """
        Read config and flow files again; gives ``{"ok", "error", "changes", "broken"}``.
        """

    def stop(self, *, cancel: bool) -> None:
        """
        Begin to end the daemon; with *cancel* the runs are cancelled first.
        """

    def stir(self, run_id: FlowRunId) -> None:
        """
        Have what a run printed taken into the store now, not at the next look at all runs.
        """

    def is_healthy(self) -> bool:
        """
        True when ticks really run and the store takes what is written.
        """

    def next_change(self) -> "asyncio.Future[None]":
        """
        Give a future that is done at the next change of the store. Take it before reading, so that none is missed.
        """

    async def changed(self, change: "asyncio.Future[None]", *, within_s: float) -> bool:
        """
        Wait for *change*, at most *within_s* seconds; False when the daemon ends, and nothing more will change.
        """

    def monotonic(self) -> float:
        """
        Give the seconds of the clock that nobody can set.
        """
