"""
What is kept for pages that follow the log of a run.
"""

import asyncio
from collections.abc import Callable

import pytest

from orchd.model.ids import FlowRunId
from orchd.store.database import Connection
from orchd.web.asking import read
from orchd.web.pages import feeds as module
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


class Interrupted(SmallDaemon):
    """
    A daemon in which something changes just as the first wait for it has run out.
    """

    tries = 0

    async def changed(self, change: "asyncio.Future[None]", *, within_s: float) -> bool:
        """
        Let the first wait run out.
        """
        self.tries += 1
        if self.tries > 1:
            return await super().changed(change, within_s=within_s)

        change.cancel()
        self.changes.notify()
        return True


def _begun(daemon: SmallDaemon) -> Wanted:
    run = daemon.start_run(flow="load", parameters={}, at=START, idempotency_key="one", by="x").result()
    return Wanted(number=1, run_id=FlowRunId(run))


def test_a_change_at_the_end_of_a_wait_is_not_missed(rig: Rig) -> None:
    """
    It comes between two futures, and the page is looked at again for it at once.
    """
    rig.use()

    async def follow() -> int:
        daemon = Interrupted(rig, asyncio.get_running_loop())
        page = Feeds(daemon).follow(_begun(daemon), after=-1)
        await anext(page)
        async with asyncio.timeout(10):
            assert await anext(page) == ""
        await page.aclose()
        return daemon.tries

    assert asyncio.run(follow()) == 2


def test_a_page_that_goes_while_it_waits_awaits_nothing_more(rig: Rig) -> None:
    """
    A quiet daemon has no change that would clear away what pages have left.
    """
    rig.use()

    async def leave() -> list[bool]:
        daemon = SmallDaemon(rig, asyncio.get_running_loop())
        page = Feeds(daemon).follow(_begun(daemon), after=-1)
        await anext(page)
        waiting = asyncio.ensure_future(anext(page))
        while not daemon.waited.acquire(blocking=False):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        return [future.done() for future in daemon.changes._waiting]

    assert all(asyncio.run(leave()))


def test_a_look_that_another_page_began_is_followed_by_one_more(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What changed between its begin and the joining is in neither: both pages look again, without waiting for more.
    """
    rig.use()

    async def follow() -> list[str]:
        daemon = SmallDaemon(rig, asyncio.get_running_loop())
        feeds, wanted, gate, begun = Feeds(daemon), _begun(daemon), asyncio.Event(), asyncio.Event()

        async def slow(asked: SmallDaemon, question: Callable[[Connection], object]) -> object:
            found = await read(asked, question)
            begun.set()
            await gate.wait()
            return found

        monkeypatch.setattr(module, "read", slow)
        first, second = feeds.follow(wanted, after=-1), feeds.follow(wanted, after=-1)
        one = asyncio.ensure_future(anext(first))
        await begun.wait()
        changed = daemon.next_change()
        daemon.cancel_run(wanted.run_id, reason="no more", by="x").result()
        daemon.changes.notify()
        await changed
        two = asyncio.ensure_future(anext(second))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(one, two)
        async with asyncio.timeout(10):
            return [event for page in (first, second) for event in [each async for each in page]]

    assert [event.split()[1] for event in asyncio.run(follow()) if event] == ["change", "end"] * 2
