"""
What crosses over to a Dask worker and what it does there: unpacks a task, makes one try, and sends back what happens.
"""

import ctypes
import functools
import importlib
import io
import pickle
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any, Final

from orchd.engine.context import Lazy
from orchd.engine.executors.wire import Outbox, Record, far_dumps, told
from orchd.engine.handlers import LOG
from orchd.engine.logs import ROOT, RecorderHandler, get_logger
from orchd.engine.recorder import NullRecorder
from orchd.engine.settings import config
from orchd.engine.state import State
from orchd.engine.tries import Shared, Try
from orchd.graph.graph import Node

#: Of this process: a worker that has the same is a thread of the flow run's own process.
_HOME: Final = uuid.uuid4().hex
#: Keys of the context that every process has of itself.
_OWN_KEYS: Final = ("config", "logger")
#: Unpacked tasks that a worker remembers.
_REMEMBERED: Final = 64


class _PerThread(threading.local):
    def __init__(self) -> None:
        self.outbox: Outbox | None = None


class _Lines:
    """
    Hands each line to the outbox of the try that this thread makes.
    """

    def __init__(self) -> None:
        self.thread = _PerThread()
        self._last: Outbox | None = None

    def speak_through(self, outbox: Outbox) -> None:
        """
        Let lines of this thread go to *outbox*; those of threads that make no try go there too until the next is set.
        """
        self.thread.outbox = self._last = outbox

    def log(self, *, level: int, logger: str, text: str, slug: str | None, map_index: int) -> None:
        """
        Hand the line on.
        """
        outbox = self.thread.outbox or self._last
        if outbox is not None:
            outbox.log(level=level, logger=logger, text=text, slug=slug, map_index=map_index)


_LINES: Final = _Lines()


class _Near:
    """
    The tries that Dask makes in threads of the flow run's own process, which no end of a worker process ends.
    """

    def __init__(self) -> None:
        #: Thread -> the topic of the pass whose try it makes.
        self._busy: dict[int, str] = {}
        self._over: set[str] = set()

    @contextmanager
    def making(self, topic: str) -> Iterator[None]:
        """
        Let this thread be interrupted meanwhile.

        Raises:
            KeyboardInterrupt: the pass has been given up.
        """
        ident = threading.get_ident()
        self._busy[ident] = topic
        try:
            if topic in self._over:
                raise KeyboardInterrupt

            yield
        finally:
            self._busy.pop(ident, None)

    def give_up(self, topic: str) -> None:
        """
        Have no more tries made for the pass of *topic*: those that are being made end by KeyboardInterrupt.
        """
        self._over.add(topic)
        for ident in [ident for ident, of in list(self._busy.items()) if of == topic]:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(KeyboardInterrupt))


NEAR: Final = _Near()


def same(data: bytes) -> bytes:
    """
    Return *data*: a task of Dask's, so that it is on each worker that needs it.
    """
    return data


def pack_of(one: Try) -> bytes:
    """
    Return the task of *one*, and what all tries of the pass share, as bytes.

    Raises:
        Exception: something of it cannot be pickled.
    """
    node, shared = one.node, one.shared
    own = {node.task: keys} if (keys := shared.scope.task_contexts.get(node.task)) else {}
    scope = replace(shared.scope, values=_portable(shared.scope.values), recorder=NullRecorder(), task_contexts=own)
    parts = (node.task, node.slug, node.upstream, dict(node.constants), node.is_mapped, node.is_flattened)
    return far_dumps((uuid.uuid4().hex, far_dumps((parts, scope, shared.now)), _HOME, ROOT.getEffectiveLevel()))


def job_of(one: Try, upstream: Sequence[State]) -> bytes:
    """
    Return what differs from try to try as bytes.

    Raises:
        Exception: something of it cannot be pickled.
    """
    return far_dumps((one.state, one.index, list(upstream)))


def work(pack: bytes, job: bytes, back: tuple[str, int]) -> bytes:
    """
    Make the try that :func:`pack_of` and :func:`job_of` tell of, in a Dask worker, and return its reply.

    Args:
        back: the topic on which records are sent, and the number of the try.
    """
    worker = importlib.import_module("distributed").get_worker()
    topic, number = back

    def send(records: Sequence[Record]) -> None:
        worker.log_event(topic, (number, pickle.dumps(records)))

    key, data, home, level = pickle.loads(pack)
    outbox = Outbox(send=send)
    if home != _HOME:
        _listen_to_loggers(level)
        _LINES.speak_through(outbox)

    node, scope, now = _unpacked(key, data)
    state, index, upstream = pickle.loads(job)
    one = Try(shared=Shared(scope=scope, nodes={}, now=now), node=node, state=state, index=index)
    with NEAR.making(topic) if home == _HOME else nullcontext():
        return told(one, upstream, outbox, dumps=far_dumps)


@functools.lru_cache(maxsize=_REMEMBERED)
def _unpacked(key: str, data: bytes) -> tuple[Node[Any], Any, Any]:
    (task, slug, upstream, constants, is_mapped, is_flattened), scope, now = pickle.loads(data)
    node = Node(
        task=task,
        slug=slug,
        upstream=upstream,
        constants=constants,
        is_mapped=is_mapped,
        is_flattened=is_flattened,
    )
    return node, replace(scope, values={**scope.values, "config": config, "logger": LOG}), now


def _listen_to_loggers(level: int) -> None:
    if not any(isinstance(each, RecorderHandler) for each in ROOT.handlers):
        ROOT.handlers[:] = [RecorderHandler(_LINES)]
        ROOT.propagate = False
        for stream in (sys.stdout, sys.stderr):
            # A print is one write, so that workers that share a file do not tear each other's lines.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(line_buffering=True, write_through=False)

    ROOT.setLevel(level)


def _portable(values: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the keys of the context that can leave this process; a warning names the others.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name in _OWN_KEYS or isinstance(value, Lazy):
            continue

        try:
            far_dumps(value)
        except Exception as exc:
            get_logger("TaskRunner").warning("The context's key '%s' does not reach Dask workers: %r", name, exc)
        else:
            found[name] = value

    return found
