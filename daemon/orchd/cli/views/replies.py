"""
What ``orchd start``, ``next``, ``why`` and ``reload`` answer.
"""

from orchd.cli.screen import Cell, Column, Screen
from orchd.cli.views.cells import Json, from_now, moment, state


def started(answer: Json, screen: Screen) -> None:
    """
    Say which run it is, how it stands, and how to follow it.
    """
    run = answer["run"]
    screen.line(Cell(run["name"], "name"), Cell("of"), Cell(run["flow"]), Cell("is"), state(run))
    if run["held"] or (run["message"] and run["ended_at"] and run["state"] != "success"):
        screen.line(Cell(run["held"] or run["message"]))
    if screen.is_terminal and not run["ended_at"]:
        screen.line(Cell(f"orchd logs -f {run['name']}", "quiet"))


def next_fires(answer: Json, screen: Screen) -> None:
    """
    Draw the coming fire times, with why a local time moved where there is a reason.
    """
    fires = answer["next"]
    # Without a daemon nobody knows of pauses.
    if pause := answer.get("paused"):
        note = f": {pause['note']}" if pause["note"] else ""
        told = f"by {pause['who']} since {moment(pause['at'], screen).text}{note}; none starts until it goes on"
        screen.line(Cell("paused", "warn"), Cell(told))
    if not fires:
        screen.line(Cell("No fire time comes.", "quiet"))
        return

    waits = any(fire["waits_for"] for fire in fires)
    columns = [
        Column(title="local time"),
        Column(title="utc", from_width=110),
        Column(title="away", right=True),
        Column(title="flow", gives_way=True),
        Column(title="schedule", gives_way=True),
        *([Column(title="waits for", gives_way=True)] if waits else []),
    ]
    rows = [
        [
            Cell(fire["local"]),
            Cell(
                fire["fire_time"].replace("T", " ").rstrip("Z")[:19] if screen.is_terminal else fire["fire_time"],
                "quiet",
            ),
            from_now(fire["fire_time"]),
            Cell(fire["flow"], "name"),
            Cell(fire["schedule"], "quiet"),
            *([Cell("; ".join(fire["waits_for"]))] if waits else []),
        ]
        for fire in fires
    ]
    screen.table(columns, rows)
    for fire in fires:
        if fire["note"]:
            screen.line(Cell(f"{fire['local']}:", "warn"), Cell(fire["note"]))


def why(answer: Json, screen: Screen) -> None:
    """
    Say the reasons, a sentence a line.
    """
    for sentence in answer["sentences"]:
        screen.line(Cell(sentence))
    if screen.is_terminal and (run := answer["run"]):
        screen.line(Cell(f"orchd show {run['name']}", "quiet"))


def reloaded(answer: Json, screen: Screen) -> None:
    """
    Say what changed.
    """
    if not answer["changes"]:
        still = ": what was broken is broken still" if answer["broken"] else ""
        screen.line(Cell(f"Read again; nothing has changed{still}.", "quiet"))
    for change in answer["changes"]:
        screen.line(Cell("changed:", "good"), Cell(change))


def created(answer: Json, screen: Screen) -> None:
    """
    Say whether the project is new.
    """
    screen.line(Cell(answer["project"]["name"], "name"), Cell("created" if answer["is_new"] else "already exists"))


def paused(answer: Json, screen: Screen) -> None:
    """
    Say whether a schedule is paused, and when it fires next.
    """
    schedule = answer["schedule"]
    name = Cell(schedule["name"], "name")
    if pause := schedule["paused"]:
        note = f": {pause['note']}" if pause["note"] else ""
        screen.line(name, Cell("is paused", "warn"), Cell(f"by {pause['who']}{note}"))
        return

    coming = moment(schedule["next"][0], screen).text if schedule["next"] else "when what it waits for is there"
    screen.line(name, Cell("goes on,", "good"), Cell(f"next {coming}"))
