"""
Tasks that start and await runs, against a daemon with canned answers.
"""

import logging
import pickle
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

import orchd
from orchd import Flow, StartFlowRun, create_flow_run, get_task_run_result, signals, task, wait_for_flow_run
from orchd.errors import NotRunning, UsageError
from orchd.flow import describe
from orchd.tasks.classic_client import Client
from orchd.tasks.flow_run_acts import CancelFlowRun, RenameFlowRun
from orchd.tasks.run_views import FlowRunView, FlowView, read_result
from support.canned import a_detail, a_flow, a_run, a_task
from support.unix_server import UnixServer

RUN = a_run(state="running", shown="Running", ended_at=None, parent_run_id=None)
DONE = a_run(parent_run_id=None)
BAD_ENDS = ("failed", "timed_out", "cancelled", "crashed")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UnixServer]:
    """
    A daemon, found as the command line finds it, whose run is over when it is asked for the second time.
    """
    served = UnixServer(tmp_path / "s")
    served.answers = {
        "POST /runs": {"run": RUN},
        f"GET /runs/{RUN['id']}": a_detail(DONE, children=[], parent=None),
        f"GET /runs/{RUN['id']}/state": lambda query, _: {"run": DONE if "unless" in query else RUN},
        f"GET /runs/{RUN['id']}/logs": lambda query, _: {
            "run": DONE,
            "lines": [{"level": 20, "text": "a line"}] if query["after"] == "-1" else [],
            "next": 0,
            "more": query["after"] == "-1",
        },
        "GET /flows": {"flows": [a_flow() | {"project": "p", "labels": ["vm"], "version": 3}]},
    }
    served.start()
    monkeypatch.setenv("ORCHD_SOCKET", str(served.path))
    yield served
    served.stop()


def ends(server: UnixServer, **changes: Any) -> None:
    """
    Have the run end with *changes*.
    """
    server.answers[f"GET /runs/{RUN['id']}/state"] = lambda query, _: {
        "run": DONE | changes if "unless" in query else RUN
    }


def test_a_run_that_is_not_waited_for_gives_its_id(server: UnixServer) -> None:
    """
    The daemon is asked with flow, project, parameters, name and time.
    """
    made = StartFlowRun("load", "p", parameters={"x": 1}, run_name="mine").run(scheduled_start_time=timedelta(hours=1))
    [(_, _, _, body)] = server.requests

    assert made == RUN["id"]
    assert {key: body[key] for key in ("flow", "project", "parameters", "name")} == {
        "flow": "load",
        "project": "p",
        "parameters": {"x": 1},
        "name": "mine",
    }
    assert body["at"].endswith("+00:00")
    assert (body["call"], len(body["idempotency_key"])) == (None, 36)


def test_a_run_that_is_waited_for_ends_the_task_as_it_ended(server: UnixServer) -> None:
    """
    With its id in the message; of one that did not succeed its name, too. In code it is a signal.
    """
    with pytest.raises(signals.SUCCESS) as good:
        StartFlowRun("load", "p", wait=True).run()
    assert str(good.value) == f'{RUN["id"]} finished in state <Success: "All reference tasks succeeded.">'
    assert good.value.state.result is good.value

    for word, shown in (
        ("failed", "Failed"),
        ("timed_out", "TimedOut"),
        ("cancelled", "Cancelled"),
        ("crashed", "Failed"),
    ):
        ends(server, state=word, message="bad")
        with pytest.raises(signals.FAIL) as bad:
            StartFlowRun("load", "p", wait=True).run()
        assert str(bad.value) == (
            f"{RUN['id']} finished in state <{shown}: \"bad\"> (run {RUN['name']} of flow 'data-engineer')"
        )


def test_the_pair_of_tasks_gives_a_view(server: UnixServer) -> None:
    """
    Failure is only seen in it, unless it is to be raised.
    """
    ends(server, state="failed", message="bad")
    server.answers[f"GET /runs/{RUN['id']}"] = a_detail(DONE | {"state": "failed", "message": "bad"})
    made = create_flow_run.run(flow_name="load")
    view = wait_for_flow_run.run(made)

    assert (view.flow_run_id, view.name, view.state.is_failed()) == (RUN["id"], RUN["name"], True)
    with pytest.raises(signals.FAIL) as failed:
        wait_for_flow_run.run(made, raise_final_state=True)
    assert failed.value.state.result.flow_run_id == RUN["id"]


