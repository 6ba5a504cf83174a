"""
``orchd status``: the daemon, what runs, what is held, what comes next, what failed, what is broken.
"""

from orchd.cli.screen import Cell, Column, Screen
from orchd.cli.views.cells import Json, count, from_now, moment, state, took, when


def status(answer: Json, screen: Screen) -> None:
    """
    Draw the whole status, a part only when there is something in it.
    """
    _daemon(answer, screen)
    _problems(answer, screen)
    _running(answer["running"], screen)
    _held(answer["held"], screen)
    _next(answer["next"], answer["next_more"], screen)
    _failed(answer["failed"], screen)


def _daemon(answer: Json, screen: Screen) -> None:
    daemon = answer["daemon"]
    screen.line(
        Cell("orchd", "name"),
        Cell(str(daemon["version"])),
        Cell("is up", "good"),
        Cell(f"since {when(daemon['started_at'], screen).removesuffix(' ago)')}" + (")" if screen.is_terminal else "")),
    )
    ended = ", ".join(f"{number} {word}" for word, number in sorted(answer["counts"].items()) if number) or "no run"
    facts = [
        ("process", f"{daemon['pid']} on {daemon['host']}"),
        ("places", f"{sum(run['state'] != 'waiting' for run in answer['running'])} of {daemon['max_runs']} taken"),
        *((f"pool {pool['pool']}", f"{pool['taken']} of {pool['places']} taken") for pool in answer["pools"]),
        ("last 24 h", ended.replace("_", " ")),
        ("zone", daemon["timezone"]),
        ("store", daemon["store"]),
        ("state", daemon["state_dir"]),
        ("socket", daemon["socket"]),
        ("page", answer["page"]["url"] or answer["page"]["trouble"] or 'switched off (listen = "")'),
    ]
    columns = (Column(title="what"), Column(title="value", gives_way=True))
    screen.table(columns, [[Cell(name, "quiet"), Cell(str(value))] for name, value in facts], titles=False)


def _problems(answer: Json, screen: Screen) -> None:
    sentences = [(f"{broken['file']}:", broken["error"], "bad") for broken in answer["broken"]]
    if answer["config_error"]:
        sentences.append(("The config was not taken over:", answer["config_error"], "bad"))
    sentences += [
        (put_off["run"], f"of {put_off['flow']} does not begin, its launch is put off: {put_off['reason']}", "bad")
        for put_off in answer["put_off"]
    ]
    for jump in answer["clock_jumps"]:
        way = "forward" if jump["seconds"] > 0 else "back"
        sentences.append(
            ("The clock was set", f"{way} by {abs(jump['seconds']):g} s at {when(jump['at'], screen)}", "warn")
        )
    sentences += [
        (wait["schedule"], f"waits until {when(wait['until'], screen)}: the clock was set back", "warn")
        for wait in answer["clock_waits"]
    ]
    if sentences:
        screen.heading("Needs attention")
        for what, sentence, style in sentences:
            screen.line(Cell(what, style), Cell(sentence))


def _running(runs: list[Json], screen: Screen) -> None:
    if runs:
        screen.heading("Running", count(len(runs), "run"))
        columns = (
            Column(title="flow", gives_way=True),
            Column(title="run"),
            Column(title="state"),
            Column(title="since", from_width=90),
            Column(title="for", right=True),
            Column(title="by", from_width=100),
        )
        screen.table(
            columns,
            [
                [
                    Cell(run["flow"], "name"),
                    Cell(run["name"]),
                    state(run),
                    moment(run["started_at"], screen),
                    took(run),
                    Cell(run["schedule"] or run["trigger"], "quiet"),
                ]
                for run in runs
            ],
        )


def _held(runs: list[Json], screen: Screen) -> None:
    if runs:
        screen.heading("Held", count(len(runs), "run"))
        columns = (Column(title="flow", gives_way=True), Column(title="run"), Column(title="because", gives_way=True))
        rows = [[Cell(run["flow"], "name"), Cell(run["name"]), Cell(run["held"] or "")] for run in runs]
        screen.table(columns, rows)


def _next(fires: list[Json], more: int, screen: Screen) -> None:
    screen.heading("Next")
    if not fires:
        screen.line(Cell("No schedule has a coming fire time.", "quiet"))
        return

    columns = (
        Column(title="at"),
        Column(title="away", right=True),
        Column(title="flow"),
        Column(title="schedule", gives_way=True),
    )
    rows = [
        [
            moment(fire["fire_time"], screen),
            from_now(fire["fire_time"]),
            Cell(fire["flow"], "name"),
            Cell(fire["schedule"], "quiet"),
        ]
        for fire in fires
    ]
    screen.table(columns, rows)
    if more:
        screen.line(Cell(f"and {count(more, 'more schedule')}: `orchd schedules` lists all", "quiet"))


def _failed(runs: list[Json], screen: Screen) -> None:
    if runs:
        screen.heading("Failed", "last 24 hours")
        columns = (
            Column(title="at"),
            Column(title="flow", gives_way=True),
            Column(title="run"),
            Column(title="state"),
            Column(title="message", gives_way=True, from_width=60),
        )
        rows = [
            [
                moment(run["ended_at"], screen),
                Cell(run["flow"], "name"),
                Cell(run["name"]),
                state(run),
                Cell(run["message"], "quiet"),
            ]
            for run in runs
        ]
        screen.table(columns, rows)
