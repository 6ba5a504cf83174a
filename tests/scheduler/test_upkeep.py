"""
Retention: what is too old goes, a little at a time; what goes on stays.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from orchd import clock
from orchd.errors import StoreError
from orchd.model.instants import to_us
from orchd.model.states import FlowRunState
from orchd.scheduler import upkeep
from orchd.scheduler.health import StoreHealth
from orchd.scheduler.ingest import End
from orchd.scheduler.upkeep import Upkeep
from orchd.store import jumps
from orchd.store.jumps import JumpRow
from scheduler.daemon import HandWriter
from scheduler.rig import START, Rig, minute, waiting

S = FlowRunState
LATER = START + timedelta(days=45)


@pytest.fixture
def writer() -> HandWriter:
    """
    A writer that works by hand.
    """
    return HandWriter()


@pytest.fixture
def cleaner(rig: Rig, writer: HandWriter, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upkeep]:
    """
    The upkeep of a rig, 45 days later.
    """
    monkeypatch.setattr(clock, "now", lambda: LATER)
    return Upkeep(
        rig.database,
        writer,
        StoreHealth(),
        rig.board.runs_folder,
        config=lambda: rig.config,
        is_live=lambda run_id: run_id in rig.board.live,
        awaited=rig.chains.awaited,
    )


def test_old_runs_go_and_failed_ones_stay_twice_as_long(rig: Rig, writer: HandWriter, cleaner: Upkeep) -> None:
    """
    In transactions of a few runs each; live ones stay for ever.
    """
    for _ in range(45):
        rig.move(rig.run().id, S.SUCCESS)
    rig.move(rig.run("report").id, S.FAILED)
    rig.run("live")
    cleaner.clean()
    writer.work(rounds=2)
    assert 27 == len(rig.states())

    writer.work()

    assert ["report failed", "live running"] == rig.states()


def test_a_finish_that_still_waits_for_its_partner_stays(rig: Rig, writer: HandWriter, cleaner: Upkeep) -> None:
    """
    However old it is; what a newer one of its flow took the place of goes.
    """
    rig.use(waiting("w", "load", "clean"))
    for number in (1, 2):
        rig.move(rig.run().id, S.SUCCESS, at=minute(number))
    newest = rig.run()
    rig.ingest.step(newest, End(state=S.SUCCESS, message="over", at=to_us(minute(3))))
    rig.move(rig.run("other").id, S.SUCCESS)
    cleaner.clean()
    writer.work()
    assert ["load success"] == rig.states()

    rig.ingest.step(rig.run("clean"), End(state=S.SUCCESS, message="over", at=to_us(LATER)))
    started = next(run for run in rig.board.live.values() if run.row.schedule == "w")
    assert newest.id == started.row.upstream_runs["load"]
    cleaner.clean()
    writer.work()
    assert ["clean success", "w scheduled"] == rig.states()


def test_a_long_log_goes_in_pieces(
    rig: Rig, writer: HandWriter, cleaner: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    No start is late because of it.
    """
    monkeypatch.setattr(upkeep, "_LINES_AT_ONCE", 100)
    run = rig.run()
    run.folder.stdout.write_bytes(b"line\n" * 350)
    rig.ingest.step(run, None)
    rig.move(run.id, S.SUCCESS)
    cleaner.clean()
    writer.work(rounds=2)
    assert 250 == len(rig.lines(run))

    writer.work()

    assert [] == rig.states()


def test_old_jumps_of_the_clock_go_too(rig: Rig, writer: HandWriter, cleaner: Upkeep) -> None:
    """
    With the runs that they could explain.
    """
    with rig.database.writing() as conn:
        jumps.put(conn, JumpRow(at_us=to_us(START - timedelta(days=60)), seconds=1.0))
        jumps.put(conn, JumpRow(at_us=to_us(START), seconds=2.0))
    cleaner.clean()
    writer.work()

    with rig.database.reading() as conn:
        assert [2.0] == [jump.seconds for jump in jumps.jumps(conn)]


