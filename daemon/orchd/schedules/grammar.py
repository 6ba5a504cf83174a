"""
What a cron text may say: our own check, field by field, before any library sees it.

The result is plain: sorted numbers and special days. Nothing here knows a library, a zone or a clock.
"""

import re
from dataclasses import dataclass
from typing import Final

from orchd.schedules.problems import RuleError

#: Source: ``scheduling.md`` section 3.2: 40 kB of ``0,0,0,...`` cost a library 62 ms.
MAX_LENGTH: Final = 256

_MACROS: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_MONTHS: Final = {n: i for i, n in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_DAYS: Final = {name: number for number, name in enumerate("sun mon tue wed thu fri sat".split())}
_ITEM: Final = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """
    One field of a cron text.
    """

    #: The numbers it names, sorted.
    values: tuple[int, ...]
    #: ``L``, ``LW``, ``15W`` (days of the month), ``5L``, ``5#3`` (days of the week), in upper case. ``31W`` means the
    #: last day in a shorter month, and a ``W`` never leaves its month.
    specials: tuple[str, ...] = ()
    #: True when its text begins with ``*``.
    starred: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CronText:
    """
    A checked cron text.
    """

    minute: Field
    hour: Field
    day: Field
    month: Field
    weekday: Field

    @property
    def follows_clock(self) -> bool:
        """
        True when minute or hour begin with ``*``: rule 2 and not rule 3 says what clock changes do.
        """
        return self.minute.starred or self.hour.starred

    @property
    def days_are_joined(self) -> bool:
        """
        True when day of month AND day of week must fit; False when one of them is enough (Debian).
        """
        return self.day.starred or self.weekday.starred


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    low: int
    high: int
    names: dict[str, int]

    def fail(self, item: str, sentence: str) -> RuleError:
        return RuleError(f"{self.name} {item!r} {sentence}")


_MINUTE: Final = _Kind("minute", 0, 59, {})
_HOUR: Final = _Kind("hour", 0, 23, {})
_DAY: Final = _Kind("day of month", 1, 31, {})
_MONTH: Final = _Kind("month", 1, 12, _MONTHS)
_WEEKDAY: Final = _Kind("day of week", 0, 7, _DAYS)


def parse(expr: str) -> CronText:
    """
    Check *expr* and return what it says.

    Raises:
        RuleError: it says something that orchd does not take; the sentence names the field and the way out.
    """
    if len(expr) > MAX_LENGTH:
        raise RuleError(f"a cron rule of {len(expr)} characters is too long; write at most {MAX_LENGTH}")

    text = expr.strip()
    if text.startswith("@"):
        if text.lower() not in _MACROS:
            raise RuleError(f"{expr!r} is not a known word; write five fields or one of {', '.join(_MACROS)}")

        text = _MACROS[text.lower()]

    parts = text.split()
    if len(parts) in (6, 7):
        raise RuleError(f'cron {expr!r} has {len(parts)} fields; write five, and every = "90s" for seconds')

    if len(parts) != 5:
        raise RuleError(f"cron {expr!r} has {len(parts)} fields; write five: minute hour day month weekday")

    minute, hour, day, month, weekday = parts
    return CronText(
        minute=_field(_MINUTE, minute),
        hour=_field(_HOUR, hour),
        day=_field(_DAY, day),
        month=_field(_MONTH, month),
        weekday=_field(_WEEKDAY, weekday),
    )


def _field(kind: _Kind, text: str) -> Field:
    values: set[int] = set()
    specials: list[str] = []
    for item in text.split(","):
        special = _special(kind, item)
        if special is not None:
            specials.append(special)
        else:
            values.update(_values(kind, item))

    if kind is _WEEKDAY:
        values = {value % 7 for value in values}

    return Field(values=tuple(sorted(values)), specials=tuple(dict.fromkeys(specials)), starred=text.startswith("*"))


def _special(kind: _Kind, item: str) -> str | None:
    word = item.lower()
    if kind is _DAY:
        if word in ("l", "lw"):
            return word.upper()

        if found := re.fullmatch(r"(\d+)w", word, re.ASCII):
            return f"{_number(kind, found[1], item)}W"

    if kind is _WEEKDAY:
        if found := re.fullmatch(r"(\w+)l", word, re.ASCII):
            return f"{_number(kind, found[1], item) % 7}L"

        if found := re.fullmatch(r"(\w+)#(\w+)", word, re.ASCII):
            if found[2] not in "12345":
                raise kind.fail(item, "asks for a week that no month has; write #1 to #5")

            return f"{_number(kind, found[1], item) % 7}#{found[2]}"

    return None


def _values(kind: _Kind, item: str) -> range:
    found = _ITEM.fullmatch(item.lower())
    if found is None:
        raise kind.fail(item, f"cannot be read; write *, a number from {kind.low} to {kind.high}, 1-3, */2 or 1,3")

    star, first, last, step = found.groups()
    # A star over the days of the week means seven of them: 7 is only another name of Sunday.
    low, high = kind.low, kind.high - (kind is _WEEKDAY)
    if not star:
        low = _number(kind, first, item)
        if last is None and step is None:
            return range(low, low + 1)

        high = max(high, low) if last is None else _number(kind, last, item)
        if last is not None and high == low:
            raise kind.fail(item, f"begins where it ends; write {first} alone, or * for all")

        if high < low:
            raise kind.fail(item, f"ends before it begins; write {_span(low, kind.high)},{_span(kind.low, high)}")

    every = 1 if step is None else int(step)
    if every < 1:
        raise kind.fail(item, "has the step 0; write a step of at least 1")

    if every > high - low:
        raise kind.fail(item, f"has a step that is larger than its range, so it means {low} alone; write {low}")

    return range(low, high + 1, every)


def _span(low: int, high: int) -> str:
    return f"{low}-{high}" if low < high else str(low)


def _number(kind: _Kind, word: str, item: str) -> int:
    if word in kind.names:
        return kind.names[word]

    if not word.isdecimal():
        more = f" or a name ({', '.join(kind.names)})" if kind.names else ""
        raise kind.fail(item, f"cannot be read; write a number from {kind.low} to {kind.high}{more}")

    value = int(word)
    if not kind.low <= value <= kind.high:
        raise kind.fail(item, f"is out of range; write a number from {kind.low} to {kind.high}")

    return value
