"""
What a schedule with ``wait_for`` waits for: which run of another flow lets its run start.

Of ``within`` the newest run of the flow counts that was wanted so long before the fire time or later, but not after
the fire time: it must have succeeded. When it has not, or there is none, any newer one that succeeds will do. Of
``same_slot`` the runs of the same fire time count: one of them must have succeeded.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from orchd.model.ids import FlowRunId, run_name
from orchd.model.instants import iso
from orchd.model.specs import WaitSpec
from orchd.model.states import FlowRunState

_UNITS: Final = ((3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedRun:
    """
    A run of a flow that somebody waits for.
    """

    run_id: FlowRunId
    #: Its place among all runs: a later attempt has a higher one.
    number: int
    state: FlowRunState
    wanted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    How one wait stands.
    """

    #: The run that meets it; None while none does.
    met_by: FlowRunId | None
    #: The newest of all runs that might meet it; None when there is none.
    newest: AwaitedRun | None


def answer(wait: WaitSpec, runs: Iterable[AwaitedRun], *, fire_time: datetime) -> Answer:
    """
    Say how *wait* stands for the run of *fire_time*.

    Args:
        runs:
            those of the flow that *wait* is about: of ``same_slot`` those of the same fire time, of ``within`` all that
            are young enough. Of these the newest up to the fire time, the newest that succeeded and the newest of all
            are enough.
    """
    known = sorted(runs, key=_age)
    up_to = [run for run in known if wait.same_slot or run.wanted_at <= fire_time]
    good = [run for run in known if run.state is FlowRunState.SUCCESS]
    newest = up_to[-1] if up_to else None
    if good and (wait.same_slot or newest is None or _age(good[-1]) >= _age(newest)):
        return Answer(met_by=good[-1].run_id, newest=known[-1])

    return Answer(met_by=None, newest=known[-1] if known else None)


def oldest(wait: WaitSpec, fire_time: datetime) -> datetime:
    """
    Return from when on a run of the flow must have been wanted, to count for *fire_time*.
    """
    return fire_time if wait.within_s is None else fire_time - timedelta(seconds=wait.within_s)


def deadline(wait: WaitSpec, fire_time: datetime) -> datetime | None:
    """
    Return when a run of *fire_time* waits no longer; None when it waits for ever.
    """
    return None if wait.timeout_s is None else fire_time + timedelta(seconds=wait.timeout_s)


def words(wait: WaitSpec) -> str:
    """
    Return what is waited for, in words.
    """
    if wait.within_s is None:
        return f"the run of flow '{wait.flow}' of the same fire time"

    return f"a run of flow '{wait.flow}' at most {_length(wait.within_s)} old"


def reason(wait: WaitSpec, found: Answer, *, fire_time: datetime) -> str:
    """
    Return what is waited for, how that stands, and until when: the end of the sentence of a held run.
    """
    until = deadline(wait, fire_time)
    limit = "" if until is None else f", until {iso(until)}"
    return f"{words(wait)}; {_standing(found)}{limit}"


def given_up(wait: WaitSpec, found: Answer) -> str:
    """
    Return why a run is cancelled whose wait was not met in time.
    """
    return f"waited {_length(wait.timeout_s or 0)} for {words(wait)}; {_standing(found)}"


def _standing(found: Answer) -> str:
    if found.newest is None:
        return "there is none yet"

    return f"the newest, {run_name(found.newest.run_id)}, is {found.newest.state.shown}"


def _length(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"

    return f"{seconds:g} s"


def _age(run: AwaitedRun) -> tuple[datetime, int]:
    return run.wanted_at, run.number
