"""
What is known of fire times before they come.
"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchd import config
from orchd.config import Config, endless_problems, endless_waits, over_problems, short_periods, wait_problems
from orchd.config.in_code import clashes, with_code
from orchd.model.specs import FlowSpec, RuleKind, ScheduleSpec

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _load(folder: Path, text: str) -> Config:
    (folder / "orchd.toml").write_text(text)
    return config.load(folder, env={"HOME": "/home/ann", "TZ": "UTC"})


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("dates = [2026-11-23T11:00:00Z]", "its last fire time was 2026-11-23T11:00:00Z"),
        ('cron = "0 9 * * *"\nuntil = 2026-11-20', "its last fire time was 2026-11-20T09:00:00Z"),
        ('cron = "0 9 * * *"\nfrom = 2026-11-01\ncount = 3', "its last fire time was 2026-11-03T09:00:00Z"),
        ('rrule = "FREQ=DAILY;COUNT=2"\nanchor = 2026-01-01', "its last fire time was 2026-01-02T00:00:00Z"),
    ],
)
def test_a_schedule_that_is_over_is_named(tmp_path: Path, rule: str, says: str) -> None:
    """
    With its line, and its last fire time; an hour before that it was good.
    """
    loaded = _load(tmp_path, f'[schedules.once]\nflow = "f"\n{rule}\n')
    [problem] = over_problems(loaded, now=NOW)

    assert f"orchd.toml, line 1: [schedules.once] is over: {says}" in problem
    assert over_problems(loaded, now=datetime(2025, 1, 1, tzinfo=UTC)) == []


@pytest.mark.parametrize(
    ("rule", "other", "is_met"),
    [
        ('cron = "0 9 * * *"', 'cron = "0 9 * * 1"', True),
        ('every = "1m"', 'cron = "0 9 * * *"', True),
        ('cron = "0 9 * * *"', 'cron = "1 9 * * *"', False),
        ('cron = "0 9 * * *"', 'cron = "0 9 * * *"\nsplay = "10m"', False),
        ('cron = "0 9 * * *"', 'after = ["g"]', False),
    ],
)
def test_a_same_slot_that_never_comes_is_refused(tmp_path: Path, rule: str, other: str, *, is_met: bool) -> None:
    """
    The flow that is waited for needs a schedule that has a fire time of this one.
    """
    loaded = _load(
        tmp_path,
        f'[schedules.report]\nflow = "report"\n{rule}\nwait_for = {{ flow = "load", same_slot = true }}\n'
        f'[schedules.load]\nflow = "load"\n{other}\n',
    )
    problems = wait_problems(loaded, now=NOW)

    assert (problems == []) is is_met
    assert (
        is_met or "[schedules.report] wait_for: no schedule of flow 'load' has a fire time of this one" in problems[0]
    )


@pytest.mark.parametrize(
    ("wait", "overlap", "warnings"),
    [
        ("", "skip", 1),
        (', timeout = "4h"', "skip", 0),
        ("", "queue", 0),
        ("", "allow", 0),
    ],
)
def test_a_wait_that_may_skip_for_ever_is_warned_of(tmp_path: Path, wait: str, overlap: str, warnings: int) -> None:
    """
    Without a timeout under ``overlap = "skip"`` nothing starts while one run waits.
    """
    loaded = _load(
        tmp_path,
        f'[schedules.n]\nflow = "f"\nevery = "1h"\noverlap = "{overlap}"\n'
        f'wait_for = {{ flow = "load", within = "26h"{wait} }}\n',
    )
    said = endless_waits(loaded)

    assert len(said) == warnings
    assert all("line 1: [schedules.n] wait_for: has no timeout for flow 'load', and" in each for each in said)


def test_flows_that_start_each_other_for_ever_are_refused(tmp_path: Path) -> None:
    """
    One starts the other in its code, and is started after it; a flow that starts itself is its own affair.
    """
    loaded = _load(tmp_path, '[schedules.again]\nflow = "parent"\nafter = ["child"]\n')
    parent = FlowSpec(name="parent", file="/f.py", source_hash="", starts=("child", "parent"))
    [problem] = endless_problems(loaded, {"parent": parent})

    assert "line 1: [schedules.again] after: " in problem
    assert "'parent', which starts 'child', which starts 'parent': this never ends" in problem
    assert list(endless_problems(replace(loaded, schedules=()), {"parent": parent})) == []


def test_a_period_shorter_than_a_usual_run_is_warned_of(tmp_path: Path) -> None:
    """
    By the nearest of the coming fire times, of config and code alike.
    """
    loaded = _load(
        tmp_path, '[schedules.a]\nflow = "f"\nevery = "1m"\n[schedules.b]\nflow = "g"\ncron = "0,5 9 * * *"\n'
    )
    in_code = ScheduleSpec(name="h", flow="h", kind=RuleKind.EVERY, rule="5s", in_code=True)
    whole = replace(loaded, schedules=with_code(loaded, [in_code]))
    warnings = short_periods(whole, {"f": 61.0, "g": 299.0, "h": 6.0}, now=NOW)

    assert ["[schedules.a] is due each 60 s" in warnings[0], "the schedule h of flow 'h' is due" in warnings[1]] == [
        True,
        True,
    ]
    assert len(warnings) == 2


def test_a_schedule_in_code_gives_way() -> None:
    """
    To those of the config for its flow, and to any of the same name, which is said.
    """

    def spec(name: str, flow: str, *, in_code: bool = True) -> ScheduleSpec:
        return ScheduleSpec(name=name, flow=flow, kind=RuleKind.EVERY, rule="1m", in_code=in_code)

    mine = spec("x", "a", in_code=False)
    loaded = replace(config.load(None, env={"HOME": "/home/ann", "TZ": "UTC"}), schedules=(mine,))
    in_code = [spec("a", "a"), spec("x", "b"), spec("b-2", "b")]
    chosen = with_code(loaded, in_code)

    assert [each.name for each in chosen] == ["x", "b-2"]
    assert [said.partition(":")[0] for said in clashes(chosen, in_code)] == ["the schedule of flow 'b' is not taken up"]
