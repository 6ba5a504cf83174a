"""
Fire times in words.
"""

from datetime import datetime

import pytest

from orchd.model.specs import CalendarSpec, ClauseSpec, DayMove
from orchd.schedules import After, Cron, Every, rule_of
from orchd.schedules.explain import explain_next, explain_wall
from schedules.samples import spec, utc

NEW_YORK = "America/New_York"
MOVED = (CalendarSpec(name="c", days=(("2026-12-28", "2026-12-28"),), move=DayMove.NEXT_BUSINESS_DAY),)
GAP, FOLD = "2026-03-08", "2026-11-01"


@pytest.mark.parametrize(
    ("rule", "after", "coming"),
    [
        (
            Cron("30 2 * * *", NEW_YORK),
            "2026-03-07 12:00",
            [
                (
                    "2026-03-08 03:00:00-04:00",
                    "02:30 does not exist on 2026-03-08: the clock goes forward, and this is just after it",
                ),
                ("2026-03-09 02:30:00-04:00", None),
            ],
        ),
        (
            Every("1d", NEW_YORK, "2026-01-01T02:00"),
            "2026-03-07 12:00",
            [
                (
                    "2026-03-08 03:00:00-04:00",
                    "02:00 does not exist on 2026-03-08: the clock goes forward, and this is just after it",
                )
            ],
        ),
        (
            Cron("0 3 * * *", NEW_YORK),
            "2026-03-07 12:00",
            [("2026-03-08 03:00:00-04:00", "the clock has gone forward by 1 h since the fire before")],
        ),
        (
            Cron("30 1 * * *", NEW_YORK),
            "2026-10-31 12:00",
            [("2026-11-01 01:30:00-04:00", "01:30 comes twice on 2026-11-01: it fires the first time only")],
        ),
        (
            Cron("30 * * * *", NEW_YORK),
            "2026-11-01 05:00",
            [
                ("2026-11-01 01:30:00-04:00", "01:30 comes twice on 2026-11-01: this is the first time"),
                ("2026-11-01 01:30:00-05:00", "01:30 comes twice on 2026-11-01: this is the second time"),
                ("2026-11-01 02:30:00-05:00", None),
            ],
        ),
        (
            Every("12h", "Asia/Pyongyang", "2018-05-04T10:00"),
            "2018-05-04 12:00",
            [
                ("2018-05-04 22:00:00+08:30", None),
                ("2018-05-05 10:30:00+09:00", "the clock has gone forward by 30 min since the fire before"),
            ],
        ),
        (
            Every("24h", NEW_YORK, "2026-10-31T09:00"),
            "2026-10-31 13:00",
            [("2026-11-01 08:00:00-05:00", "the clock has gone back by 1 h since the fire before")],
        ),
        (Cron("0 12 * * *", "UTC"), "2026-03-08", [("2026-03-08 12:00:00+00:00", None)]),
        (After(("load",)), "2026-03-08", []),
    ],
    ids=str,
)
def test_a_moved_local_time_is_explained(rule, after, coming):
    """
    Each fire time that a clock change touches says how, the others say nothing.
    """
    explained = explain_next(rule, after=utc(after), n=max(1, len(coming)))

    assert coming == [(each.local, each.note) for each in explained]


def test_the_list_ends_with_the_calendar():
    """
    A rule with fewer fires than asked for gives those that there are.
    """
    assert 1 == len(explain_next(Cron("0 0 31 12 *", "UTC"), after=utc("9999-01-01"), n=5))


