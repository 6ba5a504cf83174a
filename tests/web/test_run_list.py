"""
The list of runs: what is found, how its pages follow each other, and where a search ends.
"""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest

from orchd.errors import UsageError
from orchd.model.instants import to_us
from orchd.model.states import FlowRunState
from orchd.store.queries import RunView
from orchd.web.pages import run_list as module
from orchd.web.pages.run_list import STATES, RunList, run_list
from scheduler.rig import Rig
from store.making import add_run

S = FlowRunState
DAY_US = to_us(datetime(2026, 11, 23, tzinfo=UTC))


def listed(rig: Rig, flow: str | None = None, **asked: str) -> RunList:
    """
    Return one page.
    """
    with rig.database.reading() as conn:
        return run_list(conn, asked, flow=flow)


def walked(rig: Rig, **asked: str) -> list[RunView]:
    """
    Turn all pages, and return what is on them.
    """
    found: list[RunView] = []
    query: str | None = ""
    while query is not None:
        page = listed(rig, **asked | dict(parse_qsl(query)))
        found += page.runs
        query = page.older
    return found


def fill(rig: Rig, count: int, *, every: int = 1) -> None:
    """
    Make runs; each *every*-th has a parameter with the word ``wanted``.
    """
    with rig.database.writing() as conn:
        for number in range(count):
            add_run(conn, parameters='{"day": "wanted"}' if number % every == 0 else '{"day": "other"}')


def test_every_state_is_found_by_one_word() -> None:
    """
    What a person may choose covers all that runs can be, each once.
    """
    named = [state for states in STATES.values() for state in states]

    assert sorted(named) == sorted(S)


@pytest.mark.parametrize("word", [word for word in STATES if word])
def test_a_state_is_what_a_person_means_by_it(rig: Rig, word: str) -> None:
    """
    The runs in it, and no others.
    """
    with rig.database.writing() as conn:
        for state in S:
            add_run(conn, state=state)

    assert {run.state for run in listed(rig, state=word).runs} == {state.value for state in STATES[word]}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"state": "sleeping"}, "'sleeping' is no state; write one of running, held, succeeded, failed, cancelled"),
        ({"since": "yesterday"}, "'yesterday' is no day; write one such as 2026-11-23"),
        ({"since": "2026-02-30"}, "'2026-02-30' is no day"),
        ({"until": "9999-12-31"}, "'9999-12-31' is no day"),
        ({"since": "2026-11-23T10:00"}, "is no day"),
    ],
)
def test_what_cannot_be_meant_is_refused(rig: Rig, asked: dict[str, str], told: str) -> None:
    """
    With what to write.
    """
    with pytest.raises(UsageError, match=told):
        listed(rig, **asked)


@pytest.mark.parametrize("before", ["", "x", "-3", "1e3", "9" * 19, "9" * 4000, "٣²"])
def test_a_page_that_cannot_be_meant_is_the_first(rig: Rig, before: str) -> None:
    """
    An address that somebody has cut is no reason for an error.
    """
    fill(rig, 3)

    assert len(listed(rig, before=before).runs) == 3


@pytest.mark.parametrize(("at_us", "expected"), [(DAY_US - 1, 0), (DAY_US, 1), (DAY_US + 1, 1)])
def test_since_is_the_begin_of_a_day(rig: Rig, at_us: int, expected: int) -> None:
    """
    In UTC, inclusive.
    """
    with rig.database.writing() as conn:
        add_run(conn, at_us=at_us)

    assert len(listed(rig, since="2026-11-23").runs) == expected


@pytest.mark.parametrize(("at_us", "expected"), [(DAY_US - 1, 1), (DAY_US, 1), (DAY_US + 86_400 * 10**6, 0)])
def test_until_is_the_end_of_a_day(rig: Rig, at_us: int, expected: int) -> None:
    """
    In UTC, the whole day is in it.
    """
    with rig.database.writing() as conn:
        add_run(conn, at_us=at_us)

    assert len(listed(rig, until="2026-11-23").runs) == expected


def test_a_search_begins_with_the_day_that_it_goes_up_to(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What came later is not looked at, and so does not use the search up.
    """
    monkeypatch.setattr(module, "_SEARCHED", 5)
    with rig.database.writing() as conn:
        for number in range(20):
            add_run(conn, at_us=DAY_US + number * 86_400 * 10**6, parameters='{"day": "wanted"}')

    assert [run.number for run in listed(rig, until="2026-11-23", parameter="wanted").runs] == [1]


def test_one_flow_alone(rig: Rig) -> None:
    """
    On the page of that flow.
    """
    with rig.database.writing() as conn:
        add_run(conn, flow="load")
        add_run(conn, flow="report")

    assert [run.flow for run in listed(rig, flow="report").runs] == ["report"]


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (49, 1), (50, 1), (51, 2), (100, 2), (120, 3)])
def test_pages_lose_and_double_nothing(rig: Rig, count: int, pages: int) -> None:
    """
    Newest first, and no page is empty.
    """
    fill(rig, count)

    assert [run.number for run in walked(rig)] == list(range(count, 0, -1))
    assert (listed(rig).older is None) is (pages == 1)


def test_the_next_page_asks_the_same(rig: Rig) -> None:
    """
    With all filters that are set, and none that are not.
    """
    fill(rig, 60)
    page = listed(rig, state="held", parameter="wan ted&", since="")

    assert page.older is None
    assert dict(parse_qsl(listed(rig, state="held", since="1970-01-01", parameter="wanted").older or "")) == {
        "state": "held",
        "since": "1970-01-01",
        "parameter": "wanted",
        "before": "11",
    }


@pytest.mark.parametrize("searched", [1, 7, 10, 60])
@pytest.mark.parametrize("every", [1, 3, 25])
def test_a_search_finds_each_run_once(rig: Rig, monkeypatch: pytest.MonkeyPatch, searched: int, every: int) -> None:
    """
    However few are looked at for one page, and however many fit: turning the pages comes to all of them.
    """
    monkeypatch.setattr(module, "_SEARCHED", searched)
    fill(rig, 60, every=every)

    assert [run.number for run in walked(rig, parameter="wanted")] == [n + 1 for n in range(60) if n % every == 0][::-1]


@pytest.mark.parametrize(
    ("count", "every", "parameter", "searched"),
    [
        # All were looked at.
        (20, 1, "wanted", None),
        (20, 20, "wanted", None),
        # More are there than a search looks at.
        (21, 1, "wanted", 20),
        (21, 21, "nowhere", 20),
        # A page is full before.
        (200, 1, "", None),
    ],
)
def test_a_search_says_how_far_it_went(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, count: int, every: int, parameter: str, searched: int | None
) -> None:
    """
    When it did not look at all runs.
    """
    monkeypatch.setattr(module, "_SEARCHED", 20)
    fill(rig, count, every=every)

    assert listed(rig, parameter=parameter).searched == searched


def test_a_full_page_of_a_search_is_no_end(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Then it is the page that ends, not the search.
    """
    monkeypatch.setattr(module, "_SEARCHED", 100)
    fill(rig, 120)

    assert listed(rig, parameter="wanted").searched is None
