"""
Fire times in words.
"""

from datetime import datetime

import pytest

from orchd.schedules import After, Cron, Every
from orchd.schedules.explain import explain_next, explain_wall
from schedules.samples import utc

NEW_YORK = "America/New_York"
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
