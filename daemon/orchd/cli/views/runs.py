"""
``orchd runs`` and ``orchd show``.
"""

from typing import Final

from orchd.cli.screen import Cell, Column, Screen
from orchd.cli.views.cells import Json, count, moment, state, took, when

#: So many children of a task are shown whatever became of them.
_FEW: Final = 20
#: States that need nobody's look.
_FINE: Final = ("success", "cached")


def runs(answer: Json, screen: Screen) -> None:
    """
    Draw one row for each run, newest first.
    """
    if not answer["runs"]:
        screen.line(Cell("No run fits.", "quiet"))
        return

    columns = (
        Column(title="run"),
        Column(title="flow", gives_way=True),
        Column(title="state"),
        Column(title="began"),
        Column(title="took", right=True),
        Column(title="by", gives_way=True, from_width=90),
        Column(title="message", gives_way=True, from_width=100),
    )
    screen.table(columns, [_run(run, screen) for run in answer["runs"]])


def _run(run: Json, screen: Screen) -> list[Cell]:
    return [
        Cell(run["name"]),
        Cell(run["flow"], "name"),
        state(run),
        moment(run["started_at"] or run["created_at"], screen, style="" if run["started_at"] else "quiet"),
        took(run),
        Cell(run["schedule"] or run["trigger"], "quiet"),
        Cell(run["held"] or ("" if run["state"] == "success" else run["message"]), "quiet"),
    ]


def show(run: Json, screen: Screen) -> None:
    """
    Draw one run: how it stands, its tasks, and what moved it.
    """
    screen.line(Cell(run["name"], "name"), Cell("of"), Cell(run["flow"], "name"), Cell("is"), state(run))
    columns = (Column(title="what"), Column(title="value", gives_way=True))
    rows = [[Cell(name, "quiet"), Cell(value)] for name, value in _facts(run, screen) if value]
    screen.table(columns, rows, titles=False)
    if run["held"] or run["message"]:
        screen.line(Cell("held:" if run["held"] else "message:", "quiet"), Cell(run["held"] or run["message"]))
    if run["tasks"]:
        screen.heading("Tasks", _counted(run["tasks"], "task"))
        _tasks(run["tasks"], screen)
    if run["children"]:
        screen.heading("Runs that it started", count(len(run["children"]), "run"))
        screen.table(
            (Column(title="run"), Column(title="flow", gives_way=True), Column(title="state"), Column(title="took")),
            [
                [Cell(child["name"]), Cell(child["flow"], "name"), state(child), took(child)]
                for child in run["children"]
            ],
        )
    moves = [event for event in run["events"] if event["task"] is None]
    if moves:
        screen.heading("Moves")
        screen.table(
            (Column(title="at"), Column(title="to"), Column(title="message", gives_way=True)),
            [
                [moment(event["at"], screen), Cell(event["to"]), Cell(event["message"] or "", "quiet")]
                for event in moves
            ],
        )


def _facts(run: Json, screen: Screen) -> list[tuple[str, str]]:
    by = f"schedule {run['schedule']}" if run["schedule"] else f"{run['trigger']}, {run['created_by'] or 'unknown'}"
    memory = run["peak_rss_kib"]
    end = f"signal {run['signal']}" if run["signal"] else ("" if run["exit_code"] is None else f"{run['exit_code']}")
    return [
        ("id", run["id"]),
        ("started by", by),
        ("parent", f"{parent['name']} of {parent['flow']}" if (parent := run["parent"]) else ""),
        ("fire time", when(run["fire_time"], screen) if run["fire_time"] else ""),
        ("began", when(run["started_at"], screen) if run["started_at"] else ""),
        ("ended", when(run["ended_at"], screen) if run["ended_at"] else ""),
        ("took", took(run).text),
        ("attempt", str(run["attempt"]) if run["attempt"] > 1 or run["after"] else ""),
        ("goes on from", _attempt(run["before"]) or (run["resumed_from"] or "")),
        ("resumed by", _attempt(run["after"])),
        ("waited for", ", ".join(f"{flow} ({upstream})" for flow, upstream in run["upstream_runs"].items())),
        ("parameters", ", ".join(f"{name} = {value!r}" for name, value in run["parameters"].items())),
        ("exit", end),
        ("peak memory", f"{memory / 1024:.0f} MiB" if memory else ""),
        ("host", run["host"] or ""),
    ]


def _attempt(run: Json | None) -> str:
    return "" if run is None else f"{run['name']}, attempt {run['attempt']}, {run['shown']}"


def _counted(tasks: list[Json], noun: str) -> str:
    shown: dict[str, int] = {}
    for task in tasks:
        shown[task["shown"]] = shown.get(task["shown"], 0) + 1
    return ", ".join([count(len(tasks), noun), *(f"{number} {word}" for word, number in sorted(shown.items()))])


def _tasks(tasks: list[Json], screen: Screen) -> None:
    columns = (
        Column(title="task", gives_way=True),
        Column(title="state"),
        Column(title="began"),
        Column(title="took", right=True),
        Column(title="tries", right=True, from_width=90),
        Column(title="message", gives_way=True),
    )
    by_slug: dict[str, list[Json]] = {}
    for task in sorted(tasks, key=_began):
        by_slug.setdefault(task["slug"], []).append(task)
    groups = [_group(sorted(group, key=lambda task: int(task["map_index"]))) for group in by_slug.values()]
    screen.table(columns, [_task(task, screen) for rows, _ in groups for task in rows])
    left_out = sum(more for _, more in groups)
    if left_out:
        screen.line(Cell(f"{count(left_out, 'task run')} of large maps left out here; --json has all", "quiet"))


def _began(task: Json) -> str:
    # Without the Z, which is greater than the point of a fraction.
    return (task["started_at"] or task["ended_at"] or "").removesuffix("Z")


def _group(group: list[Json]) -> tuple[list[Json], int]:
    """
    Return the task runs of one task that are shown, and how many others there are: of a large map those that need a
    look, below what became of all.
    """
    parents = [task for task in group if task["map_index"] < 0]
    children = group[len(parents) :]
    if len(children) <= _FEW:
        return group, 0

    shown = [child for child in children if child["state"] not in _FINE][:_FEW]
    counted = [parent | {"message": _counted(children, "task run")} for parent in parents]
    return [*counted, *shown], len(children) - len(shown)


def _task(task: Json, screen: Screen) -> list[Cell]:
    index = f"[{task['map_index']}]" if task["map_index"] >= 0 else ""
    return [
        Cell(task["name"] + index),
        state(task),
        moment(task["started_at"], screen),
        took(task),
        Cell(str(task["attempt"])),
        Cell(task["message"] or "", "quiet"),
    ]
