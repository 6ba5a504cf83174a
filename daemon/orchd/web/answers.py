"""
Read models as responses, and what the OpenAPI document says of errors.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec
from fastapi import Response
from pydantic import BaseModel, Field

from orchd.model.ids import FlowRunId, run_name
from orchd.model.states import FlowRunState
from orchd.store.queries import RunView, SlotView
from orchd.web.daemon import Daemon
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


def with_slot_holds(daemon: Daemon, slots: Iterable[SlotView]) -> list[SlotView]:
    """
    Have the sentence of each of *slots* tell why its run is held, if it is.
    """
    holds = daemon.holds()
    return [
        msgspec.structs.replace(slot, sentence=f"{slot_sentence(slot, holds)}, and is {held}")
        if (held := holds.get(slot.run or ""))
        else slot
        for slot in slots
    ]


def slot_sentence(slot: SlotView, holds: Mapping[str, str]) -> str:
    """
    Return the sentence of *slot*; of a run that is held it says that it was made, as nothing has started yet.
    """
    if slot.run is None or slot.run not in holds:
        return slot.sentence

    return f"run {run_name(FlowRunId(slot.run))} was {slot.sentence.replace('started', 'made', 1)}"
