"""
Time limits of tasks beside the main thread.
"""

import threading

from orchd import Flow, LocalDaskExecutor, context, task
from orchd.engine.signals import SKIP
from support.recording import executed, flow_of


def test_a_time_limit_holds_in_any_thread():
    """
    A flow that runs beside the main thread times its tasks out too.
    """
    ends = []

    @task(timeout=1)
    def stubborn():
        while True:
            pass

    flow = flow_of(stubborn)
    thread = threading.Thread(target=lambda: ends.extend(executed(flow)[0].result.values()))
    thread.start()
    thread.join(timeout=60)

    assert [type(state).__name__ for state in ends] == ["TimedOut"]


def test_a_task_in_a_thread_that_cannot_be_interrupted_is_left_behind():
    """
    Under threads a time limit holds also for code that hangs in a call into C: the flow goes on without it.
    """
    hanging, ended = threading.Event(), threading.Event()

    @task(timeout=1)
    def hang():
        hanging.wait(60)
        ended.set()

    with Flow("f", executor=LocalDaskExecutor(num_workers=2)) as flow:
        last = hang()

    state, told = executed(flow)
    was_left = not ended.is_set()
    hanging.set()

    assert was_left
    assert type(state.result[last]).__name__ == "TimedOut"
    assert "Task 'hang': its code hangs in a call that cannot be interrupted, and is left behind." in told.texts()


def test_a_time_limit_in_a_thread_changes_nothing_else():
    """
    With a time limit, prints, context, signals and exceptions of a task in a thread are what they are without.
    """

    @task(timeout=60, log_stdout=True)
    def act(what):
        print("acting", what, context.task_full_name)
        context["mark"] = what
        if what == "skip":
            raise SKIP("enough")

        return {"give": context.mark}[what]

    with Flow("f", executor=LocalDaskExecutor(num_workers=2)) as flow:
        last = act.map(["give", "skip", "raise"])

    state, told = executed(flow)

    assert [type(each).__name__ for each in state.result[last].map_states] == ["Success", "Skipped", "Failed"]
    assert state.result[last].result[0] == "give"
    assert {f"acting {what} act[{number}]" for number, what in enumerate(("give", "skip", "raise"))} <= set(
        told.texts()
    )
    [trace] = [text for text in told.texts() if "Traceback" in text]
    assert "orchd/engine" not in trace
