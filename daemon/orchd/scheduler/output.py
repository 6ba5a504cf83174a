"""
What a run printed or logged, cut into the lines that the store holds. Pure.
"""

from dataclasses import dataclass
from typing import Final

#: Longest line stored as one, in bytes; a longer one is stored in parts, each but the last marked.
MAX_LINE: Final = 64 * 1024
#: Ends every part of a split line but the last.
SPLIT_MARK: Final = " [line continues]"
#: Most bytes of one character in UTF-8.
_MOST_BYTES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """
    The lines of a chunk, and how many of its bytes they took; the rest is a line still being written.
    """

    lines: tuple[str, ...]
    taken: int


def cut_lines(chunk: bytes, *, is_end: bool) -> Cut:
    """
    Cut *chunk* into lines of at most :data:`MAX_LINE` bytes.

    Args:
        chunk: bytes from the start of a line on.

        is_end: nothing will follow, so a last line without a newline counts as one.
    """
    if chunk.endswith(b"\n"):
        complete = chunk
    elif is_end:
        complete = chunk + b"\n" if chunk else b""
    else:
        complete = chunk[: chunk.rfind(b"\n") + 1]
    lines: list[str] = []
    if complete:
        texts = _decode(complete[:-1]).split("\n")
        if len(complete) <= MAX_LINE:
            lines = texts
        else:
            for raw, text in zip(complete[:-1].split(b"\n"), texts, strict=True):
                lines.extend([text] if len(raw) <= MAX_LINE else _split(raw))
    taken = min(len(complete), len(chunk))
    rest = chunk[taken:]
    if len(rest) > MAX_LINE:
        whole = len(rest) - len(rest) % MAX_LINE
        parts, used = _split_open(rest[:whole])
        lines.extend(parts)
        taken += used

    return Cut(lines=tuple(lines), taken=taken)


def cut_text(text: str) -> list[str]:
    """
    Give *text*, which a logger wrote, in parts of at most :data:`MAX_LINE` bytes, each but the last marked.
    """
    if len(text) * _MOST_BYTES <= MAX_LINE:
        return [_storable(text)]

    raw = text.encode()
    return [_storable(text)] if len(raw) <= MAX_LINE else _split(raw)


def _split(raw: bytes) -> list[str]:
    parts, used = _split_open(raw)
    if used < len(raw):
        return [*parts, _decode(raw[used:])]

    return [*parts[:-1], parts[-1].removesuffix(SPLIT_MARK)]


def _split_open(raw: bytes) -> tuple[list[str], int]:
    """
    Split the beginning of a line whose end is not known into marked parts; also say how many bytes they took.
    """
    parts = []
    start = 0
    while len(raw) - start >= MAX_LINE:
        end = _before_character(raw, start + MAX_LINE)
        parts.append(_decode(raw[start:end]) + SPLIT_MARK)
        start = end

    return parts, start


def _before_character(raw: bytes, end: int) -> int:
    """
    Return *end*, or up to 3 less, so that a UTF-8 character is not torn.
    """
    for back in range(4):
        if end - back >= len(raw) or raw[end - back] & 0xC0 != 0x80:
            return end - back

    return end


def _decode(raw: bytes) -> str:
    return _storable(raw.decode("utf-8", "backslashreplace"))


def _storable(text: str) -> str:
    # Postgres cannot hold NUL in a text; shown as the escape that it is, on both stores alike.
    return text.replace("\x00", "\\x00")
