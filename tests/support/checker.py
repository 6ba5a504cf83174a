"""
What must hold after every fault, over the store, the runs' own evidence and ``/proc``: I1 to I8 of the reliability
rules. Shares no code with the scheduler.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from support.daemon import FINAL, Daemon, Json
from support.evidence import Note, evidence
from support.waiting import eventually

#: Microseconds that a start may come after its fire time: 1 s, and 5 s for a loaded machine.
_LATE_US = 6_000_000
#: What the row of a crashed run may say when its code was never entered: what killed it before.
_NEVER_ENTERED = ("was killed", "killed by SIG", "exited with code", "folder is gone", "gave no process")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """
    Everything that is looked at, read once.
    """

    schedules: list[Json]
    slots: list[Json]
    runs: list[Json]
    events: list[Json]
    upstream: list[Json]
    notes: list[Note]


def take(daemon: Daemon) -> Picture:
    """
    Read store and evidence.
    """
    return Picture(
        schedules=daemon.rows(
            "SELECT c.id, c.name, c.decided_until_us, v.spec, v.created_at_us FROM schedule c JOIN schedule_version v"
            " ON v.schedule_id = c.id AND v.version = c.version"
        ),
        slots=daemon.rows("SELECT * FROM slot ORDER BY schedule_id, fire_time_us"),
        runs=daemon.rows("SELECT r.*, c.name AS schedule FROM flow_run r LEFT JOIN schedule c ON c.id = r.schedule_id"),
        events=daemon.rows("SELECT * FROM event WHERE slug IS NULL ORDER BY id"),
        upstream=daemon.rows("SELECT * FROM slot_upstream"),
        notes=evidence(daemon.home),
    )


def check(daemon: Daemon, *, every_us: int = 0, on_time: bool = False, one_clock: bool = True) -> Picture:
    """
    Check all eight, once every run has ended.

    Args:
        every_us: period of the ``every`` schedules, from the epoch; 0 when there are none.

        on_time: nothing was killed, so starts are on time too (I4).

        one_clock: False when the daemon's clock was not that of its runs, so that instants cannot be compared.
    """
    daemon.settled()
    picture = take(daemon)
    if every_us:
        _every_instant_has_one_row(picture, every_us)
    _user_code_is_entered_once(picture)
    if one_clock:
        _starts(picture, on_time=on_time)
    _nothing_is_stuck(daemon, picture)
    _moves_are_whole(picture)
    _lines_are_stored_in_order(daemon, picture)
    _upstream_runs_are_over_and_used_once(picture)
    return picture


def _every_instant_has_one_row(picture: Picture, every_us: int) -> None:
    """
    I1 and I3: the rows are exactly the instants of the rule up to where each schedule is decided.
    """
    for schedule in picture.schedules:
        if json.loads(schedule["spec"])["kind"] != "every":
            continue
        first = -(-(schedule["created_at_us"] + 1) // every_us) * every_us
        expected = set(range(first, schedule["decided_until_us"] + 1, every_us))
        covered: Counter[int] = Counter()
        for slot in picture.slots:
            if slot["schedule_id"] == schedule["id"]:
                until = slot["until_us"] or slot["fire_time_us"]
                covered.update(range(slot["fire_time_us"], until + 1, every_us))
        name = schedule["name"]
        assert not expected - covered.keys(), f"I1: {name} has no row for {sorted(expected - covered.keys())[:5]}"
        assert not covered.keys() - expected, f"I3: {name} has extra rows {sorted(covered.keys() - expected)[:5]}"
        assert set(covered.values()) <= {1}, f"I3: {name} has two rows for one instant"


def _user_code_is_entered_once(picture: Picture) -> None:
    """
    I2: at most once for each (instant, attempt), and at least once unless the rows say why not.
    """
    entries = Counter(note.key for note in picture.notes if note.word == "entered")
    twice = {key: count for key, count in entries.items() if count > 1}
    assert not twice, f"I2: entered more than once: {twice}"
    by_run = {note.run for note in picture.notes if note.word == "entered"}
    runs = {run["id"]: run for run in picture.runs}
    assert by_run <= runs.keys(), f"I2: evidence of runs that are in no row: {by_run - runs.keys()}"
    for run in runs.values():
        assert run["id"] in by_run or _says_why_not(run), f"I2: never entered, and its row does not say why: {run}"
    for slot in picture.slots:
        assert slot["outcome"] != "started" or slot["run_id"] in runs, f"I2: started, but without a run: {slot}"
        assert slot["outcome"] == "started" or slot["reason"], f"I2: no reason: {slot}"


def _says_why_not(run: Json) -> bool:
    """
    Tell whether the row of a run that was never entered has a reason for it.
    """
    if run["state"] == "cancelled":
        return bool(run["message"])
    return run["state"] == "crashed" and any(words in run["message"] for words in _NEVER_ENTERED)


def _starts(picture: Picture, *, on_time: bool) -> None:
    """
    I4: never early, and on time unless the slot says that it is late.
    """
    entered = {note.run: note.at_us for note in picture.notes if note.word == "entered"}
    for run in picture.runs:
        if run["fire_time_us"] is None or run["id"] not in entered:
            continue
        late_us = entered[run["id"]] - run["fire_time_us"]
        assert late_us >= 0, f"I4: {late_us} us early: {run}"
        assert not on_time or late_us <= _LATE_US, f"I4: {late_us} us late: {run}"


def _nothing_is_stuck(daemon: Daemon, picture: Picture) -> None:
    """
    I5 and I6: no row claims to go on, and no process is left.
    """
    assert {run["state"] for run in picture.runs} <= FINAL
    # A spawner that has just begun asks `file` for a moment what machine this is (croniter's import does).
    eventually(lambda: not daemon.below(), within_s=5, what=f"I6: nothing is left alive, now {daemon.below()}")
    open_tasks = daemon.rows(
        "SELECT t.* FROM task_run t JOIN flow_run r ON r.number = t.run_number WHERE t.ended_at_us IS NULL"
    )
    assert not open_tasks, f"I5: tasks that go on in runs that are over: {open_tasks}"


def _moves_are_whole(picture: Picture) -> None:
    """
    The events of a run lead from its first state to the one that it has, each from where the last one led.
    """
    moves: dict[int, list[Json]] = defaultdict(list)
    for event in picture.events:
        moves[event["run_number"]].append(event)
    for run in picture.runs:
        chain = moves[run["number"]]
        assert chain[0]["from_state"] is None, run
        assert all(one["to_state"] == two["from_state"] for one, two in pairwise(chain)), chain
        assert chain[-1]["to_state"] == run["state"], chain
        assert sum(event["to_state"] == "running" for event in chain) <= 1, chain


def _lines_are_stored_in_order(daemon: Daemon, picture: Picture) -> None:
    """
    I7: what a run noted as printed is stored in that order, once; a killed run may have printed one line more.
    """
    noted: dict[str, list[str]] = defaultdict(list)
    for note in picture.notes:
        if note.word.startswith("line "):
            noted[note.run].append(note.word)
    stored: dict[str, list[str]] = defaultdict(list)
    for row in daemon.rows(
        "SELECT r.id, l.text FROM log l JOIN flow_run r ON r.number = l.run_number WHERE l.stream = 1"
        " AND l.text LIKE 'line %' ORDER BY l.run_number, l.seq"
    ):
        stored[row["id"]].append(row["text"])
    for run in picture.runs:
        wanted, found = noted[run["id"]], stored[run["id"]]
        more = len(found) - len(wanted)
        assert found[: len(wanted)] == wanted, f"I7: {run['id']}: printed {wanted[-3:]}, stored {found[-3:]}"
        assert more == 0 or (more == 1 and run["state"] != "success"), f"I7: {run['id']}: {more} lines too many"


def _upstream_runs_are_over_and_used_once(picture: Picture) -> None:
    """
    I8: a run that waits for others is made when they are over, and each of them starts it once.
    """
    ended = {run["id"]: run["ended_at_us"] for run in picture.runs}
    entered = {note.run: note.at_us for note in picture.notes if note.word == "entered"}
    used: Counter[tuple[str, str]] = Counter()
    for run in picture.runs:
        for upstream in json.loads(run["upstream_runs"]).values():
            used[(run["schedule"], upstream)] += 1
            assert run["created_at_us"] >= ended[upstream], f"I8: made before its upstream was over: {run}"
            assert entered.get(run["id"], ended[upstream]) >= ended[upstream], f"I8: began before: {run}"
    assert set(used.values()) <= {1}, "I8: one finish started two runs of a schedule"


def instant(us: int) -> datetime:
    """
    Return microseconds since 1970 as an aware instant.
    """
    return datetime.fromtimestamp(us / 1_000_000, UTC)