@pytest.mark.parametrize(
    ("rule", "wall", "instant", "note"),
    [
        (Cron("30 2 * * *", NEW_YORK), f"{GAP}T04:30", "2026-03-08 08:30", None),
        (
            Cron("30 2 * * *", NEW_YORK),
            f"{GAP}T02:30",
            "2026-03-08 07:00",
            "02:30 does not exist on 2026-03-08 in America/New_York: the clock goes forward, and it runs just after"
            " that, at 2026-03-08 03:00:00-04:00 (2026-03-08T07:00:00Z)",
        ),
        (
            Cron("30 * * * *", NEW_YORK),
            f"{GAP}T02:30",
            "2026-03-08 07:00",
            "02:30 does not exist on 2026-03-08 in America/New_York: the clock goes forward to 03:00",
        ),
        (
            Cron("30 1 * * *", NEW_YORK),
            f"{FOLD}T01:30",
            "2026-11-01 05:30",
            "01:30 comes twice on 2026-11-01 in America/New_York: the first time counts",
        ),
        (
            Cron("30 * * * *", NEW_YORK),
            f"{FOLD}T01:30",
            "2026-11-01 05:30",
            "01:30 comes twice on 2026-11-01 in America/New_York: this is the first time, 2026-11-01 01:30:00-04:00",
        ),
        (
            After(("load",)),
            f"{GAP}T02:30",
            "2026-03-08 07:00",
            "02:30 does not exist on 2026-03-08 in America/New_York: the clock goes forward to 03:00",
        ),
    ],
)
def test_what_a_wall_time_means(rule: Cron | After, wall: str, instant: str, note: str | None) -> None:
    """
    The instant at which the rule fires for it, and words where the clock leaves it out or shows it twice.
    """
    assert (utc(instant), note) == explain_wall(rule, datetime.fromisoformat(wall), NEW_YORK)


@pytest.mark.parametrize(
    ("fields", "after", "note"),
    [
        ({"splay_s": 90.0}, "2026-12-25", "1 min 30 s after 09:00:00, by its splay"),
        (
            {"adjustments": (ClauseSpec(name="add", arguments="[-3600]"),)},
            "2026-12-25",
            "1 h before 09:00:00, by its adjustment",
        ),
        (
            {"calendars": (CalendarSpec(name="holidays", days=(("2026-12-25", "2026-12-26"),)),)},
            "2026-12-25",
            "2026-12-25 09:00 is left out: a day of calendar holidays",
        ),
        (
            {"calendars": MOVED},
            "2026-12-29",
            None,
        ),
        (
            {"rule": "0 9 28 * *", "calendars": MOVED},
            "2026-12-25",
            "moved from 2026-12-28 09:00: a day of calendar c",
        ),
        (
            {"rule": "0 9 26 * *", "adjustments": (ClauseSpec(name="next_weekday"),)},
            "2026-12-25",
            "moved from 2026-12-26 09:00: a Saturday or Sunday",
        ),
        (
            {"filters": (ClauseSpec(name="is_weekend"),)},
            "2026-12-25",
            "2026-12-25 09:00 is left out: its filters",
        ),
        ({"ends_at": "2026-12-26T00:00+00:00"}, "2026-12-25", "the last one: the window ends"),
        ({"starts_at": "2026-12-24T00:00+00:00", "count": 2}, "2026-12-25", "the last one: count = 2"),
        (
            {"kind": "any", "parts": (spec(kind="cron", rule="30 2 * * *", timezone=NEW_YORK), spec(rule="52w"))},
            "2026-03-08",
            "02:30 does not exist on 2026-03-08: the clock goes forward, and this is just after it",
        ),
        ({"kind": "dates", "dates": ("2026-12-25T09:00+00:00",)}, "2026-12-25", None),
    ],
)  # fmt: skip
def test_what_stands_around_a_rule_is_explained(fields: dict[str, object], after: str, note: str | None) -> None:
    """
    Why a fire time was moved, and what was left out before it.
    """
    [coming] = explain_next(rule_of(spec(**{"kind": "cron", "rule": "0 9 * * *"} | fields)), after=utc(after), n=1)

    assert coming.note == note


def test_a_wall_time_that_a_calendar_takes_is_not_said_to_run() -> None:
    """
    What the rule alone would do at the end of the gap, it does not on a day that is skipped.
    """
    calendar = CalendarSpec(name="c", days=((GAP, GAP),))
    rule = rule_of(spec(kind="cron", rule="30 2 * * *", timezone=NEW_YORK, calendars=(calendar,)))
    _, note = explain_wall(rule, datetime.fromisoformat(f"{GAP}T02:30"), NEW_YORK)

    assert note == "02:30 does not exist on 2026-03-08 in America/New_York: the clock goes forward to 03:00"
