"""
Postgres as the daemon's store.
"""

import threading
from pathlib import Path

import pytest

from orchd.errors import StoreError
from support.checker import check
from support.daemon import Daemon
from support.evidence import COUNTER, TICKER, evidence
from support.postgres import Cluster
from support.proxy import LossyProxy
from support.waiting import eventually

EVERY_US = 250_000


def ticking(daemon: Daemon, store: str) -> None:
    """
    Configure a daemon that ticks four times a second on *store*, with a chain.
    """
    daemon.flow("ticker.py", TICKER)
    daemon.flow("after.py", TICKER.replace('"ticker"', '"after"'))
    daemon.store = store
    every = "flow = 'ticker'\nevery = '0.25s'\ncatchup = 'all'\nmax_catchup = 1000\n"
    daemon.configure(
        f"[schedules.tick]\n{every}overlap = 'allow'\n[schedules.queue]\n{every}overlap = 'queue'\n"
        "[schedules.joined]\nflow = 'after'\nafter = ['ticker']\noverlap = 'allow'\n"
    )


def come_to_rest(daemon: Daemon) -> None:
    """
    Let nothing more come due, and check everything.
    """
    daemon.configure()
    assert daemon.client.post("/reload")["ok"]
    daemon.settled(within_s=60)
    check(daemon, every_us=EVERY_US)


def entered(daemon: Daemon) -> int:
    """
    Count the runs whose code was entered.
    """
    return sum(note.word == "entered" for note in evidence(daemon.home))


def goes_on(daemon: Daemon) -> None:
    """
    Wait until more runs begin.
    """
    count = entered(daemon)
    eventually(lambda: entered(daemon) > count + 3, what="it goes on")


def test_a_killed_daemon_loses_and_doubles_nothing(daemon: Daemon, postgres_url: str) -> None:
    """
    kill -9 three times; the next one takes the store over at once.
    """
    ticking(daemon, postgres_url)
    daemon.start()
    for _ in range(3):
        goes_on(daemon)
        daemon.kill()
        daemon.start()
    goes_on(daemon)
    come_to_rest(daemon)


def test_a_restarted_postgres_loses_and_doubles_nothing(daemon: Daemon, postgres: Cluster, postgres_url: str) -> None:
    """
    Stopped and crashed under load: the daemon stays up, says so, goes on by itself; a kill -9 of the daemon meanwhile
    changes nothing.
    """
    ticking(daemon, postgres_url)
    daemon.start()
    goes_on(daemon)
    for mode in ("fast", "immediate", "immediate"):
        away = len(daemon.events("store_away"))
        postgres.stop(mode)
        try:
            eventually(lambda there=away: len(daemon.events("store_away")) > there, what="it says so")
            with pytest.raises(StoreError, match="goes on as soon as it does"):
                daemon.status()
        finally:
            postgres.start()
        goes_on(daemon)
    postgres.stop("immediate")
    daemon.kill()
    postgres.start()
    daemon.start()
    goes_on(daemon)
    come_to_rest(daemon)


def test_a_commit_whose_answer_is_lost_is_neither_lost_nor_done_twice(
    daemon: Daemon, postgres: Cluster, postgres_url: str, tmp_path: Path
) -> None:
    """
    Whether slots, output or the end of a run were in it: what the store took is read again, and the daemon goes on.
    """
    proxy = LossyProxy(tmp_path, postgres.folder)
    ticking(daemon, postgres_url.replace(str(postgres.folder), str(tmp_path)))
    daemon.start()
    goes_on(daemon)
    pause = threading.Event()
    for _ in range(24):
        # Two connections may lose one at the same moment.
        before = proxy.lost
        proxy.lose.set()
        eventually(lambda before=before: proxy.lost > before, what="an answer is lost")
        pause.wait(0.07)
    goes_on(daemon)
    come_to_rest(daemon)
    proxy.close()


def test_a_second_daemon_of_the_same_store_is_refused(
    daemon: Daemon, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """
    Also with a state folder of its own: it names the pid of the first.
    """
    daemon.store = postgres_url
    daemon.flow("counter.py", COUNTER)
    daemon.configure()
    daemon.start()
    assert daemon.process
    second = Daemon(tmp_path_factory.mktemp("second") / "h", store=postgres_url)
    second.start(wait=False)
    assert second.wait() == 69
    assert f"pid {daemon.process.pid}" in second.log.read_text()
    second.close()
