"""
Runs that go on from one that failed, without a daemon.
"""

import logging
import threading
from datetime import timedelta
from pathlib import Path

import pytest

import orchd
from orchd import Flow, LocalResult, Parameter, case, task, unmapped
from orchd.engine import kept
from orchd.engine.executors.threads import LocalDaskExecutor
from orchd.engine.kept_caches import KeptCaches
from orchd.flow.local_attempts import LocalAttempts

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """
    Store results, and keep attempts in a folder of the test.
    """
    monkeypatch.setenv("ORCHD__FLOWS__CHECKPOINTING", "true")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "orchd" / "attempts"


class World:
    """
    What tasks did, and whether the one that fails is mended.
    """

    def __init__(self):
        self.ran = []
        self.is_mended = False

    def take(self):
        """
        Return what ran since the last look, in order.
        """
        ran, self.ran = sorted(self.ran), []
        return ran


def mapped_flow(world):
    """
    Return a flow that fails in one child of its map.
    """

    @task
    def load(n):
        world.ran.append("load")
        return list(range(n))

    @task
    def double(x, by):
        world.ran.append(f"double {x}")
        if x == 1 and not world.is_mended:
            raise ValueError("broken")
        return x * by

    @task
    def total(xs):
        world.ran.append("total")
        return sum(xs)

    @task
    def notes():
        world.ran.append("notes")

    with Flow("f") as flow:
        total(double.map(load(Parameter("n", default=3)), by=unmapped(2)))
        notes()

    return flow


@pytest.mark.parametrize("executor", [None, LocalDaskExecutor(num_workers=2)], ids=["local", "threads"])
def test_only_what_did_not_succeed_runs_again(executor, state):
    """
    Of a map just the child that failed; a task that returns None is kept too; a success leaves nothing behind.
    """
    world = World()
    flow = mapped_flow(world)
    flow.executor = executor

    assert flow.run(n=3).is_failed()
    assert world.take() == ["double 0", "double 1", "double 2", "load", "notes"]
    assert flow.run(resume=True).is_failed()
    assert world.take() == ["double 1"]
    world.is_mended = True
    end = flow.run(resume=True)

    assert end.is_successful()
    assert world.take() == ["double 1", "total"]
    assert {flow.slugs[each]: one.result for each, one in end.result.items()}["total-1"] == 6
    assert not any(state.iterdir())


def test_without_a_failed_run_everything_runs(caplog):
    """
    Which is said.
    """
    world = World()
    world.is_mended = True
    flow = mapped_flow(world)
    flow.run()
    world.take()

    with caplog.at_level(logging.INFO, logger="orchd"):
        flow.run(resume=True)

    assert "load" in world.take()
    assert "There is no failed run of 'f' to resume: everything runs." in caplog.text


def test_without_stored_results_there_is_nothing_to_resume(monkeypatch):
    """
    The sentence says what to set.
    """
    monkeypatch.setenv("ORCHD__FLOWS__CHECKPOINTING", "false")

    with pytest.raises(ValueError, match="set ORCHD__FLOWS__CHECKPOINTING=true"):
        mapped_flow(World()).run(resume=True)


def test_a_resumed_run_has_the_parameters_and_the_time_of_the_first():
    """
    Unless others are given: then what depends on them runs anew.
    """
    world = World()
    flow = mapped_flow(world)
    seen = []

    @task
    def when():
        seen.append(orchd.context.scheduled_start_time)
        raise ValueError("never")

    flow.add_task(when)
    flow.run(n=2)
    world.take()
    flow.run(resume=True)

    assert world.take() == ["double 1"]
    assert seen[0] == seen[1]
    flow.run(resume=True, n=4)
    assert world.take() == ["double 0", "double 1", "double 2", "double 3", "load"]


