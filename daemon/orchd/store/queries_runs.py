"""
Questions about runs. Every list is a page by run number, which an index answers whatever the store holds.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from orchd.errors import Ambiguous, NotFound, UsageError
from orchd.model.ids import FlowRunId
from orchd.model.instants import duration_s, from_us, iso, iso_us
from orchd.model.names import shown
from orchd.model.states import FINAL_FLOW_RUN_STATES, FlowRunState, TaskRunState
from orchd.store import attempts
from orchd.store import runs as stored
from orchd.store.children import children
from orchd.store.database import Connection
from orchd.store.queries_tasks import all_moves, run_moves, task_key, task_names, task_runs, task_view
from orchd.store.runs import RunRow
from orchd.store.schema import flow, flow_run, task_run
from orchd.store.views import RunDetail, RunView, TaskSummary, TaskView

_C: Final = flow_run.c
#: The state, but not for an index: SQLite would else walk every run of a state ever made, not those of the last day.
_STATE: Final = _C.state.concat(sa.literal_column("''"))
_PARAMETERS: Final = msgspec.json.Decoder(dict[str, object])
#: So many are shown with their parent; `orchd runs` lists them all.
_MOST_CHILDREN: Final = 500
#: So many task runs are shown with their run; `task_runs` gives them all.
_MOST_TASKS: Final = 500
#: Shortest beginning of an id that is looked for; a shorter word can only be a name.
_SHORTEST_PREFIX: Final = 4
#: States of a task that need nobody's look.
_FINE: Final = (TaskRunState.SUCCESS.value, TaskRunState.CACHED.value)
_HEX: Final = frozenset("0123456789abcdef-")


def runs(
    conn: Connection,
    *,
    flow: str | None = None,
    states: Collection[FlowRunState] = (),
    since_us: int | None = None,
    parameter: str | None = None,
    limit: int = 50,
    before: int | None = None,
    after: int | None = None,
) -> list[RunView]:
    """
    Return a page of runs, newest first.

    Args:
        states: only runs in one of these; all when empty.

        since_us: only runs made at or after it.

        parameter: only runs in whose parameters (as JSON) this text is.

        before: only runs of a smaller number (the next page).

        after: only runs of a greater number (what is new).
    """
    page = sa.select(_C.number).order_by(_C.number.desc()).limit(limit)
    if flow is not None:
        page = page.where(_C.flow == flow)
    if since_us is not None:
        oldest = first_made(conn, since_us)
        if oldest is None:
            return []

        page = page.where(_C.created_at_us >= since_us, _C.number >= oldest)
    if before is not None:
        page = page.where(_C.number < before)
    if after is not None:
        page = page.where(_C.number > after)
    if parameter is not None:
        page = page.where(_C.parameters.contains(parameter, autoescape=True))
    return _views(conn, _each_state(page, states), limit)


def first_made(conn: Connection, since_us: int) -> int | None:
    """
    Return the number of the first run that was made at or after *since_us*; None when there is none.
    """
    asked = sa.select(_C.number).where(_C.created_at_us >= since_us).order_by(_C.created_at_us).limit(1)
    found: int | None = conn.execute(asked).scalar()
    return found


def search_end(
    conn: Connection, *, flow: str | None, states: Collection[FlowRunState], before: int | None, count: int
) -> int | None:
    """
    Return the number of the run at which a search of *count* runs ends that begins with the newest one; None when there
    are fewer. An index alone answers it.
    """
    page = sa.select(_C.number).order_by(_C.number.desc()).limit(1).offset(count)
    if flow is not None:
        page = page.where(_C.flow == flow)
    if before is not None:
        page = page.where(_C.number < before)
    return max(conn.execute(_each_state(page, states)).scalars(), default=None)


def _each_state(page: sa.Select[int], states: Collection[FlowRunState]) -> sa.Select[int] | sa.CompoundSelect[int]:
    """
    Ask *page* once for each state: an index gives each in order, but not several of them merged.
    """
    if not states:
        return page

    each = [page.where(_C.state == state.value).subquery() for state in sorted(states)]
    return sa.union_all(*(sa.select(part.c.number) for part in each))


def _views(conn: Connection, numbers: sa.Select[int] | sa.CompoundSelect[int], limit: int) -> list[RunView]:
    found = conn.execute(numbers).scalars().all()
    rows = stored.by_numbers(conn, sorted(found, reverse=True)[:limit])
    return [run_view(row) for row in sorted(rows, key=lambda row: -row.number)]


def live_runs(conn: Connection, *, states: Iterable[FlowRunState], limit: int = 100) -> list[RunView]:
    """
    Return the oldest runs in *states*, oldest first: what runs now, or what is held.
    """
    numbers = sa.select(_C.number).order_by(_C.number).limit(limit)
    found = conn.execute(numbers.where(_C.state.in_(sorted(states)))).scalars().all()
    return [run_view(row) for row in stored.by_numbers(conn, found)]


def ended_runs(conn: Connection, *, states: Collection[FlowRunState], since_us: int, limit: int = 5) -> list[RunView]:
    """
    Return the runs that ended in one of *states* at or after *since_us*, the one that ended last first.
    """
    numbers = (
        sa.select(_C.number)
        .where(_C.ended_at_us >= since_us, _STATE.in_(sorted(states)))
        .order_by(_C.ended_at_us.desc(), _C.number.desc())
        .limit(limit)
    )
    order = conn.execute(numbers).scalars().all()
    rows = {row.number: row for row in stored.by_numbers(conn, order)}
    return [run_view(rows[number]) for number in order]


def counts(conn: Connection, *, since_us: int) -> dict[str, int]:
    """
    Return state -> how many runs: those that are not final now, and those that ended at or after *since_us*.
    """
    live = set(FlowRunState) - FINAL_FLOW_RUN_STATES
    counted = sa.func.count().label("runs")
    now = sa.select(_C.state, counted).where(_C.state.in_(sorted(live))).group_by(_C.state)
    ended = sa.select(_STATE, counted).where(_C.ended_at_us >= since_us).group_by(_STATE)
    return {state: count for asked in (now, ended) for state, count in conn.execute(asked)}


def latest_run(conn: Connection, flow: str) -> RunView | None:
    """
    Return the newest run of *flow*, if it ever ran.
    """
    return next(iter(runs(conn, flow=flow, limit=1)), None)


def latest_runs(conn: Connection, flows: Collection[str]) -> dict[str, RunView]:
    """
    Return flow -> its newest run, for those of *flows* that ever ran.
    """
    newest = sa.select(sa.func.max(_C.number)).where(_C.flow == flow.c.name).correlate(flow).scalar_subquery()
    asked = sa.select(newest).where(flow.c.name.in_(flows))
    found = [number for number in conn.execute(asked).scalars() if number is not None]
    return {row.flow: run_view(row) for row in stored.by_numbers(conn, found)}


def run_states(conn: Connection, ids: Collection[str]) -> dict[str, FlowRunState]:
    """
    Return id -> state of those of the runs *ids* that the store still has.
    """
    asked = sa.select(_C.id, _C.state).where(_C.id.in_(ids))
    return {run_id: FlowRunState(state) for run_id, state in conn.execute(asked)}


def given_up(conn: Connection, ids: Collection[str]) -> dict[str, str]:
    """
    Return id -> message of those of the runs *ids* that ended before their process began.
    """
    asked = sa.select(_C.id, _C.message).where(_C.id.in_(ids), _C.ended_at_us.is_not(None), _C.started_at_us.is_(None))
    return {row.id: row.message for row in conn.execute(asked)}


def has_flow(conn: Connection, name: str) -> bool:
    """
    Tell whether a flow of that name was ever described.
    """
    return conn.execute(sa.select(flow.c.id).where(flow.c.name == name)).scalar() is not None


def task_slugs(conn: Connection, row: RunRow) -> list[str]:
    """
    Return the slugs of the tasks of a run: those of its flow as it was, and what it ran besides.
    """
    ran = conn.execute(sa.select(task_run.c.slug).where(task_run.c.run_number == row.number).distinct()).scalars()
    return sorted({*task_names(conn, row), *ran})


def find_run(conn: Connection, ref: str) -> RunRow:
    """
    Return the run that *ref* means: a whole id, a name, or the beginning of an id (4 characters and more).

    Raises:
        NotFound: no run fits.

        Ambiguous: several do.

        UsageError: it is the beginning of an id, but too short a one.
    """
    fits = _C.name == ref
    if len(ref) >= _SHORTEST_PREFIX and _HEX.issuperset(ref):
        fits = sa.or_(fits, sa.and_(_C.id >= ref, _C.id < f"{ref}g"))
    found = conn.execute(sa.select(_C.number, _C.name).where(fits).order_by(_C.number.desc()).limit(4)).all()
    if len(found) > 1:
        names = ", ".join(name for _, name in found[:3])
        raise Ambiguous(f"several runs fit {ref!r} ({names}{' ...' if len(found) > 3 else ''}): write more of the id")
    if not found:
        if ref and len(ref) < _SHORTEST_PREFIX and _HEX.issuperset(ref):
            raise UsageError(f"{shown(ref)} is too short: write at least {_SHORTEST_PREFIX} characters of the id")

        raise NotFound(f"there is no run {shown(ref)}: `orchd runs` lists those that there are")

    return stored.by_numbers(conn, [found[0].number])[0]


def run_view(row: RunRow) -> RunView:
    """
    Return how *row* is shown in a list.
    """
    return RunView(
        id=row.id,
        number=row.number,
        name=row.name,
        flow=row.flow,
        state=row.state.value,
        shown=row.state.shown,
        schedule=row.schedule,
        fire_time=iso_us(row.fire_time_us),
        trigger=row.trigger,
        created_at=iso(from_us(row.created_at_us)),
        started_at=iso_us(row.started_at_us),
        ended_at=iso_us(row.ended_at_us),
        duration_s=duration_s(row.started_at_us, row.ended_at_us),
        attempt=row.attempt,
        message=row.message,
        parameters=_PARAMETERS.decode(row.parameters),
        host=row.host,
        parent_run_id=row.parent_run_id,
        resumed_from=row.resumed_from,
    )


def run_detail(conn: Connection, run_id: FlowRunId, *, is_brief: bool = False) -> RunDetail:
    """
    Return what is known of a run but its log: of its task runs the first by their key, and of all moves those of the
    run itself alone when they are too many.

    Args:
        is_brief: leave ``tasks`` and ``events`` empty.

    Raises:
        NotFound: there is no such run.
    """
    row = stored.get(conn, run_id)
    view = run_view(row)
    parent = stored.find(conn, FlowRunId(row.parent_run_id)) if row.parent_run_id else None
    before = stored.find(conn, FlowRunId(row.resumed_from)) if row.resumed_from else None
    after = stored.find(conn, attempts.id_after(row))
    tasks = [] if is_brief else task_runs(conn, row, limit=_MOST_TASKS + 1)
    moves = () if is_brief else all_moves(conn, row.number)
    return RunDetail(
        **{field: getattr(view, field) for field in view.__struct_fields__},
        tasks=tuple(sorted(tasks[:_MOST_TASKS], key=_began)),
        tasks_next=task_key(tasks[_MOST_TASKS - 1]) if len(tasks) > _MOST_TASKS else None,
        events=run_moves(conn, row.number) if moves is None else moves,
        has_all_events=moves is not None,
        upstream_runs=row.upstream_runs,
        created_by=row.created_by,
        peak_rss_kib=row.peak_rss_kib,
        exit_code=row.exit_code,
        signal=row.signal,
        parent=None if parent is None else run_view(parent),
        children=tuple(map(run_view, children(conn, row.id, limit=_MOST_CHILDREN))),
        before=None if before is None else run_view(before),
        after=None if after is None else run_view(after),
    )


def _began(task: TaskView) -> str:
    # Without the Z, which is greater than the point of a fraction.
    return (task.started_at or task.ended_at or "").removesuffix("Z")


def task_summaries(conn: Connection, row: RunRow, *, children: int) -> list[TaskSummary]:
    """
    Return the tasks of a run in the order in which they began, each with how its children went.

    Args:
        children: at most so many of each mapped task are given, those that did not succeed first.
    """
    t, names = task_run.c, task_names(conn, row)
    began = sa.func.coalesce(t.started_at_us, t.ended_at_us)
    of_run = t.run_number == row.number
    counted = (
        sa.select(
            t.slug,
            t.state,
            sa.func.sum(sa.case((t.map_index >= 0, 1), else_=0)).label("children"),
            sa.func.min(began).label("began"),
            sa.func.max(t.ended_at_us).label("ended"),
            sa.func.count(t.ended_at_us).label("over"),
            sa.func.count().label("all"),
        )
        .where(of_run)
        .group_by(t.slug, t.state)
    )
    states: dict[str, list[sa.Row[*tuple[Any, ...]]]] = {}
    for part in conn.execute(counted):
        states.setdefault(part.slug, []).append(part)
    parents = {task.slug: task for task in conn.execute(sa.select(task_run).where(of_run, t.map_index < 0))}
    return sorted(
        (
            _summary(slug, parts, parents.get(slug), _first_children(conn, row.number, slug, parts, children), names)
            for slug, parts in states.items()
        ),
        key=lambda each: (each.began_at or "", each.task.slug),
    )


def _first_children(
    conn: Connection, number: int, slug: str, parts: Iterable[sa.Row[*tuple[Any, ...]]], limit: int
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    t = task_run.c
    if not any(part.children for part in parts):
        return []

    asked = sa.select(task_run).where(t.run_number == number, t.slug == slug, t.map_index >= 0)
    return conn.execute(asked.order_by(t.state.in_(_FINE), t.map_index).limit(limit)).all()


def _summary(
    slug: str,
    parts: Sequence[sa.Row[*tuple[Any, ...]]],
    parent: sa.Row[*tuple[Any, ...]] | None,
    children: Sequence[sa.Row[*tuple[Any, ...]]],
    names: Mapping[str, str],
) -> TaskSummary:
    counts = {TaskRunState(part.state).shown: int(part.children) for part in parts if part.children}
    is_over = all(part.over == part.all for part in parts)
    starts = [part.began for part in parts if part.began is not None]
    return TaskSummary(
        task=task_view(parent if parent is not None else children[0], names),
        children=tuple(task_view(child, names) for child in children),
        counts=dict(sorted(counts.items(), key=lambda each: -each[1])),
        states=tuple(part.state for part in parts if part.children or part.state != TaskRunState.MAPPED),
        began_at=iso_us(min(starts, default=None)),
        ended_at=iso_us(max(part.ended for part in parts)) if is_over else None,
    )
