"""
Runs that tasks of other runs start: which run a call means, and what is cancelled with a parent.
"""

import pytest

from orchd import operations
from orchd.errors import NotFound, StaleRun, UsageError
from orchd.model.states import FlowRunState
from orchd.operations import Call
from orchd.scheduler import chains
from orchd.scheduler.ingest import End
from orchd.store import projects, runs, upkeep
from orchd.store.runs import RunRow
from scheduler.rig import START, Rig, finished, minute

S = FlowRunState


def start(rig: Rig, parent: str, *, call: str = "t.1-0", attempt: int = 1, is_anew: bool = False) -> str:
    """
    Start a run of the flow ``report`` by a call of the run *parent*.
    """
    with rig.database.writing() as conn:
        made = operations.start_run(
            conn,
            rig.board.flows["report"],
            parameters={},
            wanted_at=START,
            idempotency_key=None,
            by="ann",
            now=START,
            call=Call(run=parent, call=call, attempt=attempt, is_anew=is_anew),
        )
        row = runs.get(conn, made)
    rig.board.put_run(row)
    return made


def end(rig: Rig, run: str, state: FlowRunState) -> None:
    """
    End a run that was never launched.
    """
    way = {S.CANCELLED: (S.CANCELLED,)}.get(state, (S.PENDING, S.RUNNING, state))
    rig.move(run, *way)


def stored(rig: Rig, run: str) -> RunRow:
    """
    Return a run as the store has it.
    """
    with rig.database.reading() as conn:
        return runs.get(conn, run)  # type: ignore[arg-type]


@pytest.fixture
def family(rig: Rig) -> Rig:
    """
    A rig that knows the flows.
    """
    rig.use()
    return rig


def test_a_call_that_is_made_again_means_the_same_run(family: Rig) -> None:
    """
    Also when that one is over, however it ended: an answer may be lost.
    """
    parent = family.run().id
    made = start(family, parent)
    assert start(family, parent) == made
    end(family, made, S.FAILED)

    assert start(family, parent) == made
    row = stored(family, made)
    told = (row.parent_run_id, row.trigger, row.created_by)
    assert told == (parent, "parent", f"task t of run {family.board.live[parent].row.name}")


def test_another_call_of_a_task_makes_another_run(family: Rig) -> None:
    """
    As does the same call of another run.
    """
    parent, other = family.run().id, family.run().id

    assert len({start(family, parent), start(family, parent, call="t.1-1"), start(family, other)}) == 3


@pytest.mark.parametrize("state", [None, S.SUCCESS])
def test_a_retry_is_given_the_run_that_goes_on_or_has_succeeded(family: Rig, state: FlowRunState | None) -> None:
    """
    What it did is not done twice.
    """
    parent = family.run().id
    made = start(family, parent)
    if state is not None:
        end(family, made, state)

    assert start(family, parent, attempt=2) == made


@pytest.mark.parametrize("state", [S.FAILED, S.TIMED_OUT, S.CRASHED, S.CANCELLED])
def test_a_retry_starts_another_run_for_one_that_did_not_succeed(family: Rig, state: FlowRunState) -> None:
    """
    And is given that one from then on.
    """
    parent = family.run().id
    made = start(family, parent)
    end(family, made, state)
    again = start(family, parent, attempt=2)

    assert again != made
    assert start(family, parent, attempt=2) == again


def test_a_resumed_run_is_given_what_the_attempt_before_made(family: Rig) -> None:
    """
    Unless what is above the task ran anew.
    """
    first = family.run()
    made = start(family, first.id)
    family.move(first.id, S.CRASHED)
    second = family.run(resumed_from=first.id)

    assert start(family, second.id) == made
    assert [run.id for run in family.board.children_of(second.id)] == [made]
    assert family.board.children_of(first.id) == []
    anew = start(family, second.id, is_anew=True)
    assert anew != made
    assert start(family, second.id, is_anew=True) == anew


