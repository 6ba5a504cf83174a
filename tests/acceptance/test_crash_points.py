"""
Deaths of the daemon and of each process below it exactly between two steps.
"""

import pytest

from support.checker import check
from support.daemon import Daemon
from support.evidence import PRELUDE
from support.waiting import eventually

#: What a process that dies on purpose exits with.
DEAD = 137

FLOW = (
    PRELUDE
    + """
@task
def work():
    for number in range(3):
        print(f"line {number}")
        note(f"line {number}")
    if {lasts}:
        until("go")

with Flow("{name}") as flow:
    work()
"""
)

OF_THE_DAEMON = """
tick.uncommitted:1 tick.committed:2 launch.made:3 launch.sent:1 ingest.stored:2 ingest.uncommitted:1
ingest.committed:1 ingest.committed:3 cancel.written:1
""".split()
OF_PROCESSES = """
spawner.received:9 spawner.forked:9 monitor.unlocked:2 monitor.locked:1 monitor.started:2 monitor.forked:1
monitor.opened:1 monitor.unfinished:1 monitor.finished:1 run.locked:1 run.unwritten:2 run.written:1
""".split()


@pytest.fixture
def ticking(daemon: Daemon) -> Daemon:
    """
    A daemon with something to start, to chain and to replace all the time.
    """
    for name, lasts in (("ticker", False), ("after", False), ("lasting", True)):
        daemon.flow(f"{name}.py", FLOW.replace("{name}", name).replace("{lasts}", str(lasts)))
    every = "every = '0.2s'\ncatchup = 'all'\nmax_catchup = 1000\n"
    daemon.configure(
        f"[schedules.tick]\nflow = 'ticker'\n{every}overlap = 'allow'\n"
        f"[schedules.replaced]\nflow = 'lasting'\nevery = '0.2s'\noverlap = 'replace'\n"
        "[schedules.joined]\nflow = 'after'\nafter = ['ticker']\nwhen = 'finished'\noverlap = 'allow'\n"
    )
    return daemon


def come_to_rest(daemon: Daemon) -> None:
    """
    Let nothing more come due, and check everything.
    """
    daemon.configure()
    assert daemon.client.post("/reload")["ok"]
    (daemon.home / "go").touch()
    daemon.settled(within_s=60)
    check(daemon, every_us=200_000)


def test_a_daemon_that_dies_between_two_steps_loses_and_doubles_nothing(ticking: Daemon) -> None:
    """
    One daemon after the other dies before and after its commits, launches and requests; the next one goes on.
    """
    for point in OF_THE_DAEMON:
        ticking.env["ORCHD_CRASH_AT"] = point
        ticking.start(wait=False)
        assert ticking.wait() == DEAD, point
    ticking.env.pop("ORCHD_CRASH_AT")
    ticking.start()
    come_to_rest(ticking)


@pytest.mark.parametrize("point", OF_PROCESSES)
def test_a_process_that_dies_between_two_steps_loses_and_doubles_nothing(ticking: Daemon, point: str) -> None:
    """
    Spawners, monitors and runs die around their fence, their forks and their last words; every spawner that follows
    has a death of its own there. The daemon lives on, and no other is needed to come to rest.
    """
    death = ticking.home / "death"
    ticking.env["ORCHD_CRASH_AT"] = f"{point}:{death}"
    ticking.start()
    eventually(death.exists, what=f"something dies at {point}")
    count = len(ticking.slots("joined"))
    eventually(lambda: len(ticking.slots("joined")) > count + 3, what="it goes on")
    come_to_rest(ticking)

    assert ticking.process is not None
    assert ticking.process.poll() is None
