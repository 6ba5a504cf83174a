"""
A list of runs that a person filters and turns the pages of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from orchd.errors import UsageError
from orchd.model.instants import to_us
from orchd.model.names import shown
from orchd.model.states import FlowRunState
from orchd.store import queries
from orchd.store.database import Connection
from orchd.store.queries import RunView

_PER_PAGE: Final = 50
#: Runs that are looked at for a text, so that one which is nowhere costs a page no more than one that is.
_SEARCHED: Final = 10_000
#: What a person means by a state -> the states of runs.
STATES: Final[Mapping[str, tuple[FlowRunState, ...]]] = {
    "": (),
    "running": (FlowRunState.PENDING, FlowRunState.RUNNING, FlowRunState.WAITING, FlowRunState.CANCELLING),
    "held": (FlowRunState.SCHEDULED,),
    "succeeded": (FlowRunState.SUCCESS,),
    "failed": (FlowRunState.FAILED, FlowRunState.TIMED_OUT, FlowRunState.CRASHED),
    "cancelled": (FlowRunState.CANCELLED,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunList:
    """
    One page of runs, newest first, and where the next one is.
    """

    runs: tuple[RunView, ...]
    states: tuple[str, ...]
    state: str
    #: As typed: a day in UTC, or empty; both days are in it.
    since: str
    until: str
    parameter: str
    #: Query of the next page; None when this is the last one.
    older: str | None
    #: How many runs were looked at, when not all were.
    searched: int | None
    #: Not every run was asked for.
    is_filtered: bool


def run_list(conn: Connection, asked: Mapping[str, str], *, flow: str | None) -> RunList:
    """
    Return the page that *asked* (a query: ``state``, ``since``, ``until``, ``parameter``, ``before``) means.

    Raises:
        UsageError: one of them cannot be meant.
    """
    state, parameter = asked.get("state", ""), asked.get("parameter", "")
    since, until = asked.get("since", ""), asked.get("until", "")
    if state not in STATES:
        raise UsageError(f"{shown(state)} is no state; write one of {', '.join(word for word in STATES if word)}")

    word = asked.get("before", "")
    before = int(word) if word.isdecimal() and len(word) < 19 else _after_day(conn, until)
    end = None
    if parameter:
        end = queries.search_end(conn, flow=flow, states=STATES[state], before=before, count=_SEARCHED)
    found = queries.runs(
        conn,
        flow=flow,
        states=STATES[state],
        since_us=day_us(since) if since else None,
        parameter=parameter or None,
        before=before,
        after=end,
        # One more than is shown: the last one is told apart from it.
        limit=_PER_PAGE + 1,
    )
    keep = {"state": state, "since": since, "until": until, "parameter": parameter}
    more = {name: text for name, text in keep.items() if text}
    is_full = len(found) > _PER_PAGE
    # The run at which the search ended was not looked at.
    next_before = found[_PER_PAGE - 1].number if is_full else None if end is None else end + 1
    older = None if next_before is None else urlencode({**more, "before": next_before})
    searched = _SEARCHED if end is not None and not is_full else None
    return RunList(
        runs=tuple(found[:_PER_PAGE]),
        states=tuple(STATES),
        state=state,
        since=since,
        until=until,
        parameter=parameter,
        older=older,
        searched=searched,
        is_filtered=bool(more or word),
    )


def _after_day(conn: Connection, text: str) -> int | None:
    """
    Return the number of the first run that was made after the day of *text*; None when there is none, or no day.
    """
    return queries.first_made(conn, day_us(text, days=1)) if text else None


def day_us(text: str, *, days: int = 0) -> int:
    """
    Return the instant at which the day of *text* begins in UTC, or one so many *days* later.

    Raises:
        UsageError: *text* is no day.
    """
    try:
        return to_us(datetime.fromisoformat(f"{text}T00:00:00+00:00") + timedelta(days=days))
    except (ValueError, OverflowError):
        raise UsageError(f"{shown(text)} is no day; write one such as 2026-11-23") from None
