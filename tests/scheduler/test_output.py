"""
Cutting printed bytes into lines: nothing lost, nothing glued, nothing too long.
"""

from hypothesis import given
from hypothesis import strategies as st

from orchd.scheduler.output import MAX_LINE, SPLIT_MARK, cut_lines, cut_text


def test_an_unfinished_line_is_left_for_later() -> None:
    """
    Only whole lines are taken while the run goes on.
    """
    cut = cut_lines(b"one\ntwo\nthr", is_end=False)

    assert (("one", "two"), 8) == (cut.lines, cut.taken)


def test_the_last_line_needs_no_newline() -> None:
    """
    What a dying interpreter printed last is a line too.
    """
    assert ("one", "thr") == cut_lines(b"one\nthr", is_end=True).lines


def test_empty_lines_count() -> None:
    """
    A bare newline is an empty line.
    """
    assert ("", "", "x") == cut_lines(b"\n\nx\n", is_end=False).lines


def test_bytes_that_are_no_utf8_and_nul_are_shown_as_escapes() -> None:
    """
    Every byte can be read back from the stored text.
    """
    assert ("\\xff\\x00a",) == cut_lines(b"\xff\x00a\n", is_end=False).lines


def test_a_ten_megabyte_line_is_split_and_marked() -> None:
    """
    A line that is too long is stored in parts, each but the last marked, without losing a byte.
    """
    raw = b"ab" * (5 * 1024 * 1024)
    cut = cut_lines(raw + b"\nnext\n", is_end=False)

    assert "next" == cut.lines[-1]
    assert all(line.endswith(SPLIT_MARK) for line in cut.lines[:-2])
    assert not cut.lines[-2].endswith(SPLIT_MARK)
    assert raw.decode() == "".join(line.removesuffix(SPLIT_MARK) for line in cut.lines[:-1])


def test_an_endless_line_does_not_wait_for_its_newline() -> None:
    """
    Memory stays flat: the beginning of a line that is already too long is stored before its end is seen.
    """
    cut = cut_lines(b"x" * (3 * MAX_LINE + 5), is_end=False)

    assert 3 * MAX_LINE == cut.taken
    assert 3 == len(cut.lines)


def test_a_split_does_not_tear_a_character() -> None:
    """
    Parts end between characters.
    """
    raw = ("x" + "€" * MAX_LINE).encode()
    cut = cut_lines(raw + b"\n", is_end=False)

    assert raw.decode() == "".join(line.removesuffix(SPLIT_MARK) for line in cut.lines)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\x00"))), st.data())
def test_cutting_in_two_gives_the_lines_of_cutting_once(lines: list[str], data: st.DataObject) -> None:
    """
    Wherever a chunk ends, no line is lost, doubled or glued.
    """
    whole = "".join(f"{line}\n" for line in lines).encode()
    at = data.draw(st.integers(0, len(whole)))
    first = cut_lines(whole[:at], is_end=False)
    second = cut_lines(whole[first.taken :], is_end=True)

    assert tuple(lines) == first.lines + second.lines


def test_a_split_among_bytes_that_are_no_utf8_is_made_somewhere() -> None:
    """
    A row of nothing but continuation bytes has no character to keep whole.
    """
    cut = cut_lines(b"\x80" * (MAX_LINE + 10) + b"\n", is_end=False)

    assert ["\\x80" * MAX_LINE + SPLIT_MARK, "\\x80" * 10] == list(cut.lines)


def test_a_ten_megabyte_text_of_a_logger_is_split_and_marked() -> None:
    """
    As a printed line is, by its bytes and between its characters; its own newlines stay in it.
    """
    text = "x" + "€uro\n" * (2 * 1024 * 1024)
    parts = cut_text(text)

    assert text == "".join(part.removesuffix(SPLIT_MARK) for part in parts)
    assert all(part.endswith(SPLIT_MARK) for part in parts[:-1])
    assert max(len(part.removesuffix(SPLIT_MARK).encode()) for part in parts) <= MAX_LINE


def test_a_text_of_a_logger_that_is_not_too_long_stays_whole() -> None:
    """
    A traceback is one row; only a NUL is shown as its escape.
    """
    assert ["a\nb\\x00"] == cut_text("a\nb\x00")
    assert ["x" * MAX_LINE] == cut_text("x" * MAX_LINE)
