"""
Pools, priorities, limits of flows, waits and self-pausing, as the config says them.
"""

from pathlib import Path

import pytest

from orchd import config
from orchd.config import Config
from orchd.config.problems import ConfigProblems
from orchd.model.specs import WaitSpec

GOOD = '[schedules.n]\nflow = "f"\ncron = "* * * * *"\n'
EITHER = 'write one of within = "26h", same_slot = true'

#: What is written; the line that is named; what the sentence says.
MISTAKES = [
    ('[pools]\ngpu = "2"\n', 2, '[pools] gpu = "2": must be a number of places; write for example gpu = 2'),
    ("[pools.gpu]\nplaces = 2\n", 1, "[pools] gpu: must be a number of places; write for example gpu = 2"),
    ("[pools]\ngpu = true\n", 2, "[pools] gpu = true: must be a number of places"),
    ("[pools]\ngpu = 0\n", 2, "[pools] gpu = 0: must be 1 or more"),
    ('[flow.f]\npool = "gpu"\n', 2, '[flow.f] pool = "gpu": there is no such pool; write gpu = 2 under [pools]'),
    (GOOD + 'pool = "gpo"\n[pools]\ngpu = 2\n', 4, '[schedules.n] pool = "gpo": there is no such pool; did you mean'),
    ("[flow.f]\nmax_runs = 0\n", 2, "max_runs = 0: must be 1 or more"),
    (GOOD + 'priority = "high"\n', 4, 'priority = "high": must be a whole number; write for example priority = 10'),
    (GOOD + "pause_after_failures = 0\n", 4, "pause_after_failures = 0: must be 1 or more"),
    (GOOD + 'wait_for = { flow = "l" }\n', 4, f"wait_for: flow 'l' has neither within nor same_slot; {EITHER}"),
    (
        GOOD + 'wait_for = { flow = "l", within = "1h", same_slot = true }\n',
        4,
        f"wait_for: flow 'l' has both within and same_slot; {EITHER}",
    ),
    (GOOD + 'wait_for = { flow = "l", wihin = "1h" }\n', 4, "there is no key 'wihin'; did you mean 'within'?"),
    (
        GOOD + 'wait_for = { within = "1h" }\n',
        4,
        "has no 'flow'; write for example wait_for = { flow = \"load\", within",
    ),
    (GOOD + 'wait_for = "load"\n', 4, 'wait_for = "load": must be a list in square brackets; write for example'),
    (GOOD + "wait_for = []\n", 4, "wait_for = []: is empty: give one at least"),
    (
        '[schedules.n]\nflow = "f"\nafter = ["a"]\nwait_for = { flow = "l", within = "1h" }\n',
        4,
        "wait_for: means nothing beside 'after', which waits already; remove it",
    ),
]


@pytest.mark.parametrize(("text", "line", "says"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_one_clear_sentence(tmp_path: Path, text: str, line: int, says: str) -> None:
    """
    With file, line, key, value, and what to write instead.
    """
    with pytest.raises(ConfigProblems) as caught:
        _load(tmp_path, text)

    (problem,) = caught.value.problems
    assert problem.startswith(f"{tmp_path / 'orchd.toml'}, line {line}: ")
    assert says in problem


def test_all_that_may_be_said_is_taken_over(tmp_path: Path) -> None:
    """
    One wait alone is a list of one.
    """
    text = (
        GOOD
        + 'pool = "gpu"\npriority = -3\npause_after_failures = 3\n'
        + 'wait_for = { flow = "load", within = "26h", timeout = "4h" }\n'
        + "[pools]\ngpu = 2\n"
        + '[flow.f]\nmax_runs = 1\npool = "gpu"\npriority = 10\n'
    )
    loaded = _load(tmp_path, text)
    (schedule,) = loaded.schedules
    flow = loaded.flow_settings("f")

    assert {"gpu": 2} == loaded.pools
    assert (1, "gpu", 10) == (flow.max_runs, flow.pool, flow.priority)
    assert ("gpu", -3, 3) == (schedule.pool, schedule.priority, schedule.pause_after_failures)
    assert (WaitSpec(flow="load", within_s=26 * 3600, timeout_s=4 * 3600),) == schedule.wait_for


def test_a_schedule_may_wait_for_several_flows(tmp_path: Path) -> None:
    """
    In the order written.
    """
    text = GOOD + 'wait_for = [{ flow = "a", same_slot = true }, { flow = "b", within = "1h" }]\n'
    (schedule,) = _load(tmp_path, text).schedules

    assert (WaitSpec(flow="a", same_slot=True), WaitSpec(flow="b", within_s=3600)) == schedule.wait_for


def test_a_wait_for_a_flow_that_is_nowhere_is_refused(tmp_path: Path) -> None:
    """
    As soon as every flow file has loaded.
    """
    loaded = _load(tmp_path, GOOD + 'wait_for = { flow = "laod", within = "1h" }\n')
    with pytest.raises(ConfigProblems, match=r"names the flow 'laod', which is in no flow file; did you mean 'load'"):
        config.check_flows(loaded, {"f", "load"}, True)


def _load(folder: Path, text: str) -> Config:
    (folder / "orchd.toml").write_text(text)
    return config.load(folder, env={"HOME": "/home/ann", "TZ": "UTC"})
