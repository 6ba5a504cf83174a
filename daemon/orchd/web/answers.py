"""
Read models as responses, and what the OpenAPI document says of errors.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec
from fastapi import Response
from pydantic import BaseModel, Field

from orchd.errors import NotFound
from orchd.model.ids import FlowRunId, run_name
from orchd.model.states import FlowRunState
from orchd.store import queries
from orchd.store.database import Connection
from orchd.store.queries import RunView, SlotView
from orchd.web.daemon import Daemon, Json
from orchd.web.fire_times import with_local

R = TypeVar("R", bound=RunView)


class ErrorFacts(BaseModel):
    """
    What went wrong.
    """

    code: str = Field(description="a word for programs, such as `not_found`")
    message: str = Field(description="one sentence: what happened, with which value, what to do")
    field: str | None = Field(description="the part of the request that cannot be meant, if it is one")


class ErrorBody(BaseModel):
    """
    The body of every answer whose status is 400 or more.
    """

    error: ErrorFacts


def answer(body: Mapping[str, object] | msgspec.Struct, *, status: int = 200) -> Response:
    """
    Give *body*, which may be or hold read models, as a JSON response.
    """
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")


def with_holds(daemon: Daemon, runs: Iterable[R]) -> list[R]:
    """
    Fill in why each of *runs* is held, if it is, with the local time of its schedule's zone beside each UTC one.
    """
    shown = list(runs)
    # Asked only when it can matter: in a herd there are thousands of reasons.
    if all(run.state != FlowRunState.SCHEDULED for run in shown):
        return shown

    holds = daemon.holds()
    return [
        msgspec.structs.replace(run, held=with_local(holds[run.id], daemon.timezone_of(run.schedule)))
        if run.id in holds
        else run
        for run in shown
    ]


def upcoming(daemon: Daemon, schedule: str, *, n: int) -> Sequence[Json]:
    """
    Return the next *n* fire times of *schedule*; none when the daemon does not know it yet.
    """
    # In the middle of a reload the store knows a new schedule a moment before the board does.
    with contextlib.suppress(NotFound):
        return daemon.upcoming(schedule, n=n, after=None)

    return ()


def with_slot_holds(daemon: Daemon, conn: Connection, slots: Iterable[SlotView]) -> list[SlotView]:
    """
    Have the sentence of each of *slots* tell why its run is held, if it is, or never began.
    """
    shown, holds = list(slots), daemon.holds()
    given_up = queries.given_up(conn, [slot.run for slot in shown if slot.run])
    return [msgspec.structs.replace(slot, sentence=_told(slot, holds, given_up)) for slot in shown]


def _told(slot: SlotView, holds: Mapping[str, str], given_up: Mapping[str, str]) -> str:
    if slot.run is None:
        return slot.sentence
    if (message := given_up.get(slot.run)) is not None:
        return f"{_made(slot)}, and never began: {message}"
    if (held := holds.get(slot.run)) is not None:
        return f"{_made(slot)}, and is {held}"

    return slot.sentence


def slot_sentence(conn: Connection, slot: SlotView, holds: Mapping[str, str]) -> str:
    """
    Return the sentence of *slot*; of a run that is held, or was given up before it began, it says that it was made, as
    nothing has started.
    """
    if slot.run is None or not (slot.run in holds or queries.given_up(conn, [slot.run])):
        return slot.sentence

    return _made(slot)


def _made(slot: SlotView) -> str:
    return f"run {run_name(FlowRunId(slot.run or ''))} was {slot.sentence.replace('started', 'made', 1)}"
