"""
Log lines: stored many at once, read in pages, from the end, and by filter.
"""

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
    ("asked", "found"),
    [
        ({}, "abcdef"),
        ({"after": 2}, "def"),
        ({"task": "t"}, "ace"),
        ({"level": 30}, "def"),
        ({"since_us": 4_000_000}, "ef"),
        ({"limit": 2}, "ab"),
        ({"after": 0, "task": "t", "level": 20, "limit": 1}, "c"),
    ],
)
def test_lines_are_asked_for_by_filter(store: Database, asked: dict[str, int], found: str) -> None:
    """
    Filters narrow what is given, in the order of the run.
    """
    run = filled(store, *"abcdef")
    filled(store, *"xyz")
    with store.reading() as conn:
        assert "".join(line.text for line in queries.log_lines(conn, run.number, **asked)) == found


def test_the_last_lines_come_in_order(store: Database) -> None:
    """
    The tail is the end of what the filter gives, oldest first.
    """
    run = filled(store, *"abcdef")
    with store.reading() as conn:
        assert "".join(line.text for line in queries.log_tail(conn, run.number, count=2)) == "ef"
        assert "".join(line.text for line in queries.log_tail(conn, run.number, count=2, task="t")) == "ce"


def test_one_answer_holds_4_mb_and_the_next_goes_on(store: Database) -> None:
    """
    However many lines are wanted, from the beginning or from the end; no line is left out.
    """
    texts = ["\u20ac" * 20_000] * 100 + ["last"]
    run = filled(store, *texts)
    with store.reading() as conn:
        for page in (
            queries.log_lines(conn, run.number, limit=10_000),
            queries.log_tail(conn, run.number, count=101),
        ):
            found = [line.text for line in page]
            assert 60 < len(found) < 101
            assert len("".join(found).encode()) <= 4 * 1024 * 1024
            rest = queries.log_lines(conn, run.number, after=page[-1].seq, limit=10_000)
            assert [*found, *(line.text for line in rest)] == texts


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
