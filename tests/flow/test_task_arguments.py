"""
The arguments that a task is constructed with, each by what it means when the flow runs.
"""

import inspect
import logging
import threading
from datetime import timedelta

import pytest

import orchd
from orchd import Flow, LocalResult, Task, cache_validators, signals, task, triggers
from support.recording import executed, flow_of

NOW = timedelta(0)


class Count:
    """
    Counts calls, and fails the first ones with the exceptions that it was given.
    """

    def __init__(self, *failures):
        self.failures = list(failures)
        self.calls = 0

    def __call__(self):
        """
        Fail as long as failures are left, then give the number of this call.
        """
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)

        return self.calls


def ended(**task_args):
    """
    Run a flow of one task and return its state and what was recorded.
    """
    fn = task_args.pop("fn", lambda: 1)
    with Flow("f") as flow:
        last = task(fn, **{"name": "t", **task_args})()

    state, told = executed(flow)
    return state.result[last], told


def test_every_argument_has_a_test_here():
    """
    No argument of the constructor is without a test of its own in this file.
    """
    arguments = set(inspect.signature(Task.__init__).parameters) - {"self"}

    assert {name.removeprefix("test_argument_") for name in globals() if name.startswith("test_argument_")} == arguments


def test_argument_name():
    """
    The name is in the log, the slug and the context; without one it is that of the class or the function.
    """
    state, told = ended(name="chosen", fn=lambda: orchd.context.task_name)

    assert state.result == "chosen"
    assert told.texts()[1] == "Task 'chosen': Starting task run..."
    assert told.states("chosen-1") == ["running", "success"]
    assert (Task().name, task(inspect.signature).name, task(lambda: 1).name) == ("Task", "signature", "<lambda>")


def test_argument_slug():
    """
    A slug is kept as it is; a copy, as each call makes one, is told apart by a suffix.
    """
    chosen = Task(slug="mine")

    assert Flow("f", tasks=[chosen]).slugs == {chosen: "mine"}
    assert list(flow_of(chosen).slugs.values()) == ["mine-copy"]


def test_argument_tags():
    """
    Tags are in the context and the slug, together with those of the block around.
    """
    seen = []
    with Flow("f") as flow, orchd.tags("b", "c"):
        tagged = task(lambda: seen.append(orchd.context.task_tags), name="t", tags=["a", "b"])()

    executed(flow)

    assert tagged.tags == {"a", "b", "c"}
    assert seen == [{"a", "b", "c"}]
    assert flow.slugs[tagged] == "t-a-b-c-1"
    assert flow.get_tasks(tags={"a", "c"}) == [tagged]


def test_argument_max_retries():
    """
    It is the number of tries after the first failed one.
    """
    failing = Count(*[ValueError("v")] * 9)

    state, told = ended(fn=failing, max_retries=2, retry_delay=NOW)

    assert failing.calls == 3
    assert state.is_failed()
    assert told.states("t-1") == ["running", "retrying", "running", "retrying", "running", "failed"]


def test_argument_retry_delay():
    """
    The next try begins no sooner than the delay after the failure.
    """
    begun = []

    def twice():
        begun.append(orchd.context.task_run_count)
        if len(begun) == 1:
            raise ValueError("v")

        return orchd.clock.now()

    starts = []

    def note(subject, old, new):
        if new.is_retrying():
            starts.append(new.start_time)

    state, _ = ended(fn=twice, max_retries=1, retry_delay=timedelta(milliseconds=30), state_handlers=[note])

    assert begun == [1, 2]
    assert state.result >= starts[0]


def test_argument_retry_on():
    """
    Only the exceptions named are tried again, and those below them.
    """
    kinds = {"max_retries": 1, "retry_delay": NOW, "retry_on": [LookupError, OSError]}

    tried, _ = ended(fn=Count(KeyError("k")), **kinds)
    left, told = ended(fn=Count(ValueError("v")), **kinds)

    assert (tried.is_successful(), left.is_failed()) == (True, True)
    assert any("Skipping retry. Exception of type 'ValueError'" in text for text in told.texts())


def test_argument_timeout():
    """
    A task that takes longer is interrupted and timed out; a duration counts in whole seconds.
    """
    state, told = ended(fn=lambda: threading.Event().wait(60), timeout=timedelta(seconds=1))

    assert type(state).__name__ == "TimedOut"
    assert told.states("t-1") == ["running", "timed_out"]


def test_argument_trigger():
    """
    The trigger decides whether the task runs, and sees the states above it.
    """
    with Flow("f") as flow:
        bad = task(lambda: 1 / 0, name="bad")()
        always = task(lambda: 1, name="always", trigger=triggers.all_finished)(upstream_tasks=[bad])
        never = task(lambda: 1, name="never")(upstream_tasks=[bad])

    state, _ = executed(flow)

    assert state.result[always].is_successful()
    assert state.result[never].message == 'Trigger was "all_successful" but some of the upstream tasks failed.'


def test_argument_skip_on_upstream_skip():
    """
    A task below a skipped one is skipped before its trigger is asked, unless it says otherwise.
    """
    with Flow("f") as flow:
        skipped = task(skip, name="skipped")()
        below = task(lambda: 1, name="below", trigger=lambda states: 1 / 0)(upstream_tasks=[skipped])
        stubborn = task(lambda: 1, name="stubborn", skip_on_upstream_skip=False)(upstream_tasks=[skipped])

    state, _ = executed(flow)

    assert state.result[below].is_skipped()
    assert (state.result[stubborn].is_skipped(), state.result[stubborn].result) == (False, 1)


