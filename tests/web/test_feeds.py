"""
What is kept for pages that follow the log of a run.
"""

import asyncio

from orchd.model.ids import FlowRunId
from orchd.web.pages.feeds import Feeds, Wanted
from scheduler.rig import START, Rig
from web.serving import SmallDaemon


class Timed(SmallDaemon):
    """
    A daemon whose clock the test moves.
    """

    now_s = 1000.0

    def monotonic(self) -> float:
        """
        Give the test's time.
        """
        return self.now_s


async def _watched(daemon: SmallDaemon, feeds: Feeds, number: int) -> None:
    """
    Open the page of a run that goes on, let it wait for more, and close it.
    """
    run = daemon.start_run(flow="load", parameters={}, at=START, idempotency_key=str(number), by="x").result()
    page = feeds.follow(Wanted(number=number, run_id=FlowRunId(run)), after=-1)
    assert await anext(page) == "event: change\ndata: \n\n"
    waiting = asyncio.ensure_future(anext(page))
    while not daemon.waited.acquire(blocking=False):
        await asyncio.sleep(0)
    daemon.changes.notify()
    assert await waiting == ""
    await page.aclose()


def test_a_page_that_goes_before_its_run_ends_leaves_nothing(rig: Rig) -> None:
    """
    Pages of many runs come and go while the runs go on: no more is kept than for the one that was open last.
    """
    rig.use()

    async def watch_many() -> int:
        daemon = Timed(rig, asyncio.get_running_loop())
        feeds = Feeds(daemon)
        for number in range(1, 20):
            daemon.now_s += 1
            await _watched(daemon, feeds, number)
        return len(feeds._stirred_s)

    assert asyncio.run(watch_many()) == 1
