"""
Log lines: stored many at once, read in pages, from the end, and by filter.
"""

from typing import Any

import pytest

from orchd.errors import InternalError
from orchd.store import logs, queries, runs
from orchd.store.database import Database
from orchd.store.logs import LogRow
from store.making import add_run


def filled(store: Database, *texts: str) -> runs.RunRow:
    """
    Store one line for each of *texts*; line n has level 10 n, stream n % 3, and task ``t`` when n is even.
    """
    with store.writing() as conn:
        run = add_run(conn)
        rows: list[LogRow] = [
            (run.number, n, n * 1_000_000, n * 10, n % 3, "t" if n % 2 == 0 else None, -1, text)
            for n, text in enumerate(texts)
        ]
        logs.append(conn, rows)
    return run


def test_a_line_is_shown_as_it_was_stored(store: Database) -> None:
    """
    Every field of a line comes back.
    """
    run = filled(store, "first", "second ä 💡")
    with store.reading() as conn:
        shown = queries.log_lines(conn, run.number)

    assert [(line.seq, line.at, line.level, line.stream, line.task, line.map_index, line.text) for line in shown] == [
        (0, "1970-01-01T00:00:00Z", 0, "logger", "t", -1, "first"),
        (1, "1970-01-01T00:00:01Z", 10, "stdout", None, -1, "second ä 💡"),
    ]


@pytest.mark.parametrize(
    ("only", "found"),
    [
        ({}, "abcdef"),
        ({"task": "t"}, "ace"),
        ({"level": 20}, "cdef"),
        ({"level": 30}, "def"),
        ({"text": "E"}, "e"),
        ({"since_us": 4_000_000}, "ef"),
        ({"task": "t", "level": 20}, "ce"),
    ],
)
def test_lines_are_asked_for_by_filter(store: Database, only: dict[str, Any], found: str) -> None:
    """
    From the beginning or from the end, filters narrow what is given, in the order of the run.
    """
    run = filled(store, *"abcdef")
    filled(store, *"xyz")
    chosen = queries.LogFilter(**only)
    with store.reading() as conn:
        first = queries.log_page(conn, run.number, only=chosen)
        last = queries.log_page_before(conn, run.number, only=chosen)

    assert (texts(first), texts(last)) == (found, found)
    assert (first.next, first.more, last.next, last.more, last.before) == (5, False, 5, False, None)


def texts(page: queries.LogPage) -> str:
    """
    Return the texts of its lines as one.
    """
    return "".join(line.text for line in page.lines)


@pytest.mark.parametrize("within", [1, 2, 3, 100])
@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize("only", [{}, {"task": "t"}, {"level": 30}, {"level": 50, "task": "t"}, {"text": "h"}])
def test_pages_of_a_log_lose_and_double_no_line(store: Database, only: dict[str, Any], limit: int, within: int) -> None:
    """
    However few lines each looks at and gives, those that fit come, forward and backward; a page may be empty before it.
    """
    run = filled(store, *"abcdefgh")
    chosen = queries.LogFilter(**only)
    with store.reading() as conn:
        whole = texts(queries.log_page(conn, run.number, only=chosen))
        forward, page = "", queries.log_page(conn, run.number, only=chosen, limit=limit, within=within)
        while page.more:
            forward += texts(page)
            page = queries.log_page(conn, run.number, after=page.next, only=chosen, limit=limit, within=within)
        forward += texts(page)
        backward, page = "", queries.log_page_before(conn, run.number, only=chosen, limit=limit, within=within)
        while page.before is not None:
            backward = texts(page) + backward
            page = queries.log_page_before(
                conn, run.number, before=page.before, only=chosen, limit=limit, within=within
            )
        backward = texts(page) + backward

    assert (forward, backward) == (whole, whole)


