"""
`orchd check` and `orchd init`, which need no daemon.
"""

from pathlib import Path

import pytest

from support.program import Orchd

SCHEDULE = '[flows]\npaths = ["flows"]\n[schedules.n]\nflow = "one"\ncron = "* * * * *"\n'
FLOW = "from orchd import Flow, Parameter\nwith Flow('{name}') as flow:\n    Parameter('ratio', default=1)()\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A config with one schedule of the flow ``one``, which is in one file.
    """
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "one.py").write_text(FLOW.format(name="one"))
    (tmp_path / "orchd.toml").write_text(SCHEDULE)
    return tmp_path


def test_what_is_good_is_counted(folder: Path, orchd: Orchd) -> None:
    """
    A config without mistakes gives exit code 0 and says what was looked at.
    """
    done = orchd("check", "--config", str(folder))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:] == ["flows: 1 in 1 file: good", "schedules: 1: good"]


def test_every_mistake_of_the_config_is_a_line(folder: Path, orchd: Orchd) -> None:
    """
    All of them at once, exit code 78.
    """
    (folder / "orchd.toml").write_text('[daemon]\nmax_runs = "8"\nnope = 1\n')
    done = orchd("check", "--config", str(folder))

    assert done.returncode == 78
    assert [line.split(": ")[1][:20] for line in done.stderr.splitlines()] == [f"{folder}/orchd.toml"[:20]] * 2


def test_a_broken_flow_file_is_a_line(folder: Path, orchd: Orchd) -> None:
    """
    A syntax error names the file; an unknown flow is not complained about while a file is broken; exit code 65.
    """
    (folder / "flows" / "one.py").write_text("def broken(:\n")
    done = orchd("check", "--config", str(folder))

    assert done.returncode == 65
    assert f"orchd: {folder}/flows/one.py: " in done.stderr
    assert done.stderr.count("\n") == 1


def test_schedules_must_fit_the_flows(folder: Path, orchd: Orchd) -> None:
    """
    An unknown flow and an unknown parameter are mistakes of the config.
    """
    more = 'parameters = { rato = 1 }\n[schedules.m]\nflow = "onne"\nafter = ["one"]\n'
    (folder / "orchd.toml").write_text(SCHEDULE + more)
    done = orchd("check", "--config", str(folder))
    assert done.returncode == 78
    assert "names the flow 'onne', which is in no flow file; did you mean 'one'?" in done.stderr

    (folder / "orchd.toml").write_text(SCHEDULE + "parameters = { rato = 1 }\n")
    done = orchd("check", "--config", str(folder))
    assert "the flow 'one' has no parameter 'rato'; did you mean 'ratio'?" in done.stderr


def test_mistakes_of_every_kind_are_told_at_once(folder: Path, orchd: Orchd) -> None:
    """
    Config, environment file, flow files, and parameters of flows that did load: no kind hides another.
    """
    (folder / "orchd.toml").write_text(
        SCHEDULE + 'parameters = { rato = 1 }\n[schedules.m]\nflow = "f"\ncron = "61 * * * *"\n[daemon]\nnope = 1\n'
    )
    text = (folder / "orchd.toml").read_text().replace("[flows]\n", '[flows]\nenv_file = "flows.env"\n')
    (folder / "orchd.toml").write_text(text)
    (folder / "flows.env").write_text("A=1\nfoo bar\n")
    (folder / "flows" / "bad.py").write_text("x = = 1\n")
    done = orchd("check", "--config", str(folder))

    assert done.returncode == 78
    told = ["[schedules.m] cron", "'nope'", "flows.env, line 2 is no NAME=value", "no parameter 'rato'"]
    lines = done.stderr.splitlines()
    assert [part for part, line in zip(told, lines, strict=False) if part not in line] == []
    assert lines[-1] == f"orchd: {folder}/flows/bad.py: line 1: syntax error: invalid syntax"


def test_a_module_beside_the_flow_files_is_passed_over(folder: Path, orchd: Orchd) -> None:
    """
    A file without a flow is a mistake only where [flows] paths names it itself.
    """
    (folder / "flows" / "utils.py").write_text("X = 1\n")
    done = orchd("check", "--config", str(folder))
    assert (done.returncode, done.stdout.splitlines()[1]) == (0, "flows: 1 in 1 file: good")

    (folder / "orchd.toml").write_text(SCHEDULE.replace('["flows"]', '["flows", "flows/utils.py"]'))
    done = orchd("check", "--config", str(folder))
    assert (done.returncode, done.stderr.count("\n")) == (65, 1)
    assert f"orchd: {folder}/flows/utils.py: no flow found; write" in done.stderr


def test_an_environment_file_is_checked_without_any_flow_file(folder: Path, orchd: Orchd) -> None:
    """
    Its line is named.
    """
    (folder / "orchd.toml").write_text('[flows]\nenv_file = "flows.env"\n')
    for line in ("foo bar", "=3", "1X=2"):
        (folder / "flows.env").write_text(f"A=1\nexport Q=3\n{line}\n")
        done = orchd("check", "--config", str(folder))

        assert (done.returncode, f"{folder}/flows.env, line 3 is no" in done.stderr) == (78, True)


def test_a_secrets_file_that_others_may_read_is_a_mistake(folder: Path, orchd: Orchd) -> None:
    """
    It is told before a run is refused it.
    """
    secrets = folder / "secrets.toml"
    secrets.write_text('A = "hush"\n')
    secrets.chmod(0o644)
    (folder / "flows.env").write_text(f"ORCHD_SECRETS_FILE={secrets}\n")
    (folder / "orchd.toml").write_text('[flows]\nenv_file = "flows.env"\n')
    done = orchd("check", "--config", str(folder))

    assert (done.returncode, "hush" in done.stderr) == (78, False)
    assert f"the secrets file {secrets} has mode 0644" in done.stderr


def test_a_terminal_is_told_no_control_characters(folder: Path, orchd: Orchd) -> None:
    """
    What a config has in its names is shown by its escapes.
    """
    (folder / "orchd.toml").write_text('["a\\u001b[2J\\u202e"]\n', encoding="utf-8")
    done = orchd("check", "--config", str(folder))

    assert done.returncode == 78
    assert "\x1b" not in done.stderr
    assert "\u202e" not in done.stderr


def test_two_flows_of_one_name_are_refused(folder: Path, orchd: Orchd) -> None:
    """
    The sentence names both files.
    """
    (folder / "flows" / "two.py").write_text(FLOW.format(name="one"))
    done = orchd("check", "--config", str(folder))

    assert done.returncode == 65
    assert f"{folder}/flows/two.py: the flow 'one' is in {folder}/flows/one.py, too" in done.stderr


def test_init_writes_something_that_works(tmp_path: Path, orchd: Orchd) -> None:
    """
    What it writes passes `orchd check`, its flow runs, and the next step is said.
    """
    folder = tmp_path / "my flows"
    made = orchd("init", str(folder))

    assert f"Next: orchd serve --config '{folder}'" in made.stdout
    assert orchd("check", "--config", str(folder)).returncode == 0
    ran = orchd("run", "-p", str(folder / "flows" / "hello.py"), "--param", "name=you")
    assert (ran.returncode, "Hello, you!" in ran.stdout) == (0, True)


def test_init_leaves_a_config_alone(tmp_path: Path, orchd: Orchd) -> None:
    """
    In a folder that has one nothing is written, and a sentence says so.
    """
    (tmp_path / "mine.toml").write_text("# mine\n")
    done = orchd("init", str(tmp_path))

    assert (done.returncode, done.stdout) == (73, "")
    assert "has a config already (mine.toml), and nothing was written" in done.stderr
    assert [file.name for file in tmp_path.iterdir() if not file.is_socket()] == ["mine.toml"]


def test_init_never_overwrites(tmp_path: Path, orchd: Orchd) -> None:
    """
    A flow file that is there is kept as it is; the others are written.
    """
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "hello.py").write_text("# mine\n")
    done = orchd("init", str(tmp_path))

    assert (tmp_path / "flows" / "hello.py").read_text() == "# mine\n"
    assert f"kept  {tmp_path}/flows/hello.py" in done.stdout
    assert (tmp_path / "orchd.toml").exists()


def test_init_says_when_it_cannot_write(tmp_path: Path, orchd: Orchd) -> None:
    """
    A file where a folder should be is one sentence.
    """
    (tmp_path / "file").write_text("")
    done = orchd("init", str(tmp_path / "file"))

    assert done.returncode == 73
    assert done.stderr.count("\n") == 1


def test_check_looks_ahead(folder: Path, orchd: Orchd) -> None:
    """
    A schedule that is over and a slot that is never shared are mistakes with their lines; those in code are counted.
    """
    in_code = FLOW.replace("Flow('{name}')", "Flow('two', IntervalSchedule(interval=timedelta(hours=1)))")
    head = "from datetime import timedelta\nfrom orchd.flow.classic_schedules import IntervalSchedule\n"
    (folder / "flows" / "two.py").write_text(head + in_code)
    done = orchd("check", "--config", str(folder))
    assert done.stdout.splitlines()[-1] == "schedules: 2, 1 of them in flow files: good"

    (folder / "orchd.toml").write_text(
        SCHEDULE
        + '[schedules.over]\nflow = "one"\ndates = [2020-01-01]\n'
        + '[schedules.alone]\nflow = "one"\ncron = "1 9 * * *"\n'
        + 'wait_for = { flow = "two", same_slot = true, timeout = "1h" }\n'
    )
    done = orchd("check", "--config", str(folder))

    assert done.returncode == 78
    assert [line.partition("/orchd.toml, ")[2].partition(":")[0] for line in done.stderr.splitlines()] == [
        "line 6",
        "line 9",
    ]
