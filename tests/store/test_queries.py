"""
What people ask: pages, filters, names, and the shapes of the HTTP API.
"""

import msgspec
import pytest

from orchd.errors import Ambiguous, NotFound, StoreError, UsageError
from orchd.model.ids import FlowRunId
from orchd.model.records import TaskRecord
from orchd.model.specs import RuleKind, ScheduleSpec
from orchd.model.states import FlowRunState
from orchd.store import access, flows, projects, queries, schedules, slots, tasks
from orchd.store.database import Database
from store.making import add_run, add_schedule, flow_spec, schedule_spec, skipped

S = FlowRunState
#: Source: the HTTP shapes that pages and CLI read.
_RUN = (
    "id number name flow state shown schedule fire_time trigger created_at started_at ended_at duration_s attempt"
    " message parameters host parent_run_id resumed_from held"
).split()
_DETAIL = [
    *_RUN,
    *"tasks tasks_next events has_all_events upstream_runs created_by peak_rss_kib exit_code signal".split(),
    *"parent children before after".split(),
]
_SCHEDULE = (
    "name flow rule words timezone overlap catchup grace_s max_catchup parameters paused"
    " in_code known_until labels waits_for pool priority pause_after_failures next last"
).split()


@pytest.fixture
def filled(store: Database) -> Database:
    """
    Twelve runs, made at 0, 10, 20 ... microseconds: flows a, b, a, b ..., one for each state and two more.
    """
    with store.writing() as conn:
        for n, state in enumerate([*FlowRunState, S.SUCCESS, S.FAILED]):
            add_run(conn, state=state, flow="ab"[n % 2], at_us=n * 10)
    return store


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ({}, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ({"limit": 3}, [12, 11, 10]),
        ({"limit": 3, "before": 10}, [9, 8, 7]),
        ({"after": 10}, [12, 11]),
        ({"flow": "a"}, [11, 9, 7, 5, 3, 1]),
        ({"flow": "nothing"}, []),
        ({"states": [S.SUCCESS]}, [11, 6]),
        ({"states": [S.SUCCESS, S.FAILED], "limit": 3}, [12, 11, 7]),
        ({"states": [S.SUCCESS, S.FAILED], "flow": "a"}, [11, 7]),
        ({"since_us": 95}, [12, 11]),
        ({"since_us": 999}, []),
    ],
)
def test_runs_are_listed_newest_first(filled: Database, asked: dict[str, object], numbers: list[int]) -> None:
    """
    Every filter narrows the list, and the page is its newest part.
    """
    with filled.reading() as conn:
        assert [run.number for run in queries.runs(conn, **asked)] == numbers


def test_live_ended_and_counted_runs(filled: Database) -> None:
    """
    The status page sees what runs (oldest first), what ended badly lately, and how many are in each state.
    """
    with filled.reading() as conn:
        live = queries.live_runs(conn, states=[S.RUNNING, S.SCHEDULED])
        failed = queries.ended_runs(conn, states=[S.FAILED, S.CRASHED], since_us=60, limit=2)
        counted = queries.counts(conn, since_us=80)
        latest = queries.latest_run(conn, "a")
        none = queries.latest_run(conn, "c")

    assert [run.number for run in live] == [1, 3]
    assert [run.number for run in failed] == [12, 9]
    assert counted == dict.fromkeys("scheduled pending running waiting cancelling".split(), 1) | dict.fromkeys(
        "crashed cancelled success failed".split(), 1
    )
    assert (latest and latest.number, none) == (11, None)


def test_a_run_is_found_by_id_name_and_prefix(store: Database) -> None:
    """
    A person may write the whole id, its beginning, or the name.
    """
    with store.writing() as conn:
        run = add_run(conn, id=FlowRunId("3f2a1c00-0000-4000-8000-000000000001"), name="calm-otter-3f2a1c")
        add_run(conn, id=FlowRunId("3f2b1c00-0000-4000-8000-000000000001"), name="bold-ant-3f2b1c")
        for ref in (run.id, run.name, "3f2a", "3f2a1c00-0000"):
            assert queries.find_run(conn, ref) == run


def test_a_word_that_fits_several_runs_names_them(store: Database) -> None:
    """
    An ambiguous prefix is refused with the names of those it fits.
    """
    with store.writing() as conn:
        for n in range(5):
            add_run(conn, id=FlowRunId(f"abcd{n}"), name=f"otter-{n}")
        with pytest.raises(Ambiguous, match=r"several runs fit 'abcd' \(otter-4, otter-3, otter-2 \.\.\.\)"):
            queries.find_run(conn, "abcd")
        with pytest.raises(UsageError, match="'abc' is too short: write at least 4 characters of the id"):
            queries.find_run(conn, "abc")
        with pytest.raises(NotFound, match="there is no run 'otter'"):
            queries.find_run(conn, "otter")


