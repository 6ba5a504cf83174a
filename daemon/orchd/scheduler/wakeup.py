"""
The alarm clock: rings at an instant, and once a second at the latest. It decides nothing.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

from orchd import clock

#: The longest sleep, so that a clock that was set is noticed (``scheduling.md`` section 2, rule 8).
MAX_SLEEP: Final = timedelta(seconds=1)


@dataclass(slots=True, kw_only=True)
class _Beat:
    """
    What is called again and again, and when next.
    """

    seconds: float
    job: Callable[[], None]
    due_s: float


class Wakeup:
    """
    Calls *ring* from its own thread at the wanted instant. Each ring must be followed by :meth:`at`.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        # The debug executor calls the job in the scheduler's own thread: one hop between threads less.
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": DebugExecutor()},
            job_defaults={"misfire_grace_time": None, "coalesce": True},
        )
        self._lock = threading.Lock()
        self._beats: list[_Beat] = []

    def start(self) -> None:
        """
        Begin to run; the first ring comes at once.
        """
        self._scheduler.start()
        self.at(None)

    def at(self, instant: datetime | None, *, now: datetime | None = None) -> None:
        """
        Set the alarm to *instant* (UTC), or to a second from *now* if that is earlier or *instant* is None.
        """
        latest = (now or clock.now()) + (MAX_SLEEP if now else timedelta(0))
        wanted = latest if instant is None else min(instant, latest)
        with self._lock:
            if self._scheduler.running:
                self._scheduler.add_job(self._ring, DateTrigger(wanted), name="wake", id="wake", replace_existing=True)
                self._beat()

    def every(self, seconds: float, job: Callable[[], None]) -> None:
        """
        Call *job* every so many seconds, when the alarm is set, so up to a second late; it must only hand the work on.

        Counted on the clock that nobody can set: APScheduler goes by the wall clock, and a beat that it knows of would
        wait for years after the clock was set back, or come at once for each beat that was jumped over.
        """
        self._beats.append(_Beat(seconds=seconds, job=job, due_s=clock.monotonic() + seconds))

    def _beat(self) -> None:
        now_s = clock.monotonic()
        for beat in self._beats:
            if beat.due_s <= now_s:
                beat.due_s = now_s + beat.seconds
                beat.job()

    def stop(self) -> None:
        """
        Ring no more. One that never began to run may be stopped too.
        """
        with self._lock:
            if self._scheduler.running:
                self._scheduler.shutdown(wait=False)