def test_an_edited_constant_runs_the_task_and_all_below(caplog):
    """
    New tasks run, and tasks that are gone are passed over.
    """
    world = World()

    def made(offset, *, with_more):
        @task
        def first(x):
            world.ran.append("first")
            return x

        @task
        def second(x):
            world.ran.append("second")
            return x

        @task
        def other():
            world.ran.append("other")

        @task
        def fails():
            raise ValueError("always")

        @task
        def more():
            world.ran.append("more")

        with Flow("f") as flow:
            second(first(offset))
            other()
            fails()
            if with_more:
                more()

        return flow

    made(1, with_more=False).run()
    assert world.take() == ["first", "other", "second"]
    made(1, with_more=True).run(resume=True)
    assert world.take() == ["more"]
    made(2, with_more=False).run(resume=True)

    assert world.take() == ["first", "second"]


def test_branches_stay_as_they_were():
    """
    A branch that was skipped is skipped again, and what was taken is not taken anew.
    """
    world = World()

    @task
    def which():
        world.ran.append("which")
        return "a"

    @task
    def act(name):
        world.ran.append(name)

    @task
    def fails(x):
        raise ValueError("always")

    with Flow("f") as flow:
        chosen = which()
        for name in ("a", "b"):
            with case(chosen, name):
                act(name)
        fails(chosen)

    flow.run()
    assert world.take() == ["a", "which"]
    end = flow.run(resume=True)

    assert world.take() == []
    assert sorted(type(state).__name__ for state in end.result.values()) == [
        "Cached",
        "Cached",
        "Cached",
        "Failed",
        "Skipped",
        "Skipped",
    ]


@pytest.mark.parametrize("damage", ["torn", "gone"])
def test_a_result_that_cannot_be_read_counts_as_absent(damage, state, caplog):
    """
    With a warning; the task and all below it run anew.
    """
    world = World()
    flow = mapped_flow(world)
    flow.run()
    world.take()
    [file] = state.glob("*/*/results/*.kept")
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(b"\0" * 10 + file.read_bytes()[10:-3])
    flow.run(resume=True)

    assert world.take() == ["double 0", "double 1", "double 2", "load", "notes"]
    assert "its result at" in caplog.text
    assert "cannot be read" in caplog.text


def test_what_cannot_be_pickled_runs_anew_and_fails_nothing(caplog):
    """
    It is said once for all children of a map.
    """
    world = World()

    @task
    def lock(x):
        world.ran.append(f"lock {x}")
        return threading.Lock()

    @task
    def fails():
        raise ValueError("always")

    with Flow("f") as flow:
        lock.map([1, 2, 3])
        fails()

    flow.run()
    assert caplog.text.count("its result cannot be kept") == 1
    world.take()
    flow.run(resume=True)

    assert world.take() == ["lock 1", "lock 2", "lock 3"]


def test_a_result_that_is_never_stored_does_not_run_what_is_below_it_anew():
    """
    ``checkpoint=False``: the task runs again, and counts as the same.
    """
    world = World()

    @task(checkpoint=False)
    def connection():
        world.ran.append("connection")
        return threading.Lock()

    @task
    def rows(_):
        world.ran.append("rows")
        return 3

    @task
    def fails(_):
        raise ValueError("always")

    with Flow("f") as flow:
        fails(rows(connection()))

    flow.run()
    world.take()
    flow.run(resume=True)

    assert world.take() == ["connection"]


def test_results_of_the_flow_are_used_where_they_are(tmp_path):
    """
    What a result of the flow's own stores is kept nowhere else.
    """
    world = World()

    @task(result=LocalResult(dir=str(tmp_path / "own"), location="{task_name}.pkl"))
    def stored():
        world.ran.append("stored")
        return 1

    @task
    def fails(_):
        raise ValueError("always")

    with Flow("f") as flow:
        above = stored()
        fails(above)

    flow.run()
    end = flow.run(resume=True)

    assert world.take() == ["stored"]
    assert end.result[above].message.startswith("Reused from attempt 1 (")
    assert (tmp_path / "own" / "stored.pkl").exists()
    assert not list((tmp_path / "state").glob("**/*.kept:*"))