def test_a_run_in_detail_has_the_shape_of_the_api(store: Database) -> None:
    """
    The keys in JSON are those that the API promises, with tasks by their names and events in order.
    """
    with store.writing() as conn:
        version = flows.record_flows(conn, [flow_spec(tasks=("a-1",))], at_us=1)["load"]
        run = add_run(conn, state=S.RUNNING, flow_version_id=version.version_id, parameters='{"x":[1]}', at_us=10)
        tasks.apply(conn, run.number, [TaskRecord(at=20, slug="a-1", state="running", message="go")])
        shown = msgspec.to_builtins(queries.run_detail(conn, run.id))

    assert list(shown) == _DETAIL
    assert (shown["shown"], shown["parameters"], shown["held"]) == ("Running", {"x": [1]}, None)
    assert [(task["slug"], task["name"], task["shown"]) for task in shown["tasks"]] == [("a-1", "A-1", "Running")]
    assert shown["events"][-1] == {
        "at": "1970-01-01T00:00:00.000020Z",
        "from": "pending",
        "to": "running",
        "message": "go",
        "task": "a-1",
        "map_index": -1,
    }
    with store.reading() as conn, pytest.raises(NotFound):
        queries.run_detail(conn, FlowRunId("nobody"))


def test_schedules_are_shown_in_words(store: Database) -> None:
    """
    A schedule has its rule, as written and in words, its pause, and its latest slot.
    """
    joined = ScheduleSpec(name="science", flow="b", kind=RuleKind.AFTER, after=("load", "clean"))
    with store.writing() as conn:
        schedules.sync(conn, [joined, schedule_spec()], at_us=0)
        schedules.pause(conn, "science", who="anna", note="n", at_us=5)
        row = add_schedule(conn, "other")
        slots.insert_slots(conn, [skipped(row, 5), skipped(row, 9)])
        nightly, other, science = queries.schedules(conn)

    assert list(msgspec.to_builtins(nightly)) == _SCHEDULE
    assert [one.rule for one in (nightly, science)] == ["every 90s", "after load, clean"]
    assert [one.words for one in (nightly, science)] == ["every 90 seconds", "when load and clean have succeeded"]
    assert (nightly.last, nightly.paused) == (None, None)
    assert other.last is not None
    assert other.last.fire_time == "1970-01-01T00:00:00.000009Z"
    assert science.paused == queries.PauseView(who="anna", at="1970-01-01T00:00:00.000005Z", note="n")


def test_slots_are_paged_and_unknown_schedules_said(store: Database) -> None:
    """
    The latest slots come first; a schedule that was removed still has its ledger, one that never was has none.
    """
    with store.writing() as conn:
        row = add_schedule(conn)
        slots.insert_slots(conn, [skipped(row, at) for at in range(5)])
        schedules.sync(conn, [], at_us=9)

        assert [view.fire_time[-3:] for view in queries.slots(conn, "nightly", before_us=4, limit=2)] == ["03Z", "02Z"]
        assert queries.slot_of_run(conn, "nightly", 77) is None
        with pytest.raises(NotFound, match="there is no schedule 'never'"):
            queries.slots(conn, "never")


def test_flows_are_shown_with_their_newest_version(store: Database) -> None:
    """
    A changed file makes a new version; an unchanged one does not; the last run and the schedules stand beside it.
    """
    with store.writing() as conn:
        flows.record_flows(conn, [flow_spec(), flow_spec("clean")], at_us=1)
        flows.record_flows(conn, [flow_spec()], at_us=2)
        changed = flows.record_flows(conn, [flow_spec(source_hash="bb", tasks=("a", "b"))], at_us=3)
        add_schedule(conn)
        run = add_run(conn)
        clean, load = queries.flows(conn)

    assert (changed["load"].version, changed["clean"].version) == (2, 1)
    assert (load.version, load.tasks, load.schedules, load.file) == (2, 2, ("nightly",), "/flows/load.py")
    assert load.last_run is not None
    assert (load.last_run.id, clean.last_run, clean.loaded) == (run.id, None, True)


def test_a_reader_cannot_write(store: Database) -> None:
    """
    A transaction opened for reading refuses to change anything.
    """
    with pytest.raises(StoreError, match=r"failed|cannot be written"), store.reading() as conn:
        add_run(conn)


def test_a_reader_sees_one_state(store: Database) -> None:
    """
    What is committed while a reader reads is not seen by it, and by the next one it is.
    """
    with store.reading() as reader:
        before = queries.runs(reader)
        with store.writing() as conn:
            add_run(conn)

        assert queries.runs(reader) == before == []
    with store.reading() as reader:
        assert len(queries.runs(reader)) == 1


def test_lists_of_names_are_paged(store: Database) -> None:
    """
    Flows, schedules, projects and tokens: the page after a name begins with the next one, and has no more than asked.
    """
    names = list("abcd")
    with store.writing() as conn:
        flows.record_flows(conn, [flow_spec(name) for name in names], at_us=1)
        schedules.sync(conn, [schedule_spec(name, flow=name) for name in names], at_us=1)
        for name in names:
            projects.create(conn, name, at_us=1)
            access.put(conn, name, access.AccessRow(kind=access.AccessKind.TOKEN, name=name, who="", created_at_us=1))
            add_run(conn, flow=name)
        lists = (queries.flows, queries.schedules, queries.projects, queries.tokens)

        for ask in lists:
            assert [each.name for each in ask(conn, after="a", limit=2)] == ["b", "c"]
            assert [each.name for each in ask(conn, after="d", limit=2)] == []
            assert [each.name for each in ask(conn)] == names
        (flow,) = queries.flows(conn, after="c", limit=1)
        (one,) = queries.schedules(conn, names=["b"])

    assert (flow.schedules, flow.last_run and flow.last_run.flow) == (("d",), "d")
    assert (one.name, one.flow) == ("b", "b")
