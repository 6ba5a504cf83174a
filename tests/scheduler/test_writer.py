"""
The writer: one job after the other, the most urgent first, and never a word that nobody answers.
"""

import threading
from collections.abc import Callable, Iterator

import pytest

from orchd.errors import StateError
from orchd.scheduler.writer import Urgency, Writer

LIMIT_S = 10


@pytest.fixture
def deaths() -> list[BaseException]:
    """
    What the writer died of.
    """
    return []


@pytest.fixture
def writer(deaths: list[BaseException]) -> Iterator[Writer]:
    """
    A writer that is not started yet.
    """
    made = Writer(on_death=deaths.append)
    yield made
    if made._thread.is_alive():
        made.stop()


def test_the_most_urgent_goes_first(writer: Writer) -> None:
    """
    Whatever the order in which jobs come; equal ones keep theirs.
    """
    done: list[str] = []
    over = threading.Event()

    def job(name: str) -> Callable[[], None]:
        return lambda: done.append(name)

    writer.submit(Urgency.UPKEEP, over.set)
    for urgency in (Urgency.INGEST, Urgency.OPERATION, Urgency.TICK, Urgency.INGEST, Urgency.TICK):
        writer.submit(urgency, job(f"{urgency.name} {len(writer._jobs)}"))
    writer.start()
    assert over.wait(LIMIT_S)

    assert ["TICK 3", "TICK 5", "OPERATION 2", "INGEST 1", "INGEST 4"] == done


def test_who_asks_gets_the_result(writer: Writer) -> None:
    """
    Worked out in the writer's thread.
    """
    writer.start()

    assert "writer" == writer.ask(lambda: threading.current_thread().name).result(LIMIT_S)


def test_who_asks_gets_the_error(writer: Writer, deaths: list[BaseException]) -> None:
    """
    And the writer goes on, whatever it was.
    """
    writer.start()
    failed = writer.ask(lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        failed.result(LIMIT_S)
    assert (2, []) == (writer.ask(lambda: 2).result(LIMIT_S), deaths)


def test_a_job_that_raises_ends_the_writer(writer: Writer, deaths: list[BaseException]) -> None:
    """
    Nothing may go on deciding when nobody writes; the daemon is told why.
    """
    after: list[str] = []
    writer.submit(Urgency.TICK, lambda: [][0])
    writer.submit(Urgency.INGEST, lambda: after.append("done"))
    writer.start()
    writer._thread.join(LIMIT_S)

    assert (["IndexError"], []) == ([type(error).__name__ for error in deaths], after)


def test_stopping_drops_what_waits_and_answers_who_asked(writer: Writer) -> None:
    """
    The job at hand is finished; whoever waits for another is told that the daemon is stopping.
    """
    begun, go_on = threading.Event(), threading.Event()

    def busy() -> str:
        begun.set()
        go_on.wait(LIMIT_S)
        return "finished"

    writer.start()
    at_hand = writer.ask(busy)
    assert begun.wait(LIMIT_S)
    waiting = writer.ask(lambda: "never")
    stopping = threading.Thread(target=writer.stop)
    stopping.start()
    with writer._ready:
        go_on.set()
    stopping.join(LIMIT_S)

    assert "finished" == at_hand.result(LIMIT_S)
    with pytest.raises(StateError, match="stopping"):
        waiting.result(LIMIT_S)


def test_a_stopped_writer_takes_nothing_more(writer: Writer) -> None:
    """
    Jobs are dropped, questions answered at once.
    """
    writer.start()
    writer.stop()
    writer.submit(Urgency.TICK, lambda: None)

    assert [] == writer._jobs
    with pytest.raises(StateError):
        writer.ask(lambda: 1).result(LIMIT_S)


def test_a_question_that_was_withdrawn_is_not_carried_out(writer: Writer, deaths: list[BaseException]) -> None:
    """
    A caller that hung up changes nothing any more, and does not hurt the writer.
    """
    done: list[str] = []
    withdrawn = writer.ask(lambda: done.append("done"))
    assert withdrawn.cancel()
    writer.start()

    assert 1 == writer.ask(lambda: 1).result(LIMIT_S)
    assert ([], []) == (done, deaths)


def test_a_job_may_stop_its_own_writer(writer: Writer) -> None:
    """
    It does not wait for itself.
    """
    writer.submit(Urgency.TICK, writer.stop)
    writer.start()
    writer._thread.join(LIMIT_S)

    assert not writer._thread.is_alive()
