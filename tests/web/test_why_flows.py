"""
Why, asked of a flow: what it is, what starts it, and what its last run came to.
"""

from orchd.model.states import FlowRunState
from orchd.store import flows
from scheduler.rig import START, Rig, every_minute, flow_spec, minute
from web.serving import Serving

S = FlowRunState


def why(api: Serving, of: str) -> list[str]:
    """
    Return the sentences about *of*.
    """
    answer = api.get("/why", of=of)
    assert answer["kind"] == "flow"
    sentences: list[str] = answer["sentences"]
    return sentences


def test_a_flow_names_its_schedules_and_its_last_run(api: Serving, rig: Rig) -> None:
    """
    First as one that has never run.
    """
    file = rig.board.flows["load"].spec.file
    assert [f"load is a flow, in {file}", "it has no schedule", "it has never run"] == why(api, "load")

    rig.use(every_minute("a"), every_minute("b"))
    rig.tick(minute(1))
    for run in list(rig.board.live.values()):
        rig.move(run.id, S.RUNNING, S.FAILED, at=minute(2))
    _, of_schedules, of_run = why(api, "load")

    assert of_schedules == "its schedules are a, b: `orchd why SCHEDULE` tells more"
    assert of_run.endswith(": Failed, ended at 2026-06-01T10:02:00Z")


def test_a_flow_whose_last_run_is_held_says_why(api: Serving, rig: Rig) -> None:
    """
    And whether its file loads.
    """
    rig.limit(max_runs=0)
    rig.use(every_minute("a"), at=minute(-1))
    rig.tick(START)
    (run,) = rig.board.live.values()
    file = rig.board.flows["load"].spec.file
    api.daemon.errors[file] = "line 3: no such name"

    assert [
        f"load is a flow, in {file}",
        "its file does not load: line 3: no such name",
        "its schedule is a: `orchd why SCHEDULE` tells more",
        f"its last run is {run.row.name}: held because all 0 places of max_runs are taken",
    ] == why(api, "load")


def test_a_flow_with_a_name_like_the_beginning_of_an_id_is_found(api: Serving, rig: Rig) -> None:
    """
    Though it is too short for one.
    """
    with rig.database.writing() as conn:
        flows.record_flows(conn, [flow_spec("a"), flow_spec("face")], at_us=1)

    assert why(api, "a")[0].startswith("a is a flow, in ")
    assert why(api, "face")[0].startswith("face is a flow, in ")