def test_a_store_that_is_away_is_cleaned_another_time(
    writer: HandWriter, cleaner: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It costs the daemon nothing.
    """

    def away(*_: object, **__: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr("orchd.scheduler.upkeep.upkeep.trim_logs", away)
    monkeypatch.setattr("orchd.scheduler.upkeep.attempts.resumable", away)
    cleaner.clean()
    writer.work()

    assert [] == writer.jobs


def aged(folder: Path, days: float) -> Path:
    """
    Make *folder* with a file, so many days old.
    """
    folder.mkdir(exist_ok=True)
    (folder / "stdout").touch()
    at_s = (LATER - timedelta(days=days)).timestamp()
    for path in (folder / "stdout", folder):
        os.utime(path, (at_s, at_s))
    return folder


def test_folders_go_when_their_run_is_over_and_their_files_are_old(
    rig: Rig, writer: HandWriter, cleaner: Upkeep
) -> None:
    """
    Not those of live runs, nor what is no folder.
    """
    runs = rig.board.runs_folder
    old, new = aged(runs / "old", 2), aged(runs / "new", 0.5)
    live = aged(rig.run().folder.path, 2)
    written = aged(runs / "written", 2)
    os.utime(written / "stdout", (LATER.timestamp(), LATER.timestamp()))
    (runs / "file").touch()
    with capture_logs() as logs:
        cleaner.clean()
        writer.work()

    assert [False, True, True, True] == [path.exists() for path in (old, new, live, written)]
    assert [1] == [entry["folders"] for entry in logs]


def test_kept_results_stay_with_a_run_that_can_be_resumed(rig: Rig, writer: HandWriter, cleaner: Upkeep) -> None:
    """
    The rest of its folder goes; of a run that succeeded, or that the store has forgotten, everything does.
    """
    folders = []
    for state in (S.FAILED, S.SUCCESS):
        run = rig.run()
        rig.move(run.id, state, at=LATER - timedelta(days=2))
        folders.append(aged(run.folder.path, 2))
    folders.append(aged(rig.board.runs_folder / "forgotten", 2))
    for folder in folders:
        (folder / "results").mkdir()
        for path in (*folder.iterdir(), folder):
            os.utime(path, (0, 0))
    for _ in range(2):
        cleaner.clean()
        writer.work()

    assert [["results"], None, None] == [os.listdir(path) if path.exists() else None for path in folders]


def test_many_kept_results_go_in_pieces(
    rig: Rig, writer: HandWriter, cleaner: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    So that no start is late for a run of ten thousand mapped tasks; and what a link leads to is nobody's to remove.
    """
    monkeypatch.setattr(upkeep, "_FILES_AT_ONCE", 2)
    removed: list[int] = []
    unlink = upkeep._unlink

    def counted(file: Path) -> None:
        removed[-1] += 1
        unlink(file)

    monkeypatch.setattr(upkeep, "_unlink", counted)
    elsewhere = aged(rig.board.runs_folder.parent / "elsewhere", 2)
    many, linked = aged(rig.board.runs_folder / "many", 2), aged(rig.board.runs_folder / "linked", 2)
    (many / "results").mkdir()
    for number in range(5):
        (many / "results" / str(number)).touch()
    (linked / "results").symlink_to(elsewhere)
    for path in (many / "results", many, linked):
        os.utime(path, (0, 0))
    cleaner.clean()
    while writer.jobs:
        removed.append(0)
        writer.jobs.pop(0)()

    assert [many.exists(), linked.exists(), os.listdir(elsewhere)] == [False, False, ["stdout"]]
    assert max(removed) <= 3


def test_cached_results_go_when_they_are_over(rig: Rig, writer: HandWriter, cleaner: Upkeep) -> None:
    """
    Their names say when; nobody looks into them.
    """
    folder = rig.board.runs_folder.with_name("caches") / "key"
    folder.mkdir(parents=True)
    now_us = clock.now_us()
    for name in (f"{now_us - 1}-1-a.cache", f"{now_us + 10**12}-1-b.cache"):
        (folder / name).touch()
    cleaner.clean()
    writer.work()

    assert [f"{now_us + 10**12}-1-b.cache"] == os.listdir(folder)


@pytest.mark.parametrize("unreadable", ["old", "runs", "caches", "key"])
def test_a_folder_that_cannot_be_read_is_left(
    rig: Rig, writer: HandWriter, cleaner: Upkeep, monkeypatch: pytest.MonkeyPatch, unreadable: str
) -> None:
    """
    Until another clean-up, be it of one run or that of all, or of cached results: the daemon lives on.
    """
    runs = rig.board.runs_folder
    old = aged(runs / "old", 2)
    cached = runs.with_name("caches") / "key" / "1-1-a.cache"
    cached.parent.mkdir(parents=True)
    cached.touch()
    iterdir = Path.iterdir

    def broken(folder: Path) -> Iterator[Path]:
        if folder in {runs / unreadable, runs.with_name(unreadable), cached.parent.with_name(unreadable)}:
            raise OSError(24, "Too many open files")
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", broken)
    with capture_logs() as logs:
        cleaner.clean()
        writer.work()

    assert (old.exists(), cached.exists()) == (unreadable in {"old", "runs"}, unreadable in {"caches", "key"})
    told = {Path(entry["folder"]).name for entry in logs if entry["log_level"] == "warning"}
    assert {unreadable} - {"old"} == told


def test_a_clock_far_ahead_takes_no_history_with_it(
    rig: Rig, writer: HandWriter, cleaner: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A clean-up trusts the clock for a day more than the one before, so one that boots in 2098 removes nothing of today.
    """
    monkeypatch.setattr(clock, "now", lambda: START)
    cleaner.clean()
    writer.work()
    rig.move(rig.run().id, S.SUCCESS)
    monkeypatch.setattr(clock, "now", lambda: START + timedelta(days=72 * 365))
    cleaner.clean()
    writer.work()

    assert ["load success"] == rig.states()


def test_after_a_long_absence_the_trusted_time_catches_up() -> None:
    """
    A day for each clean-up, never beyond now.
    """
    now = START + timedelta(days=2.5)
    steps = [START]
    while steps[-1] != now:
        steps.append(upkeep.trusted_now(now, last=steps[-1]))

    assert [0, 1, 2, 2.5] == [(step - START) / timedelta(days=1) for step in steps]
