"""
Settings that flows take from the environment or from a block.
"""

from datetime import timedelta

import pytest

from orchd import Flow, Task, task
from orchd.engine.settings import config, set_temporary_config, setting
from support.recording import executed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("YES", True),
        ("no", False),
        ("3", 3),
        ("1.5", 1.5),
        ("['a']", ["a"]),
        ("None", None),
        (" plain ", "plain"),
    ],
)
def test_the_environment_says_a_setting(monkeypatch, text, value):
    """
    ORCHD__SECTION__KEY, taken as the classic tool took it: truth, a literal of Python, or text.
    """
    monkeypatch.setenv("ORCHD__FLOWS__CHECKPOINTING", text)

    assert (setting("flows.checkpointing"), config.flows.checkpointing) == (value, value)


def test_a_block_goes_before_the_environment(monkeypatch):
    """
    After the block it is as before.
    """
    monkeypatch.setenv("ORCHD__FLOWS__CHECKPOINTING", "true")
    with set_temporary_config({"flows.checkpointing": False}):
        inside = setting("flows.checkpointing")

    assert (inside, setting("flows.checkpointing")) == (False, True)


def test_a_task_has_the_defaults_of_the_settings(monkeypatch):
    """
    Tries, pause and time limit, as far as the task does not say them; seconds are whole numbers.
    """
    for key, text in {"MAX_RETRIES": "2", "RETRY_DELAY": "5", "TIMEOUT": "60"}.items():
        monkeypatch.setenv(f"ORCHD__TASKS__DEFAULTS__{key}", text)

    plain, own = Task(), Task(max_retries=0, timeout=7)

    assert (plain.max_retries, plain.retry_delay, plain.timeout) == (2, timedelta(seconds=5), 60)
    assert (own.max_retries, own.retry_delay, own.timeout) == (0, None, 7)
    assert Task(retry_delay=timedelta(seconds=1)).retry_delay == timedelta(seconds=1)


def test_a_failing_task_is_tried_as_often_as_the_settings_say():
    """
    A block's settings count for the tasks that are made in it; a pause may be a timedelta there.
    """
    settings = {"tasks.defaults.max_retries": 1, "tasks.defaults.retry_delay": timedelta(0)}
    with set_temporary_config(settings), Flow("f") as flow:
        task(lambda: 1 / 0, name="fails")()

    _, told = executed(flow)

    assert told.states("fails-1") == ["running", "retrying", "running", "failed"]


@pytest.mark.parametrize(("key", "text"), [("MAX_RETRIES", "often"), ("TIMEOUT", "-1"), ("RETRY_DELAY", "true")])
def test_a_default_that_is_no_number_is_refused(monkeypatch, key, text):
    """
    The sentence names the setting and its value.
    """
    monkeypatch.setenv("ORCHD__TASKS__DEFAULTS__MAX_RETRIES", "1")
    monkeypatch.setenv("ORCHD__TASKS__DEFAULTS__RETRY_DELAY", "1")
    monkeypatch.setenv(f"ORCHD__TASKS__DEFAULTS__{key}", text)
    with pytest.raises(ValueError, match=rf"the setting tasks\.defaults\.{key.lower()} is .*; write a whole number"):
        Task()


def test_retries_by_default_need_a_pause(monkeypatch):
    """
    As they do where a task says them.
    """
    monkeypatch.setenv("ORCHD__TASKS__DEFAULTS__MAX_RETRIES", "2")
    with pytest.raises(ValueError, match="`retry_delay` must be provided if max_retries > 0"):
        Task()
