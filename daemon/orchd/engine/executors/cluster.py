"""
Task runs on a Dask cluster: one that is there already, or one of the flow run's own.
"""

import importlib
import importlib.util
import itertools
import logging
import pickle
import queue
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from orchd.engine.context import current_task
from orchd.engine.executors import far
from orchd.engine.executors.joining import JoiningExecutor, Promise, Run, keep
from orchd.engine.executors.wire import Move, heard, repeat
from orchd.engine.faults import said
from orchd.engine.handlers import LOG
from orchd.engine.state import State
from orchd.engine.tries import Try

#: Settings of Dask's while a cluster of our own lasts. A task whose worker died is tried again by orchd or not at all,
#: Dask's own words stay out of the run's log, and its web pages are not served.
OWN_CLUSTER: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "distributed.scheduler.allowed-failures": 0,
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        "logging": {"distributed": "critical", "tornado": "critical", "asyncio": "critical"},
    }
)
_LOCAL: Final[Mapping[str, Any]] = MappingProxyType(
    {"dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL}
)
#: ``dask-resource:GPU=1`` among the tags of a task asks for a worker that has it.
_RESOURCE: Final = "dask-resource:"
#: So often a task may be on a worker that ends, before it has been entered: its neighbours may be to blame.
_MOST_LOSSES: Final = 3


class DaskExecutor(JoiningExecutor):
    """
    Runs each task run on a Dask cluster, as soon as what is above it is over. It needs the extra ``dask``.
    """

    def __init__(
        self,
        address: str | None = None,
        cluster_class: str | Callable[..., Any] | None = None,
        cluster_kwargs: Mapping[str, Any] | None = None,
        adapt_kwargs: Mapping[str, Any] | None = None,
        client_kwargs: Mapping[str, Any] | None = None,
        debug: bool | None = None,
        performance_report_path: str | None = None,
        disable_cancellation_event: bool = False,
        watch_worker_status: bool | None = None,
    ) -> None:
        """
        Args:
            address: of a scheduler that runs already; None for a cluster that lasts as long as the flow run's pass.

            cluster_class: what makes that cluster, or its import path; None for ``distributed.LocalCluster``, which
                listens on loopback only and serves no web page.

            cluster_kwargs: its arguments.

            adapt_kwargs: arguments of the cluster's ``adapt``, which lets it grow and shrink; None for a fixed size.

            client_kwargs: further arguments of ``distributed.Client``.

            performance_report_path: file for Dask's report of the pass; it needs bokeh.

            debug, disable_cancellation_event, watch_worker_status: taken for old flows' sake; they have no meaning.

        Raises:
            ValueError: *address* is given together with a cluster of one's own.

            ImportError: Dask is not installed.
        """
        if address is not None and (cluster_class is not None or cluster_kwargs is not None):
            raise ValueError("Cannot specify `address` and `cluster_class`/`cluster_kwargs`")

        if importlib.util.find_spec("distributed") is None:
            raise ImportError("DaskExecutor needs the package distributed: pip install 'orchd[dask]'")

        self.address = address
        self.cluster_class = cluster_class
        self.cluster_kwargs = dict(cluster_kwargs or {})
        self.adapt_kwargs = dict(adapt_kwargs or {})
        self.client_kwargs = dict(client_kwargs or {})
        self.debug = debug
        self.performance_report_path = performance_report_path
        self.disable_cancellation_event = disable_cancellation_event
        self.watch_worker_status = watch_worker_status
        self._pass: _Pass | None = None

    @contextmanager
    def start(self) -> Iterator[None]:
        """
        Hold the cluster, if it is our own, and a client of it.
        """
        distributed = importlib.import_module("distributed")
        with ExitStack() as held, warnings.catch_warnings():
            # A large result that goes on to the next task is what the person wrote, and works.
            warnings.filterwarnings("ignore", message="(?s).*Sending large graph", category=UserWarning)
            where = self.address or self._own_cluster(distributed, held)
            client = held.enter_context(distributed.Client(where, **{"set_as_default": False, **self.client_kwargs}))
            if self.performance_report_path is not None:
                held.enter_context(client.as_current())
                held.enter_context(distributed.performance_report(self.performance_report_path))

            with _Pass(client) as self._pass:
                try:
                    yield
                finally:
                    self._pass = None

    def submit(self, run: Run, upstream: Sequence[Promise]) -> Promise:
        """
        Have *run* called once all of *upstream* are there; a task's try on the cluster, all else here.
        """
        if self._pass is not None and isinstance(run, Try):
            self._pass.prepare(run)

        return super().submit(run, upstream)

    def _own_cluster(self, distributed: Any, held: ExitStack) -> Any:
        make: Any = self.cluster_class
        held.enter_context(importlib.import_module("dask").config.set(OWN_CLUSTER))
        kwargs = self.cluster_kwargs
        if make is None:
            make, kwargs = distributed.LocalCluster, {**_LOCAL, **kwargs}
        elif isinstance(make, str):
            module, _, name = make.rpartition(".")
            make = getattr(importlib.import_module(module), name)

        cluster = held.enter_context(make(**kwargs))
        if self.adapt_kwargs:
            cluster.adapt(**self.adapt_kwargs)

        return cluster

    def _begin(self, run: Run, upstream: Sequence[State], promise: "Future[State]") -> None:
        if self._pass is not None and isinstance(run, Try):
            self._pass.begin(run, upstream, promise)
        else:
            keep(promise, lambda: run(upstream))


@dataclass(slots=True, kw_only=True)
class _Sent:
    """
    A try that is on the cluster, and the promise that it will keep.
    """

    one: Try
    job: bytes
    promise: "Future[State]"
    future: Any = None
    #: The task has been entered.
    has_begun: bool = False
    #: How often its worker was lost before that.
    losses: int = 0


class _Pass:
    """
    What is on the cluster during one pass over a flow.

    One thread takes everything that comes back, in the order in which it came: a record is never overtaken by the
    reply of its try.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._topic = f"orchd-{uuid.uuid4()}"
        self._numbers = itertools.count()
        self._sent: dict[int, _Sent] = {}
        self._packs: dict[str, Any] = {}
        self._packing = threading.Lock()
        #: A record of a try, None when its future is over; None alone ends the thread.
        self._heard: queue.SimpleQueue[tuple[int, bytes | None] | None] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, name="orchd-dask", daemon=True)
        self._held = ExitStack()
        self._is_prepared = False

    def __enter__(self) -> "_Pass":
        self._client.subscribe_topic(self._topic, self._on_event)
        self._listener.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._held:
            if kind is not None:
                self._client.cancel([sent.future for sent in list(self._sent.values())], force=True)
                # The cluster's end waits for threads of its own.
                far.NEAR.give_up(self._topic)

            self._heard.put(None)
            self._listener.join()
            self._client.unsubscribe_topic(self._topic)

    def prepare(self, first: Try) -> None:
        """
        Get what is needed for the tries of the pass, of which *first* is one.
        """
        if not self._is_prepared:
            self._is_prepared = True
            self._held.enter_context(first.shared.scope.recorder.beside(current_task, is_elsewhere=True))

    def begin(self, one: Try, upstream: Sequence[State], promise: "Future[State]") -> None:
        """
        Send *one* to the cluster.
        """
        try:
            self._pack(one)
            job = far.job_of(one, upstream)
        except Exception as exc:
            why = f"what the task is given cannot be sent to a Dask worker: {said(exc)}; use threads"
            keep(promise, lambda: one.lost(why, has_begun=False))
            return

        self._send(_Sent(one=one, job=job, promise=promise))

    def _send(self, sent: _Sent) -> None:
        number = next(self._numbers)
        self._sent[number] = sent
        node = sent.one.node
        sent.future = self._client.submit(
            far.work,
            self._pack(sent.one),
            sent.job,
            (self._topic, number),
            key=f"{node.slug}-{number}-{self._topic}",
            pure=False,
            resources=_resources(node.task.tags),
        )
        sent.future.add_done_callback(lambda _: self._heard.put((number, None)))

    def _pack(self, one: Try) -> Any:
        # A task of Dask's and no scattered value: Dask makes it again when the worker that had it is gone.
        with self._packing:
            if (pack := self._packs.get(one.node.slug)) is None:
                data = far.pack_of(one)
                pack = self._client.submit(far.same, data, pure=False)
                self._packs[one.node.slug] = pack

        return pack

    def _on_event(self, event: tuple[Any, tuple[int, bytes]]) -> None:
        number, data = event[1]
        self._heard.put((number, data))

    def _listen(self) -> None:
        while True:
            items = [self._heard.get()]
            while not self._heard.empty():
                items.append(self._heard.get())

            over = []
            for item in items:
                if item is None:
                    return

                number, data = item
                if data is None:
                    over.append(number)
                else:
                    self._repeat(number, data)

            self._settle(over)

    def _repeat(self, number: int, data: bytes) -> None:
        if (sent := self._sent.get(number)) is None:
            return

        for record in pickle.loads(data):
            if isinstance(record, Move):
                if sent.has_begun:
                    LOG.warning("Task '%s': Dask runs it once more: it lost a worker with its result.", record.slug)
                    continue

                sent.has_begun = True

            repeat(record, sent.one.shared.scope.recorder)

    def _settle(self, numbers: list[int]) -> None:
        over = [self._sent.pop(number) for number in numbers]
        good = [sent for sent in over if sent.future.status == "finished"]
        try:
            replies = self._client.gather([sent.future for sent in good])
        except Exception:
            replies = [_result(sent.future) for sent in good]

        for sent, data in zip(good, replies, strict=True):
            if data is None:
                self._lose(sent)
            else:
                keep(sent.promise, partial(heard, sent.one, data, has_begun=sent.has_begun))

        for sent in over:
            if sent not in good:
                self._lose(sent)

    def _lose(self, sent: _Sent) -> None:
        exc = _exception(sent.future)
        is_gone = exc is None or type(exc).__name__ == "KilledWorker"
        sent.losses += 1
        if is_gone and not sent.has_begun and sent.losses < _MOST_LOSSES and sent.future.status != "cancelled":
            self._send(sent)
            return

        why = f"the task's Dask worker could not run it: {exc!r}"
        if is_gone:
            why = "the task's Dask worker has ended, or its cluster has taken the task back"

        keep(sent.promise, partial(sent.one.lost, why, has_begun=sent.has_begun))


def _result(future: Any) -> bytes | None:
    try:
        return bytes(future.result())
    except Exception:
        return None


def _exception(future: Any) -> BaseException | None:
    try:
        found: BaseException | None = future.exception()
    except Exception:
        return None

    return found


def _resources(tags: set[str]) -> dict[str, float] | None:
    found = (tag.removeprefix(_RESOURCE).partition("=") for tag in sorted(tags) if tag.startswith(_RESOURCE))
    return {name: float(number or 1) for name, _, number in found} or None
