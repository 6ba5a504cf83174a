"""
The week to come: what stands on its days, and what fires too often for that.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from orchd.web.pages.week import Fire, week

NOW = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)


class Times:
    """
    Schedules that fire every so many hours from now on, and how much was asked of them.
    """

    def __init__(self, **hours: float) -> None:
        self._hours = hours
        self.asked = 0

    def soonest(self) -> list[Fire]:
        """
        The next fire time of each.
        """
        return [self(name, 1, None)[0] for name in sorted(self._hours, key=lambda name: self._hours[name])]

    def __call__(self, name: str, n: int, after: datetime | None) -> Sequence[Fire]:
        """
        Give fire times as the daemon does.
        """
        self.asked += n
        begin = after or NOW
        step = timedelta(hours=self._hours[name])
        fires = [begin + (k + 1) * step for k in range(n)]
        return [{"schedule": name, "fire_time": fire.isoformat(), "timezone": "Europe/Vienna"} for fire in fires]


def test_the_rare_stand_on_their_days_in_their_zone() -> None:
    """
    In order of time, on eight dates at most: what is left of today, six days, and the same hours a week from now.
    """
    times = Times(daily=24, thrice=8)
    laid = week(times.soonest(), 0, times, now=NOW, zone="Europe/Vienna")

    assert laid.often == ()
    assert [day.day.day for day in laid.days] == [23, 24, 25, 26, 27, 28, 29, 30]
    assert [(entry.schedule, entry.times) for entry in laid.days[1].entries] == [
        ("thrice", ("06:00", "14:00", "22:00")),
        ("daily", ("22:00",)),
    ]
    assert laid.days[0].entries == ()


def test_the_frequent_are_named_once() -> None:
    """
    Whether they fire every minute or five times a day; the rare ones stay on their days.
    """
    times = Times(minutely=1 / 60, five=5, daily=24)
    laid = week(times.soonest(), 0, times, now=NOW, zone="UTC")

    assert laid.often == ("minutely", "five")
    assert {entry.schedule for day in laid.days for entry in day.entries} == {"daily"}


def test_the_cost_is_bounded() -> None:
    """
    Of two hundred schedules the soonest are laid out, and the others counted.
    """
    times = Times(**{f"s{n}": 24 + n / 100 for n in range(200)})
    soonest = times.soonest()
    times.asked = 0
    laid = week(soonest, 7, times, now=NOW, zone="UTC")

    assert times.asked <= 40 * 8
    assert laid.more == 160 + 7


def test_nothing_fires() -> None:
    """
    An empty week says that it is.
    """
    assert week([], 0, Times(), now=NOW, zone="UTC").is_empty