def test_tasks_with_one_target_are_warned_about(tmp_path, caplog):
    """
    Also children of one mapped task.
    """

    @task(target="same.pkl", result=LocalResult(dir=str(tmp_path)))
    def one(x):
        return x

    with Flow("f") as flow:
        one.map([1, 2])

    flow.run()

    assert "Tasks 'one-1[0]' and 'one-1[1]' have the same target same.pkl" in caplog.text


def test_large_results_have_a_file_of_their_own(tmp_path):
    """
    Small ones share one; a later attempt takes over either by a second name.
    """
    first, second = (tmp_path / name for name in "ab")
    first.mkdir()
    second.mkdir()
    store = kept.KeptResults(str(first))
    places = [store.write(value) for value in (None, 1, "x" * 100_000, [2])]
    taken = list(map(kept.KeptResults(str(second)).adopt, places))
    for file in first.iterdir():
        file.unlink()

    assert [kept.read(place) for place in taken] == [None, 1, "x" * 100_000, [2]]
    assert len(list(second.iterdir())) == 2
    assert all(map(kept.is_kept, taken))


def cached_flow(world, **task_args):
    """
    Return a flow with a task that is cached for an hour.
    """

    @task(cache_for=HOUR, **task_args)
    def slow(x):
        world.ran.append(f"slow {x}")
        return x

    with Flow("f") as flow:
        slow(Parameter("x", default=1))

    return flow


def test_caches_in_a_folder_outlive_the_process(tmp_path):
    """
    By inputs, as the validator says; a torn file counts as absent.
    """
    world = World()
    folder = tmp_path / "caches"

    def run(x):
        flow = cached_flow(world, cache_validator=orchd.cache_validators.all_inputs)
        return flow.run(x=x, context={"caches": KeptCaches(str(folder))})

    for x in (1, 2, 1, 2):
        assert run(x).is_successful()

    assert world.take() == ["slow 1", "slow 2"]
    files = list(folder.glob("*/*.cache"))
    assert len(files) == 2
    for file in files:
        file.write_bytes(file.read_bytes()[:-1])
    run(1)
    assert world.take() == ["slow 1"]


def test_an_attempt_killed_before_its_first_task_loses_nothing(state):
    """
    The next one goes on from the attempt before it.
    """
    world = World()
    flow = mapped_flow(world)
    flow.run()
    world.take()
    attempts = LocalAttempts.of(flow.name, flow.slugs, {"XDG_STATE_HOME": str(state.parent.parent)})
    earlier = attempts.last()
    assert earlier is not None
    gone = attempts.id_after(earlier)
    with attempts.begun(gone, parameters={}, scheduled_start_time=earlier.scheduled_start_time, earlier=earlier):
        pass
    flow.run(resume=True)

    assert world.take() == ["double 1"]


def test_two_attempts_never_share_a_folder(state):
    """
    A failed run that is not resumed makes room for the next.
    """
    flow = mapped_flow(World())
    flow.run()
    flow.run()

    assert len([path for path in next(state.iterdir()).iterdir() if path.is_dir()]) == 1
    assert Path(next(state.iterdir()) / "last").exists()


def test_results_are_kept_by_other_processes_too(tmp_path):
    """
    What forked workers did is taken over from them as from threads.
    """

    @task
    def work(x):
        with open(tmp_path / "ran", "a") as file:
            file.write(f"{x}\n")
        if x == 2 and not (tmp_path / "mended").exists():
            raise ValueError("broken")
        return x

    with Flow("f", executor=LocalDaskExecutor(scheduler="processes", num_workers=2)) as flow:
        work.map([1, 2, 3])

    assert flow.run().is_failed()
    (tmp_path / "mended").touch()
    assert flow.run(resume=True).is_successful()

    assert sorted((tmp_path / "ran").read_text().split()) == ["1", "2", "2", "3"]
