"""
Read models as responses, and what the OpenAPI document says of errors.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec
from fastapi import Response
from pydantic import BaseModel, Field

from orchd.model.states import FlowRunState
from orchd.store.queries import RunView
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
