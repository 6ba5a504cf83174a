"""
Waiting for the end of a run, and telling what it does meanwhile.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from orchd import clock
from orchd.engine.context import context
from orchd.engine.logs import get_logger
from orchd.engine.signals import FAIL
from orchd.errors import OrchdError
from orchd.model.states import FlowRunState
from orchd.tasks.asking import Asking, Json, Waiting
from orchd.tasks.run_views import state_of

_LOG: Final = get_logger("watch_flow_run")
#: Seconds between two looks at the log of a run whose lines are wanted.
_LINES_S: Final = 1.0


def wait_for_end(
    run_id: str, *, seen: Callable[[Json], None] | None = None, within_s: float = float("inf"), look_s: float = 25.0
) -> Json:
    """
    Return how the run *run_id* ended, as soon as it has.

    Args:
        seen: called with how it stands at each look.

        within_s: longest wait, in seconds.

        look_s: longest time between two looks.

    Returns:
        The run; still going when *within_s* were over.

    Raises:
        FAIL: there is no such run, it is the one that asks, or no daemon answers.
    """
    try:
        asking = Asking.here()
        run = asking.next_state(run_id, unless=None)
        if run["id"] == asking.run_id:
            raise FAIL(f"Run {run['name']} cannot wait for its own end.")

        if seen is not None:
            seen(run)
        if FlowRunState(run["state"]).is_final:
            return run

        with Waiting(run["id"]):
            return _followed(asking, run, seen or _ignore, within_s=within_s, look_s=look_s)
    except OrchdError as error:
        raise FAIL(f"Run {run_id} cannot be waited for: {error}") from None


def _followed(asking: Asking, run: Json, seen: Callable[[Json], None], *, within_s: float, look_s: float) -> Json:
    deadline = clock.monotonic() + within_s
    while not FlowRunState(run["state"]).is_final and (left_s := deadline - clock.monotonic()) > 0:
        run = asking.next_state(run["id"], unless=run["state"], within_s=min(left_s, look_s))
        seen(run)
    return run


def watched(run_id: str, *, stream_states: bool, stream_logs: bool, max_duration: timedelta) -> Json:
    """
    Wait for the end of a run, and log what is wanted of it meanwhile.

    Raises:
        RuntimeError: it took longer than *max_duration*.
    """
    teller = _Teller(states=stream_states, lines=stream_logs)
    look_s = _LINES_S if stream_logs else 25.0
    run = wait_for_end(run_id, seen=teller.tell, within_s=max_duration.total_seconds(), look_s=look_s)
    if not FlowRunState(run["state"]).is_final:
        raise RuntimeError(
            f"`watch_flow_run` timed out after {max_duration.total_seconds() / 3600} hours of waiting for completion. "
            f"Your flow run {run['id']} may still be in progress."
        )

    return run


class _Teller:
    """
    Logs the states and the lines of a run, each once.
    """

    def __init__(self, *, states: bool, lines: bool) -> None:
        self._states = states
        self._lines = lines
        self._state: str | None = None
        self._after = -1
        self._log: Any = context.get("logger") or _LOG

    def tell(self, run: Json) -> None:
        """
        Log what is new.
        """
        if self._lines:
            self._tell_lines(run)
        if self._states and run["state"] != self._state:
            self._state = run["state"]
            state = state_of(run)
            told = run.get("held") or state.message
            self._log.info("Flow '%s': Entered state <%s>: %s", run["flow"], type(state).__name__, told)

    def _tell_lines(self, run: Json) -> None:
        for page in Asking.here().log(run["id"], after=self._after):
            for line in page["lines"]:
                self._log.log(line["level"], "Flow '%s': %s", run["flow"], line["text"])
            self._after = page["next"]


def _ignore(run: Json) -> None:
    pass
