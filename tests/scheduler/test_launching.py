"""
A run that has not begun is launched until it has, and never while it may have.
"""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from orchd.model.states import FlowRunState
from orchd.processes.fence import Probe
from orchd.processes.protocol import Ended, Launched, Refused
from scheduler.daemon import PID, Daemon

S = FlowRunState


@pytest.mark.parametrize("reply", [Ended, Launched])
def test_a_run_that_never_began_is_launched_again(launched: Daemon, reply: type) -> None:
    """
    When its monitor has ended; one that was only just launched is given its time.
    """
    run = launched.run()
    values = {"status": 0} if reply is Ended else {}
    launched.scheduler.reply(reply(folder=str(run.folder.path), pid=PID, **values))
    launched.writer.work()

    assert [run.id] * (2 if reply is Ended else 1) == launched.launched


def test_a_run_that_is_still_dying_is_launched_again_when_it_is_dead(launched: Daemon) -> None:
    """
    Its monitor was killed before it wrote how the run began; the kernel takes its time with the run.
    """
    run = launched.run()
    launched.holders[run.id] = Probe(monitor_pid=None, run_pid=PID)
    launched.scheduler.reply(Ended(folder=str(run.folder.path), pid=PID, status=-9))
    launched.writer.work()
    launched.tick(after=timedelta(seconds=0.2))
    assert 1 == len(launched.launched)

    launched.holders.clear()
    launched.tick()

    assert 2 == len(launched.launched)


def test_a_run_that_cannot_begin_is_launched_at_growing_intervals(launched: Daemon) -> None:
    """
    A full disk, for one, ends each monitor of it within milliseconds.
    """
    run = launched.run()
    launches: list[int] = []
    for second in range(20):
        for _ in range(3):
            launched.scheduler.reply(Ended(folder=str(run.folder.path), pid=PID, status=70))
            launched.writer.work()
        launches += [second] * (len(launched.launched) - 1 - len(launches))
        launched.tick()

    assert [0, 1, 3, 7, 15] == launches


def test_a_new_spawner_is_asked_again(launched: Daemon) -> None:
    """
    What the old one had not launched would wait for ever.
    """
    launched.scheduler.spawner_gone()
    launched.writer.work()

    assert 2 == len(launched.launched)


def test_a_launch_that_was_refused_is_tried_with_the_next_tick(launched: Daemon) -> None:
    """
    And the log says why.
    """
    run = launched.run()
    with capture_logs() as logs:
        launched.scheduler.reply(Refused(folder=str(run.folder.path), error="no more processes"))
        launched.writer.work()
        launched.tick()

    assert 2 == len(launched.launched)
    assert ["no more processes"] == [entry["error"] for entry in logs if entry["event"] == "launch_put_off"]