def test_a_page_of_a_log_looks_at_so_many_lines_only(store: Database) -> None:
    """
    A text that stands in the last line is not found by the first page, which says that there is more to look at; of
    lines worth a look only those count.
    """
    run = filled(store, *"abcdefgh")
    rare = queries.LogFilter(text="h")
    with store.reading() as conn:
        first = queries.log_page(conn, run.number, only=rare, within=3)
        back = queries.log_page_before(conn, run.number, only=queries.LogFilter(text="a"), within=3)
        by_index = queries.log_page(conn, run.number, only=queries.LogFilter(text="h", level=70), within=5)

    assert (first.lines, first.next, first.more) == ([], 2, True)
    assert (back.lines, back.before, back.next, back.more) == ([], 5, 7, False)
    assert (texts(by_index), by_index.more) == ("h", False)


def test_an_empty_log_has_one_empty_page(store: Database) -> None:
    """
    Asked from its beginning, from its end, and from where no line is yet.
    """
    run = filled(store)
    with store.reading() as conn:
        empty = queries.log_page(conn, run.number)
        assert empty == queries.log_page_before(conn, run.number)
        assert (empty.lines, empty.next, empty.more, empty.before) == ([], -1, False, None)
        assert queries.log_page(conn, run.number, after=2**63 - 1).next == 2**63 - 1
        assert queries.log_page_before(conn, run.number, before=2**63 - 1).next == -1


def test_the_last_lines_come_in_order(store: Database) -> None:
    """
    The tail is the end of what the filter gives, oldest first; older ones are asked for from where it begins.
    """
    run = filled(store, *"abcdef")
    of_task = queries.LogFilter(task="t")
    with store.reading() as conn:
        newest = queries.log_page_before(conn, run.number, limit=2)
        chosen = queries.log_page_before(conn, run.number, only=of_task, limit=2)
        assert ("ef", "ce") == tuple("".join(line.text for line in page.lines) for page in (newest, chosen))
        none = queries.log_page_before(conn, run.number, limit=0)

    assert (none.lines, none.before, none.next) == ([], 6, 5)


def test_one_answer_holds_4_mb_and_the_next_goes_on(store: Database) -> None:
    """
    However many lines are wanted, from the beginning or from the end; no line is left out.
    """
    lines = ["\u20ac" * 20_000] * 100 + ["last"]
    run = filled(store, *lines)
    with store.reading() as conn:
        first = queries.log_page(conn, run.number, limit=10_000)
        last = queries.log_page_before(conn, run.number, limit=10_000)
        after = queries.log_page(conn, run.number, after=first.next, limit=10_000)
        before = queries.log_page_before(conn, run.number, before=last.before, limit=10_000)

    for page in (first, last):
        assert 60 < len(page.lines) < 101
        assert len(texts(page).encode()) <= 4 * 1024 * 1024
    assert texts(first) + texts(after) == "".join(lines) == texts(before) + texts(last)


def test_a_line_that_is_longer_than_an_answer_is_given_alone(store: Database) -> None:
    """
    A reader always gets on.
    """
    run = filled(store, "x" * 5_000_000, "after")
    with store.reading() as conn:
        (first,) = queries.log_lines(conn, run.number)
        (second,) = queries.log_lines(conn, run.number, after=first.seq)

    assert (5_000_000, "after") == (len(first.text), second.text)


def test_a_line_cannot_be_stored_twice(store: Database) -> None:
    """
    A second line of the same seq is refused, with all that came with it.
    """
    run = filled(store, "a")
    with pytest.raises(InternalError), store.writing() as conn:
        logs.append(conn, [(run.number, 1, 0, 20, 0, None, -1, "b"), (run.number, 0, 0, 20, 0, None, -1, "again")])

    with store.reading() as conn:
        assert [line.text for line in queries.log_lines(conn, run.number)] == ["a"]


def test_a_nul_loses_nothing_around_it(store: Database, kind: str) -> None:
    """
    Postgres cannot hold NUL in text, so there it is written as an escape; SQLite keeps it.
    """
    run = filled(store, "before\x00after")
    with store.reading() as conn:
        (line,) = queries.log_lines(conn, run.number)

    assert line.text == ("before\x00after" if kind == "sqlite" else "before\\x00after")
