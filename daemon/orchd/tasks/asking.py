"""
How code of a flow asks the daemon for something: under the daemon its own one, else the one that the command line
would find.
"""

import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from orchd import clock
from orchd.client import Client, configured, every, places, quote
from orchd.engine.context import context
from orchd.engine.logs import get_logger
from orchd.engine.reuse import BEGAN_ANEW, RUNS_ANEW
from orchd.engine.signals import FAIL
from orchd.errors import NotRunning, OrchdError, StoreError
from orchd.model.ids import FlowRunId

Json = dict[str, Any]

_LOG: Final = get_logger("daemon")
#: Seconds that a request waits at the daemon before it is asked anew.
_WAIT_S: Final = 25.0
#: Seconds between two tries while the daemon's store is away.
_PAUSE_S: Final = 1.0


class Asking:
    """
    A daemon that answers questions of a flow.

    Args:
        client: of its socket.

        run_id: of the run that asks; None for code that no daemon started. Such code is told at once when the daemon
            does not answer; a run waits through a restart of its daemon.
    """

    def __init__(self, client: Client, run_id: str | None) -> None:
        self._client = client
        self.run_id = run_id

    @classmethod
    def here(cls) -> "Asking":
        """
        Give the daemon of the run that this code belongs to, else the one that the command line would find.

        Raises:
            NotRunning: there is none.
        """
        if (own := context.get("_daemon")) is not None:
            socket, run_id = own
            return cls(Client(socket, retry_for_s=float("inf"), on_wait=_tell), run_id)

        path = places.find_socket(None, None, os.environ, configured=lambda: configured)
        return cls(Client(path), None)

    def get(self, path: str, **query: object) -> Json:
        """
        Return the answer to a question.

        Raises:
            OrchdError: the one that the daemon answered with, or that it does not answer.
        """
        return self._surely(lambda: self._client.get(path, **query))

    def post(self, path: str, body: Mapping[str, Any]) -> Json:
        """
        Have something done that may be asked for twice: an answer that is lost is asked for again.

        Raises:
            OrchdError: the one that the daemon answered with, or that it does not answer.
        """
        return self._surely(lambda: self._client.post(path, dict(body)))

    def run(self, run_id: str) -> Json:
        """
        Return all that is known of a run but its log, with all of its task runs.
        """
        run = self.get(f"/runs/{quote(run_id)}")
        if run["tasks_next"] is not None:
            run["tasks"] += every(self.get, f"/runs/{quote(run_id)}/tasks", after=run["tasks_next"])
        return run

    def log(self, run_id: str, *, after: int = -1) -> Iterator[Json]:
        """
        Give the pages of a run's log as it is now, from the line after seq *after* on.
        """
        has_more = True
        while has_more:
            page = self.get(f"/runs/{quote(run_id)}/logs", after=after)
            yield page
            after, has_more = page["next"], page["more"]

    def next_state(self, run_id: str, *, unless: str | None, within_s: float = _WAIT_S) -> Json:
        """
        Return how a run stands, as soon as it is over or its state is another than *unless*; at the latest after
        *within_s* seconds.
        """
        wait_s = None if unless is None else min(within_s, _WAIT_S)
        run: Json = self.get(f"/runs/{quote(run_id)}/state", unless=unless, wait_s=wait_s)["run"]
        return run

    def _surely(self, ask: Callable[[], Json]) -> Json:
        while True:
            try:
                return ask()
            except (NotRunning, StoreError) as error:
                if self.run_id is None:
                    raise

                _LOG.debug("asking again: %s", error)
                threading.Event().wait(_PAUSE_S if isinstance(error, StoreError) else 0)


def _tell() -> None:
    _LOG.warning("The daemon does not answer; waiting for it to come back.")


def call() -> Json | None:
    """
    Give the call of the task that is running, as the daemon knows it again when the task is tried again.

    None for code that no daemon started. Calls of one task run are counted; those of one iteration of a loop are
    counted for themselves.
    """
    own = context.get("_daemon")
    if own is None:
        return None

    _, run_id = own
    slug = context.get("task_slug")
    if slug is None or context.get("flow_run_id") != run_id:
        # A flow that user code runs inside of a task: its tasks are none of the run's own.
        return {"run": run_id, "call": f"{slug or 'code'}.{uuid.uuid4()}"}

    loop, count = context.get("task_loop_count", 1), 0
    before = context.get("_calls")
    if before is not None and before[0] == loop:
        count = before[1] + 1
    context["_calls"] = (loop, count)
    index = context.get("map_index")
    name = slug if index is None else f"{slug}[{index}]"
    return {
        "run": run_id,
        "call": f"{name}.{loop}-{count}",
        "attempt": context.get("task_run_count", 1),
        "is_anew": bool(context.get(RUNS_ANEW)),
    }


def start(
    *,
    flow: str,
    project: str | None,
    parameters: Mapping[str, Any] | None,
    at: str | None,
    run_name: str | None,
    idempotency_key: str | None,
) -> Json:
    """
    Have the daemon start a run of *flow*, and return how it stands. The same call of a task that is tried again is
    given the run of before, unless that one did not succeed.

    Args:
        at: not before this instant, as ISO text with its offset.

    Raises:
        FAIL: it cannot be started; one sentence says why.
    """
    asked = call()
    body = {
        "flow": flow,
        "project": project or None,
        "parameters": dict(parameters or {}),
        "at": at,
        "name": run_name,
        "idempotency_key": idempotency_key or (str(uuid.uuid4()) if asked is None else None),
        "call": asked,
    }
    asked_at = clock.now()
    try:
        run: Json = Asking.here().post("/runs", body)["run"]
    except OrchdError as error:
        raise FAIL(f"Flow '{flow}' cannot be started: {error}") from None
    except (TypeError, ValueError) as error:
        raise FAIL(f"Flow '{flow}' cannot be started: its parameters cannot be said in JSON: {error}") from None

    context[BEGAN_ANEW] = datetime.fromisoformat(run["created_at"]) >= asked_at
    return run


class Waiting:
    """
    A block in which the task that is running does nothing but wait for a run: its own run holds no place meanwhile.
    """

    def __init__(self, child: str) -> None:
        self._child = FlowRunId(child)
        slug, index, recorder = context.get("task_slug"), context.get("map_index"), context.get("_recorder")
        self._told = None if recorder is None or slug is None else (recorder, slug, -1 if index is None else index)

    def __enter__(self) -> None:
        self._tell(self._child)

    def __exit__(self, *_: object) -> None:
        self._tell(None)

    def _tell(self, child: str | None) -> None:
        if self._told is not None:
            recorder, slug, index = self._told
            recorder.wait(slug=slug, map_index=index, child=child)