def test_states_and_lines_are_streamed(server: UnixServer, caplog: pytest.LogCaptureFixture) -> None:
    """
    Each once.
    """
    with caplog.at_level(logging.INFO, logger="orchd"):
        wait_for_flow_run.run(RUN["id"], stream_logs=True)

    assert [record.getMessage() for record in caplog.records if "Flow '" in record.getMessage()] == [
        "Flow 'data-engineer': a line",
        "Flow 'data-engineer': Entered state <Running>: All reference tasks succeeded.",
        "Flow 'data-engineer': Entered state <Success>: All reference tasks succeeded.",
    ]


def test_a_wait_has_an_end(server: UnixServer) -> None:
    """
    In hours, as the classic message says it.
    """
    server.answers[f"GET /runs/{RUN['id']}/state"] = {"run": RUN}
    with pytest.raises(RuntimeError, match=r"`watch_flow_run` timed out after 0\.0 hours of waiting for completion"):
        wait_for_flow_run.run(RUN["id"], max_duration=timedelta(0))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: StartFlowRun().run(), ValueError, "Must provide a flow name"),
        (lambda: StartFlowRun("f", poll_interval=timedelta(seconds=2)), ValueError, r"poll_interval == 2\.0 seconds"),
        (lambda: StartFlowRun("f").run(poll_interval=timedelta(0)), ValueError, "needs to be at least 3 seconds"),
        (lambda: StartFlowRun("f", parameters={"x": StartFlowRun("g")}), TypeError, "An instance of `Task` was passed"),
        (lambda: StartFlowRun("f").run(scheduled_start_time=3), ValueError, "scheduled_start_time 3 is no time"),
        (lambda: StartFlowRun("f").run(parameters={"x": object()}), signals.FAIL, "cannot be said in JSON"),
        (lambda: create_flow_run.run(), ValueError, "Both `flow_id` and `flow_name` are null"),
        (
            lambda: create_flow_run.run(flow_id="a", flow_name="a"),
            ValueError,
            "Received both `flow_id` and `flow_name`",
        ),
        (lambda: get_task_run_result.run("x", ""), ValueError, "Required argument `task_slug` is empty"),
        (lambda: RenameFlowRun("x").run(), ValueError, "Must provide a flow name"),
        (lambda: Client().create_flow_run(), ValueError, "One of flow_id or version_group_id must be provided"),
        (lambda: Client().graphql("{}"), UsageError, "orchd has no GraphQL"),
        (lambda: FlowView.from_flow_name("no"), ValueError, "No flow found matching 'no'; there are: data-engineer"),
    ],
)
def test_what_cannot_be_meant_is_said(server: UnixServer, call: Any, error: type[Exception], message: str) -> None:
    """
    Before anything is started.
    """
    with pytest.raises(error, match=message):
        call()
    assert not [request for request in server.requests if request[0] == "POST"]


