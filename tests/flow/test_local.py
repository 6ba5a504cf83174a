"""
``orchd run -p`` and ``python flow_file.py``: what they print, and how they end.
"""

import re
import subprocess
import sys

import pytest

from orchd.flow.local import run_file

GOOD = """
    from orchd import Flow, Parameter, task

    @task(log_stdout=True)
    def greet(name):
        print("hello", name)

    with Flow("greeting") as flow:
        greet(Parameter("name", default="world"))

    if __name__ == "__main__":
        flow.run()
"""
TWO = "from orchd import Flow\none = Flow('one')\ntwo = Flow('two')"
CLOCK = re.compile(r"\d\d:\d\d:\d\d")


def printed(capsys, file, **options):
    """
    Run *file* and return the exit code and what was printed, with the times replaced.
    """
    code = run_file(file, **{"flow_name": None, "parameters": {}, **options})
    return code, CLOCK.sub("TIME", capsys.readouterr().out)


def test_a_run_prints_the_classic_lines(flow_file, capsys):
    """
    Header, the lines of the run, footer, exactly as the classic command.
    """
    code, out = printed(capsys, flow_file(GOOD), parameters={"name": "you"})

    assert code == 0
    assert out.splitlines() == [
        "Retrieving local flow... Done",
        "Configured local flow run",
        "└── Parameters: {'name': 'you'}",
        "Running flow locally...",
        "└── TIME | INFO    | Beginning Flow run for 'greeting'",
        "└── TIME | INFO    | Task 'name': Starting task run...",
        "└── TIME | INFO    | Task 'name': Finished task run for task with final state: 'Success'",
        "└── TIME | INFO    | Task 'greet': Starting task run...",
        "└── TIME | INFO    | hello you",
        "└── TIME | INFO    | Task 'greet': Finished task run for task with final state: 'Success'",
        "└── TIME | INFO    | Flow run SUCCESS: all reference tasks succeeded",
        "Flow run succeeded!",
    ]


def test_without_parameters_their_lines_are_absent(flow_file, capsys):
    """
    No 'Configured' line when nothing was configured.
    """
    _, out = printed(capsys, flow_file(GOOD), logs=False)

    assert out == "Retrieving local flow... Done\nRunning flow locally...\nFlow run succeeded!\n"


def test_quiet_keeps_only_the_run_s_lines(flow_file, capsys):
    """
    -q leaves out header and footer.
    """
    code, out = printed(capsys, flow_file(GOOD), quiet=True)

    assert code == 0
    assert all(line.startswith("└── TIME | INFO    | ") for line in out.splitlines())


@pytest.mark.parametrize(
    ("text", "options", "code", "expected"),
    [
        (TWO, {}, 64, "Error\nFound multiple flows at '{file}': 'one', 'two'\n\nSpecify a flow name to run.\n"),
        (TWO, {"flow_name": "three"}, 66, "Error\nDid not find 'three' in flows at {file}. Found 'one', 'two'\n"),
        ("x = = 1", {}, 65, "Error\n{file}, line 1: syntax error: invalid syntax\n"),
        ("1 / 0", {}, 65, "line 1, in <module>\n    1 / 0\n    ~~^~~\n"),
        (
            GOOD,
            {"parameters": {"nope": 1}},
            64,
            "Running flow locally...\nFlow runner encountered an exception!\n"
            "    The flow takes these parameters: name\n"
            "    ValueError: Flow.run received the following unexpected parameters: nope\nFlow run failed!\n",
        ),
        (
            "from orchd import Flow, task\nwith Flow('f') as f: task(lambda: 1 / 0, name='bad')()",
            {},
            1,
            "Flow run FAILED: some reference tasks failed.\nFlow run failed!\n",
        ),
        (
            "import sys\nfrom orchd import Flow, task\nwith Flow('f') as f: task(lambda: sys.exit(5), name='bad')()",
            {},
            1,
            "    SystemExit: 5\nFlow run failed!\n",
        ),
    ],
)
def test_failures_have_their_exit_codes_and_say_why(flow_file, capsys, text, options, code, expected):
    """
    A run that failed is 1, what kept it from being one has the code of its kind; the last lines say what.
    """
    file = flow_file(text)
    got, out = printed(capsys, file, **options)

    assert got == code
    assert out.endswith(expected.format(file=file))


def test_a_name_cannot_command_the_terminal(flow_file, capsys):
    """
    Control characters of a flow's name are shown by their escapes.
    """
    file = flow_file("from orchd import Flow\none = Flow('a\\x1b[2J')\ntwo = Flow('b\\u202e')")
    _, out = printed(capsys, file)

    assert "'a\\x1b[2J', 'b\\u202e'\n\nSpecify" in out


def test_a_missing_file_is_named(tmp_path, capsys):
    """
    The absolute path is said.
    """
    missing = tmp_path / "nofile.py"

    assert printed(capsys, missing) == (66, f"Retrieving local flow... Error\nFile does not exist: '{missing}'\n")


def test_a_flow_file_runs_as_a_script(flow_file):
    """
    ``python flow_file.py`` works with no daemon and prints the classic log lines.
    """
    done = subprocess.run([sys.executable, flow_file(GOOD)], capture_output=True, text=True, check=True)
    lines = [re.sub(r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+0000\] ", "", line) for line in done.stdout.splitlines()]

    assert done.stderr == ""
    assert lines[0] == "INFO - orchd.FlowRunner | Beginning Flow run for 'greeting'"
    assert "INFO - orchd.TaskRunner | hello world" in lines
    assert lines[-1] == "INFO - orchd.FlowRunner | Flow run SUCCESS: all reference tasks succeeded"


def test_importing_the_package_alone_loads_nothing():
    """
    ``import orchd`` loads no other module of the package, and ``dir(orchd)`` still names the public face.
    """
    code = (
        "import sys, orchd; print([m for m in sys.modules if m.startswith('orchd.')], 'task' in dir(orchd));"
        "print(hasattr(orchd, 'nope'), orchd.Flow.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[] True\nFalse Flow\n"


def test_a_retry_s_wait_can_be_interrupted(flow_file):
    """
    Ctrl-C while a flow waits an hour for a retry ends it at once.
    """
    file = flow_file(
        """
        import datetime, os, signal, threading
        from orchd import Flow, task

        def fails():
            threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
            raise ValueError("v")

        with Flow("f") as flow:
            task(fails, max_retries=1, retry_delay=datetime.timedelta(hours=1))()

        if __name__ == "__main__":
            flow.run()
        """
    )
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, timeout=60)

    assert "Waiting for next available Task run" in done.stdout
    assert done.stderr.strip().endswith("KeyboardInterrupt")
