"""
The 800 vectors made with Debian cron's own main loop.
"""

import json
from datetime import datetime
from pathlib import Path

import pytest

from orchd.schedules import Cron
from orchd.schedules.fires import walk

CASES = json.loads((Path(__file__).parent / "data" / "dst-vectors.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['zone']} {case['change_utc'][:10]}")
def test_a_window_around_a_clock_change_fires_as_debian_cron_does(case):
    """
    Each of the 25 rules of a window fires at exactly the minutes of the vector.
    """
    after, until = datetime.fromisoformat(case["after_utc"]), datetime.fromisoformat(case["until_utc"])

    fired = {
        expr: [f"{fire:%Y-%m-%dT%H:%MZ}" for fire in walk(Cron(expr, case["zone"]), after=after, until=until)]
        for expr in case["fires"]
    }

    assert case["fires"] == fired


def test_there_are_800_vectors():
    """
    No vector has been lost from the file.
    """
    assert 800 == sum(len(case["fires"]) for case in CASES)
