"""
Settings that flows take from the environment or from a block.
"""

import logging
from datetime import timedelta

import pytest

from orchd import Flow, Task, context, task
from orchd.engine.settings import config, set_temporary_config, setting, setting_list
from orchd.errors import ConfigError
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


@pytest.fixture
def written(tmp_path, monkeypatch):
    """
    Return a function that writes the person's own file of settings.
    """

    def write(text):
        path = tmp_path / "config.toml"
        path.write_text(text)
        monkeypatch.setenv("ORCHD__USER_CONFIG_PATH", str(path))

    return write


def test_a_file_says_settings(written, monkeypatch):
    """
    The environment goes before it; sections that orchd does not know can be asked for too.
    """
    written('[flows]\ncheckpointing = true\n[logging]\nlevel = "DEBUG"\n[own.part]\nkey = 5\n')
    monkeypatch.setenv("ORCHD__LOGGING__LEVEL", "ERROR")

    assert (config.flows.checkpointing, config.logging.level, config.own.part.key) == (True, "ERROR", 5)
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        config.own.nope  # noqa: B018


def test_settings_put_keys_into_the_context(written, monkeypatch):
    """
    Of the file and of the environment, in every run; the run's own keys win.
    """
    written('[context]\ncolour = "red"\nflow_name = "no"\n')
    monkeypatch.setenv("ORCHD__CONTEXT__SIZE", "3")
    monkeypatch.setenv("ORCHD__CONTEXT__SECRETS__A", "hush")
    with Flow("f") as flow:
        task(lambda: (context.colour, context.size, context.flow_name, "secrets__a" in context), name="seen")()

    state = flow.run()

    assert [each.result for each in state.result.values()] == [("red", 3, "f", False)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[flows", "cannot be read: "),
        ('[context.secrets]\nA = "hush"\n', "has secrets, which others may read; move"),
        (None, "there is no .*config.toml, which ORCHD__USER_CONFIG_PATH names"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(written, tmp_path, text, message):
    """
    The sentence names it, and no secret.
    """
    written(text or "")
    if text is None:
        (tmp_path / "config.toml").unlink()

    with pytest.raises(ConfigError, match=message) as caught:
        setting("flows.checkpointing")

    assert "hush" not in str(caught.value)


def test_lines_are_as_the_settings_say(written, capsys, monkeypatch):
    """
    Their form, further attributes of the context, and loggers of other libraries that go the same way.
    """
    written(
        """
        [logging]
        format = "%(asctime)s|%(name)s|%(flow_name)s|%(colour)s|%(message)s"
        datefmt = "%Y"
        log_attributes = "['colour']"
        extra_loggers = "['elsewhere']"
        """
    )

    @task
    def speak():
        logging.getLogger("elsewhere").info("from elsewhere")
        context.logger.warning("from the task")

    with Flow("f") as flow:
        speak()

    with context(colour="red"):
        flow.run()

    lines = [line.split("|", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert "elsewhere|f|red|from elsewhere" in lines
    assert "orchd.speak|f|red|from the task" in lines


def test_a_list_of_names_is_one(monkeypatch):
    """
    What is none is refused with the setting's name.
    """
    monkeypatch.setenv("ORCHD__LOGGING__EXTRA_LOGGERS", "boto3")
    with pytest.raises(ValueError, match=r"the setting logging\.extra_loggers is 'boto3'; write a list of names"):
        setting_list("logging.extra_loggers")
