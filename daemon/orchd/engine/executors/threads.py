"""
Several task runs at once, in threads of the flow run's process or in processes forked from it.
"""

import ctypes
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from typing import Any, Final

from orchd.engine.context import current_task
from orchd.engine.executors.joining import JoiningExecutor, Promise, Run, keep
from orchd.engine.executors.team import Team
from orchd.engine.state import State
from orchd.engine.tries import Try

_SCHEDULERS: Final = MappingProxyType(
    {
        "threads": "threads",
        "threading": "threads",
        "processes": "processes",
        "multiprocessing": "processes",
        "sync": "synchronous",
        "synchronous": "synchronous",
        "single-threaded": "synchronous",
    }
)


class LocalDaskExecutor(JoiningExecutor):
    """
    Runs each task run as soon as what is above it is over, *num_workers* at a time. It needs no Dask.
    """

    def __init__(self, scheduler: str = "threads", *, num_workers: int | None = None, **kwargs: Any) -> None:
        """
        Args:
            scheduler: ``threads``, ``processes`` (forked from the flow run's) or ``synchronous`` (one after the other).

            num_workers: None for the number of processors.

            kwargs: further settings of Dask's; they have no meaning here.

        Raises:
            ValueError: there is no such scheduler.
        """
        if (known := _SCHEDULERS.get(scheduler.lower())) is None:
            raise ValueError(f"Unknown scheduler {scheduler!r}")

        self.scheduler = known
        self.num_workers = 1 if known == "synchronous" else num_workers or os.cpu_count() or 1
        self.kwargs = kwargs
        self._pass: _Pass | None = None

    @contextmanager
    def start(self) -> Iterator[None]:
        """
        Hold threads, and processes as soon as the first task is there.
        """
        if self.scheduler == "synchronous":
            yield
            return

        with _Pass(self.num_workers, is_forking=self.scheduler == "processes") as self._pass:
            try:
                yield
            finally:
                self._pass = None

    def submit(self, run: Run, upstream: Sequence[Promise]) -> Promise:
        """
        Have *run* called once all of *upstream* are there.
        """
        if self._pass is None:
            return run(self.wait(upstream))

        if isinstance(run, Try):
            self._pass.prepare(run)

        return super().submit(run, upstream)

    def _begin(self, run: Run, upstream: Sequence[State], promise: "Future[State]") -> None:
        if self._pass is not None:
            self._pass.begin(run, upstream, promise)


class _Pass:
    """
    The threads of one pass over a flow, and its team of processes when there is one.
    """

    def __init__(self, size: int, *, is_forking: bool) -> None:
        self._size = size
        self._is_forking = is_forking
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="orchd-task")
        self._held = ExitStack()
        self._is_prepared = False
        self._team: Team | None = None
        self._busy: set[int] = set()

    def __enter__(self) -> "_Pass":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._held:
            try:
                if kind is not None:
                    self._give_up()
            finally:
                self._pool.shutdown(cancel_futures=kind is not None)

    def prepare(self, first: Try) -> None:
        """
        Get what is needed for the tries of the pass, of which *first* is one.
        """
        if self._is_prepared:
            return

        self._is_prepared = True
        self._held.enter_context(first.shared.scope.recorder.beside(current_task))
        if self._is_forking:
            # Here and not in a thread: no task runs yet that a fork could meet half-way.
            self._team = self._held.enter_context(Team(self._size, first.shared))

    def begin(self, run: Run, upstream: Sequence[State], promise: "Future[State]") -> None:
        """
        Have *run* called in a thread, or by a process of the team.
        """
        team = self._team
        if team is not None and isinstance(run, Try):
            one = run
            self._pool.submit(keep, promise, lambda: team.make(one, upstream))
        else:
            self._pool.submit(self._interruptible, promise, lambda: run(upstream))

    def _interruptible(self, promise: "Future[State]", make: Callable[[], State]) -> None:
        ident = threading.get_ident()
        self._busy.add(ident)
        try:
            keep(promise, make)
        finally:
            self._busy.discard(ident)

    def _give_up(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._team is not None:
            self._team.dismiss()

        for ident in list(self._busy):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(KeyboardInterrupt))