def skip():
    """
    Skip the task that runs this.
    """
    raise signals.SKIP("not today")


def again(flow, **parameters):
    """
    Run *flow* twice with one set of caches.
    """
    with orchd.context(caches={}):
        executed(flow, **parameters)
        return executed(flow, **parameters)


@pytest.mark.parametrize(("cache_for", "calls"), [(timedelta(hours=1), 1), (timedelta(seconds=-1), 2), (None, 2)])
def test_argument_cache_for(cache_for, calls):
    """
    Within that time the result stands for a second run.
    """
    counted = Count()

    again(flow_of(task(counted, name="t", cache_for=cache_for)))

    assert counted.calls == calls


@pytest.mark.parametrize(
    ("validator", "calls"), [(cache_validators.duration_only, 1), (cache_validators.never_use, 2), (None, 1)]
)
def test_argument_cache_validator(validator, calls):
    """
    It decides whether an earlier result still holds; without one the time alone does.
    """
    counted = Count()

    again(flow_of(task(counted, name="t", cache_for=timedelta(hours=1), cache_validator=validator)))

    assert counted.calls == calls


@pytest.mark.parametrize(("key", "calls"), [("shared", 1), (None, 2)])
def test_argument_cache_key(key, calls):
    """
    Tasks of one key share their results, also over flows; others do not.
    """
    counted = Count()
    with orchd.context(caches={}):
        for name in ("first", "second"):
            executed(flow_of(task(counted, name=name, cache_for=timedelta(hours=1), cache_key=key), name=name))

    assert counted.calls == calls


@pytest.mark.parametrize(("checkpoint", "files"), [(None, ["out"]), (True, ["out"]), (False, [])])
def test_argument_checkpoint(tmp_path, checkpoint, files):
    """
    False never stores the result; otherwise it is stored wherever results are.
    """
    ended(checkpoint=checkpoint, result=LocalResult(str(tmp_path), location="out"))

    assert [each.name for each in tmp_path.iterdir()] == files


def test_argument_result(tmp_path):
    """
    It says where the result is stored, in place of what the flow says.
    """
    with Flow("f", result=LocalResult(str(tmp_path / "flow"), location="{task_name}")) as flow:
        own = task(lambda: 1, name="own", result=LocalResult(str(tmp_path / "task"), location="{task_name}"))()
        task(lambda: 2, name="other")()

    state, _ = executed(flow)

    assert (tmp_path / "task" / "own").exists()
    assert (tmp_path / "flow" / "other").exists()
    assert state.result[own]._result.location == str(tmp_path / "task" / "own")


def test_argument_target(tmp_path):
    """
    A result that is at the target already stands for the run.
    """
    counted = Count()
    flow = flow_of(task(counted, name="t", target="{task_name}.bin", result=LocalResult(str(tmp_path))))

    first, _ = executed(flow)
    second, _ = executed(flow)

    assert counted.calls == 1
    assert [type(each).__name__ for state in (first, second) for each in state.result.values()] == ["Success", "Cached"]


def test_argument_state_handlers():
    """
    Each is called with the task, the old and the new state at every change, and given what the one before it made.
    """
    seen = []

    def first(subject, old, new):
        new.mark = "seen"

    def second(subject, old, new):
        seen.append((subject.name, type(old).__name__, type(new).__name__, new.mark))

    ended(state_handlers=[first, second])

    assert seen == [("t", "Pending", "Running", "seen"), ("t", "Running", "Success", "seen")]


def test_argument_on_failure():
    """
    It is called with the task and its failed state, and never for a success.
    """
    seen = []

    def note(subject, state):
        seen.append((subject.name, repr(state.result)))

    ended(on_failure=note)
    ended(fn=lambda: 1 / 0, on_failure=note)

    assert seen == [("t", "ZeroDivisionError('division by zero')")]


@pytest.mark.parametrize(("log_stdout", "lines"), [(True, [logging.INFO]), (False, [])])
def test_argument_log_stdout(capsys, log_stdout, lines):
    """
    True makes log lines of what the task prints; otherwise it goes where prints go.
    """
    _, told = ended(fn=lambda: print("hello", 1), log_stdout=log_stdout)

    assert [level for level, (_, text, _) in zip(told.levels, told.lines, strict=True) if text == "hello 1"] == lines
    assert ("hello 1" in capsys.readouterr().out) is not log_stdout


@pytest.mark.parametrize("name", ["{task_name}-{map_index}", lambda **keys: f"{keys['task_name']}-{keys['map_index']}"])
def test_argument_task_run_name(name):
    """
    The name of each run, from a template or a function, is in its context.
    """
    with Flow("f") as flow:
        last = task(lambda x: orchd.context.task_run_name, name="t", task_run_name=name).map([1, 2])

    state, _ = executed(flow)

    assert state.result[last].result == ["t-0", "t-1"]


def test_argument_nout():
    """
    A task of a known number of results can be taken apart; a mapped one cannot.
    """
    two = task(lambda: (1, 2), name="two", nout=2)
    with Flow("f") as flow:
        first, second = two()
        with pytest.raises(TypeError, match="Task is not iterable"):
            list(two.map())

    state, _ = executed(flow)

    assert (state.result[first].result, state.result[second].result) == (1, 2)
