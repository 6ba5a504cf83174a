"""
Ids of runs are promises: the same slot gives the same id on every machine, for ever.
"""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.model.ids import FlowRunId, run_key, run_name, slot_run_id, with_run_name

FIRE = datetime(2026, 3, 29, 2, 30, tzinfo=UTC)
NIGHTLY = FlowRunId("fd185cec-4984-5521-aeec-050340bc2e87")


def test_the_id_of_a_slot_never_changes() -> None:
    """
    A store made by any version of orchd finds its runs again.
    """
    assert NIGHTLY == slot_run_id(schedule="nightly", fire_time=FIRE, attempt=1)


@given(st.integers(-14 * 60, 14 * 60))
def test_the_zone_in_which_a_fire_time_is_written_does_not_count(minutes: int) -> None:
    """
    The same instant gives the same id.
    """
    elsewhere = FIRE.astimezone(timezone(timedelta(minutes=minutes)))

    assert NIGHTLY == slot_run_id(schedule="nightly", fire_time=elsewhere, attempt=1)


@pytest.mark.parametrize(
    ("schedule", "fire_time", "attempt"),
    [("nightly", FIRE, 2), ("nightly", FIRE + timedelta(microseconds=1), 1), ("nightl", FIRE, 1)],
)
def test_another_slot_or_attempt_has_another_id(schedule: str, fire_time: datetime, attempt: int) -> None:
    """
    Name, microsecond and attempt all count.
    """
    assert NIGHTLY != slot_run_id(schedule=schedule, fire_time=fire_time, attempt=attempt)


def test_the_readable_name_is_made_of_the_id() -> None:
    """
    It ends in the first six digits of the id, and never changes either.
    """
    assert "fancy-dingo-fd185c" == run_name(NIGHTLY)
    assert run_name(NIGHTLY).endswith(NIGHTLY[:6])


def test_a_sentence_names_runs_and_not_their_ids() -> None:
    """
    One of them, or several.
    """
    name = run_name(NIGHTLY)

    assert {"run": name, "runs": f"{name}, {name}", "at": 5} == with_run_name(
        {"run": NIGHTLY, "runs": f"{NIGHTLY}, {NIGHTLY}", "at": 5}
    )


def test_the_key_of_a_scheduled_run_names_its_slot_and_attempt() -> None:
    """
    User code can recognise a second attempt at the same slot.
    """
    assert "nightly@2026-03-29T02:30:00+00:00#2" == run_key(
        schedule="nightly", fire_time=FIRE, attempt=2, run_id=NIGHTLY
    )


@pytest.mark.parametrize(("schedule", "fire_time"), [(None, None), (None, FIRE), ("nightly", None)])
def test_the_key_of_any_other_run_is_its_id(schedule: str | None, fire_time: datetime | None) -> None:
    """
    A run that a person started has no slot to name.
    """
    assert f"{NIGHTLY}#1" == run_key(schedule=schedule, fire_time=fire_time, attempt=1, run_id=NIGHTLY)