def test_a_run_that_is_ending_starts_no_more_runs(family: Rig) -> None:
    """
    They would escape the cancel that goes down.
    """
    ending, over = family.run(state=S.CANCELLING), family.run()
    family.move(over.id, S.SUCCESS)
    for run in (ending.id, over.id):
        with pytest.raises(StaleRun, match="starts no more runs: it is"):
            start(family, run)


def test_a_circle_comes_to_an_end(family: Rig) -> None:
    """
    The sentence names the flows.
    """
    run = family.run().id
    for _ in range(operations.MAX_DEPTH):
        run = start(family, run)
    with pytest.raises(UsageError, match=r"50 runs have started one another already.*\(load, report\)"):
        start(family, run)


def test_a_flow_of_another_project_is_refused(family: Rig) -> None:
    """
    One that is in no project is in every one.
    """

    def ask(project: str) -> None:
        with family.database.writing() as conn:
            operations.start_run(
                conn,
                family.board.flows["load"],
                parameters={},
                wanted_at=START,
                idempotency_key=None,
                by="ann",
                now=START,
                project=project,
            )

    ask("any")
    with family.database.writing() as conn:
        projects.create(conn, "own", at_us=0)
        projects.put_flow(conn, "load", into="own", labels=[])
    family.take_over()
    ask("own")
    with pytest.raises(NotFound, match="flow 'load' is in project 'own', not in 'any'"):
        ask("any")


def test_a_cancel_goes_down_all_levels(family: Rig) -> None:
    """
    What has not begun is over at once, what goes on is asked to end; the sentence names the parent.
    """
    top = family.run()
    middle = family.run("report", parent=top.id)
    low = family.run("report", parent=middle.id, state=S.SCHEDULED)
    other = family.run("report")
    with family.database.writing() as conn:
        touched = family.chains.cancel(conn, top.row, reason="enough", now=minute(1))

    assert set(touched) == {top.id, middle.id, low.id}
    states = {run.id: stored(family, run.id).state for run in (top, middle, low, other)}
    assert [states[run.id] for run in (top, middle, low, other)] == [S.CANCELLING, S.CANCELLING, S.CANCELLED, S.RUNNING]
    assert stored(family, low.id).message == f"run {middle.row.name}, which started it, was cancelled"


def test_very_many_children_are_cancelled_in_pieces(family: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Each tick a piece, also by a daemon that begins meanwhile; what is resumed later goes on.
    """
    monkeypatch.setattr(chains, "_CHILDREN_AT_ONCE", 2)
    family.limit(max_runs=0)
    parent = family.run()
    made = [family.run("report", parent=parent.id, state=S.SCHEDULED) for _ in range(7)]
    with family.database.writing() as conn:
        touched = family.chains.cancel(conn, parent.row, reason="enough", now=minute(1))
        rows = [runs.get(conn, run) for run in touched]
    for row in rows:
        family.board.put_run(row)
    later = family.run("report", parent=parent.id, state=S.SCHEDULED)

    def left() -> int:
        return sum(run.id in family.board.live for run in made)

    counts = [left()]
    for number in range(3, 6):
        family.tick(minute(number))
        counts.append(left())
    assert counts == [5, 3, 1, 0]
    assert {stored(family, run.id).state for run in made} == {S.CANCELLED}
    assert stored(family, later.id).state is S.SCHEDULED
    with family.database.reading() as conn:
        assert upkeep.states(conn, "cancelled_children:") == []


@pytest.mark.parametrize(
    ("state", "of_child"),
    [(S.CANCELLED, S.CANCELLED), (S.FAILED, S.SCHEDULED), (S.CRASHED, S.SCHEDULED), (S.TIMED_OUT, S.SCHEDULED)],
)
def test_only_a_cancelled_parent_takes_its_children_along(
    family: Rig, state: FlowRunState, of_child: FlowRunState
) -> None:
    """
    Others go on: they are runs of their own, and a resumed parent finds them again.
    """
    parent = family.run()
    child = family.run("report", parent=parent.id, state=S.SCHEDULED)
    family.ingest.step(parent, End(state=state, message="over", at=finished(at=minute(1)).at))

    assert stored(family, child.id).state is of_child
    assert (child.id in family.board.live) == (of_child is S.SCHEDULED)
