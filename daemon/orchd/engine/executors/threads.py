"""
Several task runs at once, in threads of the flow run's process.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

from orchd.engine.executors.local import LocalExecutor as LocalExecutor
from orchd.engine.state import State

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

Promise = State | Future[State]


class LocalDaskExecutor:
    """
    Runs each task run as soon as what is above it is over, *num_workers* at a time. It needs no Dask.
    """

    def __init__(self, scheduler: str = "threads", *, num_workers: int | None = None, **kwargs: Any) -> None:
        """
        Args:
            scheduler: ``threads`` or ``synchronous`` (one after the other); ``processes`` counts as threads, as each
                flow run has a process of its own already.

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
        self._pool: ThreadPoolExecutor | None = None

    @contextmanager
    def start(self) -> Iterator[None]:
        """
        Hold the threads.
        """
        if self.scheduler == "synchronous":
            yield
            return

        with ThreadPoolExecutor(self.num_workers, thread_name_prefix="orchd-task") as self._pool:
            try:
                yield
            finally:
                self._pool = None

    def submit(self, run: Callable[[Sequence[State]], State], upstream: Sequence[Promise]) -> Promise:
        """
        Have *run* called once all of *upstream* are there.
        """
        pool = self._pool
        if pool is None:
            return run(self.wait(upstream))

        promise: Future[State] = Future()
        waiting = [each for each in upstream if isinstance(each, Future)]
        left = len(waiting)
        lock = threading.Lock()

        def work() -> None:
            try:
                promise.set_result(run(self.wait(upstream)))
            except BaseException as exc:
                promise.set_exception(exc)

        def one_is_there(_: Future[State]) -> None:
            nonlocal left
            with lock:
                left -= 1
                is_ready = left == 0

            if is_ready:
                pool.submit(work)

        if not waiting:
            pool.submit(work)

        for each in waiting:
            each.add_done_callback(one_is_there)

        return promise

    def wait(self, promised: Sequence[Promise]) -> list[State]:
        """
        Return the states; what was raised in a thread is raised here.
        """
        return [each.result() if isinstance(each, Future) else each for each in promised]


class DaskExecutor(LocalDaskExecutor):
    """
    The same, by the name and with the arguments of a cluster's; the cluster itself is not used.
    """

    def __init__(
        self,
        address: str | None = None,
        cluster_class: Any = None,
        cluster_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """
        Raises:
            ValueError: *address* is given together with a cluster of one's own.
        """
        if address is not None and (cluster_class is not None or cluster_kwargs is not None):
            raise ValueError("Cannot specify `address` and `cluster_class`/`cluster_kwargs`")

        super().__init__("threads", **kwargs)
        self.address = address
        self.cluster_class = cluster_class
        self.cluster_kwargs = cluster_kwargs
