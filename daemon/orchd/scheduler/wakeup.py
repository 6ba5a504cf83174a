"""
The alarm clock: rings at an instant, and once a second at the latest. It decides nothing.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

from orchd import clock

#: The longest sleep, so that a clock that was set is noticed (``scheduling.md`` section 2, rule 8).
MAX_SLEEP: Final = timedelta(seconds=1)


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
        self._set(wanted, self._ring, name="wake", key="wake")

    def every(self, seconds: float, job: Callable[[], None], *, name: str) -> None:
        """
        Call *job* every so many seconds, from the alarm's thread; it must only hand the work on.

        Each call sets the next: APScheduler's own interval walks every beat that a clock set forward jumped over.
        """

        def beat() -> None:
            job()
            # Under a new id: the old one is removed when this returns.
            self._set(clock.now() + timedelta(seconds=seconds), beat, name=name)

        self._set(clock.now() + timedelta(seconds=seconds), beat, name=name)

    def _set(self, instant: datetime, job: Callable[[], None], *, name: str, key: str | None = None) -> None:
        with self._lock:
            if self._scheduler.running:
                self._scheduler.add_job(job, DateTrigger(instant), name=name, id=key, replace_existing=True)

    def stop(self) -> None:
        """
        Ring no more. One that never began to run may be stopped too.
        """
        with self._lock:
            if self._scheduler.running:
                self._scheduler.shutdown(wait=False)