def test_without_a_daemon_a_task_fails_with_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    And whoever asks by hand gets the error.
    """
    monkeypatch.setenv("ORCHD_SOCKET", str(tmp_path / "nobody"))
    with Flow("main") as flow:
        started = StartFlowRun("load")()
    state = flow.run()

    assert state is not None
    assert state.result[started].message.startswith("Flow 'load' cannot be started: no daemon answers at ")
    with pytest.raises(NotRunning):
        FlowRunView.from_flow_run_id("x")


def test_a_run_asks_again_when_an_answer_is_lost(server: UnixServer) -> None:
    """
    By the same call, so that the daemon gives it the run that it has made already.
    """
    answers: list[Any] = [b"", (503, {"error": {"code": "store_error", "message": "full"}}), {"run": RUN}]
    server.answers["POST /runs"] = lambda _query, _body: answers.pop(0)
    with orchd.context(_daemon=(str(server.path), "me"), flow_run_id="me", task_slug="t-1", map_index=2):
        assert StartFlowRun("load").run() == RUN["id"]
        answers.append({"run": RUN})
        StartFlowRun("load").run()
    calls = [body["call"]["call"] for _, _, _, body in server.requests]

    assert calls == ["t-1[2].1-0", "t-1[2].1-0", "t-1[2].1-0", "t-1[2].1-1"]


def test_a_result_of_a_task_is_read_where_it_is_stored(server: UnixServer, tmp_path: Path) -> None:
    """
    Of a mapped task all children's, in order, or one of them.
    """
    for index in range(2):
        (tmp_path / f"{index}").write_bytes(cloudpickle.dumps(index * 10))
    tasks = [
        a_task("m", state="mapped", shown="Mapped"),
        a_task("m", map_index=1, location=str(tmp_path / "1")),
        a_task("m", map_index=0, location=str(tmp_path / "0")),
        a_task("none"),
        a_task("bad", state="failed", shown="Failed"),
    ]
    server.answers[f"GET /runs/{RUN['id']}"] = a_detail(DONE, tasks=tasks)

    assert get_task_run_result.run(RUN["id"], "m") == [0, 10]
    assert get_task_run_result.run(RUN["id"], "m", map_index=1) == 10
    for slug, message in (("none", "is not stored"), ("bad", "has no result"), ("x", "there are: bad, m, none")):
        with pytest.raises(ValueError, match=message):
            get_task_run_result.run(RUN["id"], slug)


def test_a_view_has_every_child_of_a_large_map(server: UnixServer) -> None:
    """
    Though the daemon gives only the first ones with the run.
    """
    tasks = [a_task("m", map_index=index) for index in range(-1, 3)]
    server.answers[f"GET /runs/{RUN['id']}"] = a_detail(DONE, tasks=tasks[:2], tasks_next="m@0")
    server.answers[f"GET /runs/{RUN['id']}/tasks"] = lambda query, _: (
        {"tasks": tasks[2:3], "next": "m@1"} if query["after"] == "m@0" else {"tasks": tasks[3:], "next": None}
    )
    [mapped] = FlowRunView.from_flow_run_id(RUN["id"]).get_all_task_runs()

    assert [child.map_index for child in mapped.iter_mapped()] == [0, 1, 2]


def test_every_line_of_a_run_is_given(server: UnixServer) -> None:
    """
    An answer may be empty though there is more to look at.
    """
    pages = {-1: ["a"], 0: [], 5: ["b"]}
    server.answers[f"GET /runs/{RUN['id']}/logs"] = lambda query, _: {
        "run": DONE,
        "lines": [{"level": 20, "text": text} for text in pages[int(query["after"])]],
        "next": {-1: 0, 0: 5, 5: 6}[int(query["after"])],
        "more": query["after"] != "5",
    }

    assert FlowRunView.from_flow_run_id(RUN["id"]).get_logs() == ["a", "b"]


def test_a_stored_value_is_a_pickle_or_json(tmp_path: Path) -> None:
    """
    A parameter's is its JSON itself; anything else is told.
    """
    (tmp_path / "pickle").write_bytes(pickle.dumps([1]))
    (tmp_path / "json").write_text('{"a": 1}')
    (tmp_path / "text").write_text("hello")

    assert read_result(str(tmp_path / "pickle")) == [1]
    assert read_result(str(tmp_path / "json")) == {"a": 1}
    assert read_result("0.3") == 0.3
    with pytest.raises(ValueError, match="only files of this host with a pickle or JSON can"):
        read_result(str(tmp_path / "text"))


def test_a_flow_is_seen_with_its_project(server: UnixServer) -> None:
    """
    By its name, or by the id that registering gave.
    """
    found = FlowView.from_flow_name("data-engineer")

    assert found == FlowView.from_flow_id("data-engineer@2")
    assert (found.flow_id, found.project_name, found.flow_labels) == ("data-engineer@3", "p", {"vm"})


def test_a_run_is_cancelled_and_renamed(server: UnixServer) -> None:
    """
    By tasks and by the client of old flows.
    """
    server.answers["POST /runs/x/cancel"] = server.answers["POST /runs/x/rename"] = {"run": DONE}

    assert CancelFlowRun("x").run()
    assert RenameFlowRun(flow_run_id="x").run(flow_run_name="better")
    assert Client().cancel_flow_run("x")
    assert Client(api_key="k").set_flow_run_name("x", "best")
    assert [body.get("name") for _, _, _, body in server.requests] == [None, "better", None, "best"]


def test_names_of_flows_that_are_started_are_described(tmp_path: Path) -> None:
    """
    Where they are constants.
    """
    marked = [StartFlowRun("a"), StartFlowRun(), create_flow_run]

    @task
    def choose() -> str:
        return "d"

    with Flow("main") as flow:
        marked[0]()
        marked[1](flow_name="b")
        create_flow_run(flow_name="c")
        create_flow_run(flow_name=choose())

    assert describe.started(flow) == ("a", "b", "c")
