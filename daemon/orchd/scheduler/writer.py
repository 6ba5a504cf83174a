"""
The writer: one thread that does everything that changes the store, most urgent first.
"""

import heapq
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from enum import IntEnum
from typing import Any, TypeVar

from orchd.errors import StateError

T = TypeVar("T")


class Urgency(IntEnum):
    """
    What goes first when several wait. Starting runs on time comes before everything.
    """

    TICK = 0
    OPERATION = 1
    INGEST = 2
    UPKEEP = 3


class Writer:
    """
    A thread that calls one job after another. A job that raises ends the writer, and with it the daemon.

    Args:
        on_death: called from the thread with the error that ended it.
    """

    def __init__(self, *, on_death: Callable[[BaseException], None]) -> None:
        self._on_death = on_death
        self._jobs: list[tuple[int, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._ready = threading.Condition()
        self._stopping = False
        self._asked: set[Future[Any]] = set()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def start(self) -> None:
        """
        Begin to work.
        """
        self._thread.start()

    def submit(self, urgency: Urgency, job: Callable[[], None]) -> None:
        """
        Have *job* called soon, from the writer's thread. After :meth:`stop` it is dropped.
        """
        with self._ready:
            if not self._stopping:
                heapq.heappush(self._jobs, (urgency, next(self._count), job))
                self._ready.notify()

    def ask(self, job: Callable[[], T]) -> "Future[T]":
        """
        Have *job* called as an operation; its result, or the error that it raised, comes through the future.

        What :meth:`stop` drops gets a StateError; a future that was cancelled in time is not carried out.
        """
        future: Future[T] = Future()

        def answer() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(job())
            except Exception as error:
                # The asker gets the error, whatever it is; the writer goes on.
                future.set_exception(error)

        with self._ready:
            self._asked.add(future)
            is_late = self._stopping
        future.add_done_callback(self._asked.discard)
        self.submit(Urgency.OPERATION, answer)
        if is_late:
            self._refuse_asked()
        return future

    def stop(self, *, within_s: float = 5.0) -> None:
        """
        Finish the job at hand, drop the others, and end. Everything dropped is found again at the next start.
        """
        with self._ready:
            self._stopping = True
            self._jobs.clear()
            self._ready.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(within_s)
        self._refuse_asked()

    def _refuse_asked(self) -> None:
        for future in tuple(self._asked):
            is_waiting = not (future.running() or future.done())
            if is_waiting and future.set_running_or_notify_cancel():
                future.set_exception(StateError("the daemon is stopping: ask again when it is back"))

    def _work(self) -> None:
        try:
            while job := self._next():
                job()
        except BaseException as error:
            # Nothing may go on deciding with a store that nobody writes: the daemon ends and is started again.
            self._on_death(error)
            # Whoever waits for an answer must not keep it from ending.
            self.stop()

    def _next(self) -> Callable[[], None] | None:
        with self._ready:
            while not self._jobs and not self._stopping:
                self._ready.wait()

            return heapq.heappop(self._jobs)[2] if self._jobs else None
