"""
Tasks that come with orchd.
"""

import os
import sys
import threading

import pytest

import orchd
from orchd import Flow
from orchd.tasks.secrets import EnvVarSecret, Secret, SecretTask
from orchd.tasks.shell import ShellTask
from support.recording import executed
from support.waiting import eventually


def test_a_time_limit_kills_what_the_command_started(tmp_path):
    """
    Nothing of the command's process group is left after the time limit of its task.
    """
    pid_file = tmp_path / "pid"
    with Flow("f") as flow:
        slow = ShellTask(command=f"sleep 600 & echo $! > {pid_file}; wait", timeout=1)()

    state, told = executed(flow)
    pid = int(pid_file.read_text())

    assert told.states("ShellTask-1") == ["running", "timed_out"]
    assert type(state.result[slow]).__name__ == "TimedOut"
    eventually(lambda: not _runs(pid))


def test_a_time_limit_finds_what_has_left_the_group(tmp_path):
    """
    A daemon that the command double-forks into a session of its own is killed, too.
    """
    pid_file = tmp_path / "pid"
    command = f"setsid bash -c 'sleep 600 & echo $! > {pid_file}; disown -a'; sleep 600"
    with Flow("f") as flow:
        ShellTask(command=command, timeout=1)()

    executed(flow)

    assert not _runs(int(pid_file.read_text()))


def test_what_a_program_writes_to_its_descriptors_is_the_result():
    """
    Not only what the shell itself prints: standard error stands in its place between the lines of standard output.
    """
    command = "import os; os.write(1, b'out\\n'); os.write(2, b'err\\n'); os.write(1, b'end\\n')"
    task = ShellTask(command=f'{sys.executable} -c "{command}"', return_all=True)

    assert task.run() == ["out", "err", "end"]


def test_env_and_helper_script_are_there():
    """
    The lines before the command, and its own variables beside those of the run.
    """
    task = ShellTask(helper_script="cd /\nA=helper", return_all=True)

    assert task.run(command='echo "$A $B $PWD ${PATH:+path}"', env={"B": "own"}) == ["helper own / path"]


def test_a_command_ended_by_a_signal_fails_its_task():
    """
    The exit code is minus its number.
    """
    with Flow("f") as flow:
        bad = ShellTask(command="kill -9 $$", return_all=True)()

    state, _ = executed(flow)

    assert (state.result[bad].message, state.result[bad].result) == ("Command failed with exit code -9", [])


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_lines_are_logged_while_they_are_printed():
    """
    With stream_output each line is a record of the task's logger; the last one is the result.
    """
    with Flow("f") as flow:
        said = ShellTask(command="echo 1; echo 2", stream_output=True)()

    state, told = executed(flow)

    assert [text for logger, text, _ in told.lines if logger == "orchd.ShellTask"] == ["1", "2"]
    assert state.result[said].result == "2"


def test_a_failed_command_fails_its_task():
    """
    The exit code is in the message, and what was printed is the result.
    """
    with Flow("f") as flow:
        bad = ShellTask(command="echo out; exit 3")()

    state, _ = executed(flow)

    assert (state.result[bad].message, state.result[bad].result) == ("Command failed with exit code 3", "out")


def test_a_level_that_is_none_is_refused():
    """
    stream_output takes levels of logging only.
    """
    with pytest.raises(TypeError, match="Level FOO is not a valid log level"):
        ShellTask(stream_output="FOO")


def test_secrets_are_never_stored(monkeypatch, tmp_path):
    """
    A secret task gives its value to others, and writes nothing where results are stored.
    """
    monkeypatch.setenv("ORCHD__CONTEXT__SECRETS__KEY", '{"a": 1}')
    monkeypatch.setenv("WORD", "5")
    with Flow("f", result=orchd.LocalResult(dir=tmp_path)) as flow:
        key, word = SecretTask("KEY")(), EnvVarSecret("WORD", cast=int)()

    state, _ = executed(flow)

    assert (state.result[key].result, state.result[word].result) == ({"a": 1}, 5)
    assert os.listdir(tmp_path) == []


def test_a_secret_is_not_asked_for_while_a_flow_is_built():
    """
    Its value would be written into the flow.
    """
    with Flow("f"), pytest.raises(ValueError, match="not while building a flow"):
        Secret("KEY").get()


def test_settings_of_a_block_hold_in_its_thread_only():
    """
    Another thread does not see them.
    """
    seen = []
    with orchd.context(_settings={"flows.checkpointing": True}):
        thread = threading.Thread(target=lambda: seen.append(orchd.context.get("_settings")))
        thread.start()
        thread.join(timeout=30)

    assert seen == [None]
