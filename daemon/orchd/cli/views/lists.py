"""
``orchd flows`` and ``orchd schedules``.
"""

from orchd.cli.screen import Cell, Column, Screen
from orchd.cli.views.cells import OUTCOMES, Json, moment, state


def flows(answer: Json, screen: Screen) -> None:
    """
    Draw one row for each flow, and below them why some did not load.
    """
    if not answer["flows"]:
        screen.line(Cell("The daemon knows no flow; [flows] paths says where it looks.", "quiet"))
        return

    columns = (
        Column(title="flow"),
        Column(title="tasks", right=True),
        Column(title="version", right=True, from_width=90),
        Column(title="project", gives_way=True, from_width=90),
        Column(title="schedules", gives_way=True),
        Column(title="last run"),
        Column(title="ended"),
        Column(title="file", gives_way=True, from_width=100),
    )
    screen.table(columns, [_flow(flow, screen) for flow in answer["flows"]])
    for flow in answer["flows"]:
        if flow["error"]:
            screen.line(Cell(f"{flow['name']}:", "bad"), Cell(flow["error"]))


def _flow(flow: Json, screen: Screen) -> list[Cell]:
    last = flow["last_run"]
    return [
        Cell(flow["name"], "name" if flow["loaded"] else "bad"),
        Cell(str(flow["tasks"])),
        Cell(str(flow["version"])),
        Cell(flow["project"] or "", "quiet"),
        Cell(", ".join(flow["schedules"])),
        state(last) if last else Cell("never", "quiet"),
        moment(last["ended_at"], screen, style="quiet") if last else Cell(""),
        Cell(flow["file"], "quiet"),
    ]


def schedules(answer: Json, screen: Screen) -> None:
    """
    Draw one row for each schedule, and below them who paused which.
    """
    if not answer["schedules"]:
        screen.line(Cell("There is no schedule; write a [schedules.NAME] table into the config.", "quiet"))
        return

    columns = (
        Column(title="schedule"),
        Column(title="flow", gives_way=True),
        Column(title="rule"),
        Column(title="zone", from_width=100),
        Column(title="next"),
        Column(title="last"),
    )
    screen.table(columns, [_schedule(schedule, screen) for schedule in answer["schedules"]])
    for schedule in answer["schedules"]:
        if paused := schedule["paused"]:
            note = f": {paused['note']}" if paused["note"] else ""
            at = moment(paused["at"], screen)
            screen.line(Cell(schedule["name"], "warn"), Cell(f"was paused by {paused['who']} at {at.text}{note}"))


def _schedule(schedule: Json, screen: Screen) -> list[Cell]:
    last = schedule["last"]
    coming = moment(schedule["next"][0], screen) if schedule["next"] else Cell("", "quiet")
    return [
        Cell(schedule["name"], "name"),
        Cell(schedule["flow"]),
        Cell(schedule["rule"]),
        Cell(schedule["timezone"], "quiet"),
        Cell("paused", "warn") if schedule["paused"] else coming,
        Cell(last["outcome"], OUTCOMES.get(last["outcome"], "")) if last else Cell("never", "quiet"),
    ]
