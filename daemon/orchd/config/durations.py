"""
Durations and sizes as people write them: ``90s``, ``1.5h``, ``PT15M``; ``64MiB``.
"""

import re
from datetime import timedelta
from typing import Final

_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SHORT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)", re.ASCII)
_ISO: Final = re.compile(
    r"P(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?", re.ASCII
)
_BYTES: Final = {"": 1, "B": 1}
_BYTES_OF_UNIT: Final = _BYTES | {
    unit + end: base**power for power, unit in enumerate("KMGT", start=1) for end, base in (("B", 1000), ("iB", 1024))
}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?i?B?)", re.ASCII)
#: Longer than any installation lives; keeps sums of instants inside what a datetime can hold.
_LONGEST: Final = timedelta(days=36_500)


def parse_duration(text: str) -> timedelta:
    """
    Return the duration that *text* says: a number with one unit of ms, s, m, h, d, w, or ISO 8601.

    Raises:
        ValueError: with a sentence that says what to write.
    """
    if found := _SHORT.fullmatch(text):
        seconds = float(found[1]) * _SECONDS[found[2]]
    elif (found := _ISO.fullmatch(text)) and text[-1] not in "PT":
        seconds = sum(float(number) * _SECONDS[unit] for unit, number in found.groupdict(default="0").items())
    else:
        raise ValueError('is not a duration; write a number and a unit of s, m, h, d or w, such as "90s"')

    if seconds > _LONGEST.total_seconds():
        raise ValueError("is longer than a hundred years; write a shorter duration")

    return timedelta(seconds=seconds)


def parse_size(text: str) -> int:
    """
    Return the number of bytes that *text* says, such as ``64MiB`` or ``1GB``.

    Raises:
        ValueError: with a sentence that says what to write.
    """
    found = _SIZE.fullmatch(text)
    if found is None or found[2] not in _BYTES_OF_UNIT:
        raise ValueError('is not a size; write a number and a unit of KiB, MiB or GiB, such as "64MiB"')

    return int(float(found[1]) * _BYTES_OF_UNIT[found[2]])
