"""
Projects, and flows that are registered by a script that a person runs.
"""

import subprocess
import sys
from pathlib import Path

from support.daemon import Daemon, Json

SCRIPT = """
from orchd import Flow, Parameter, task

@task
def work(n):
    print("worked on", n)

with Flow("own") as flow:
    work(Parameter("n", default=1))

if __name__ == "__main__":
    flow.register(project_name="{project}", labels=["vm", "iris"])
"""


def script(daemon: Daemon, file: Path, *, project: str = "Iris Project") -> tuple[int, str]:
    """
    Write the script to *file*, run it as a person would, and return its exit code with what it printed.
    """
    file.parent.mkdir(exist_ok=True)
    file.write_text(SCRIPT.format(project=project))
    return run(daemon, file)


def run(daemon: Daemon, file: Path) -> tuple[int, str]:
    """
    Run *file* by Python, from another folder.
    """
    done = subprocess.run(
        [sys.executable, str(file)],
        env=daemon.env,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def flow(daemon: Daemon) -> Json:
    """
    Return what the daemon tells of the flow.
    """
    [found] = [each for each in daemon.client.get("/flows")["flows"] if each["name"] == "own"]
    return found


def test_a_project_is_made_once(daemon: Daemon) -> None:
    """
    Asked for again it is there already, which is good, too.
    """
    daemon.start()

    assert daemon.cli("create", "project", "Iris Project") == "Iris Project created\n"
    assert daemon.cli("create", "project", "Iris Project") == "Iris Project already exists\n"
    assert '"is_new": false' in daemon.cli("create", "project", "Iris Project", "--json")
    assert "control character" in daemon.cli("create", "project", "a\x1b", code=64)
    assert [each["name"] for each in daemon.client.get("/projects")["projects"]] == ["Iris Project"]


def test_registering_prints_the_classic_lines_and_the_flow_runs(daemon: Daemon) -> None:
    """
    URL, ID, project and labels; a run of it can be started at once, and `orchd flows` shows the project.
    """
    daemon.start()
    daemon.cli("create", "project", "Iris Project")
    code, said = script(daemon, daemon.flows / "own.py")

    assert (code, said.splitlines()[1:]) == (
        0,
        [" └── ID: own@1", " └── Project: Iris Project", " └── Labels: ['iris', 'vm']"],
    )
    assert said.startswith("Flow URL: http+unix://")
    assert said.splitlines()[0].endswith("/api/v1/flows/own")
    assert daemon.finished(daemon.begin("own", n=2))["state"] == "success"
    assert "Iris Project" in daemon.cli("flows")
    assert daemon.client.get("/flows/own")["flow"]["project"] == "Iris Project"


def test_a_changed_file_is_a_new_version_and_an_unchanged_one_is_not(daemon: Daemon) -> None:
    """
    By its bytes.
    """
    daemon.start()
    daemon.cli("create", "project", "Iris Project")
    file = daemon.flows / "own.py"
    script(daemon, file)
    script(daemon, file)
    assert flow(daemon)["version"] == 1

    file.write_text(file.read_text() + "\n# changed\n")
    assert " └── ID: own@2\n" in run(daemon, file)[1]
    assert flow(daemon)["version"] == 2


def test_an_unknown_project_is_refused_with_the_command_that_makes_it(daemon: Daemon) -> None:
    """
    In one sentence, and nothing is taken up.
    """
    daemon.start()
    code, said = script(daemon, daemon.flows / "own.py", project="No Such")

    assert code == 1
    assert said.endswith("ValueError: Project No Such not found. Run `orchd create project 'No Such'` to create it.\n")
    assert daemon.client.get("/flows")["flows"] == []


def test_a_file_outside_of_the_paths_stays_known(daemon: Daemon) -> None:
    """
    The daemon's own user may register it; a reload and a restart keep it, and take up its changes.
    """
    file = daemon.home / "elsewhere" / "own.py"
    daemon.start()
    daemon.cli("create", "project", "Iris Project")
    assert script(daemon, file)[0] == 0
    file.write_text(file.read_text() + "\n# changed\n")
    daemon.cli("reload")
    assert (flow(daemon)["version"], flow(daemon)["file"]) == (2, str(file))

    daemon.stop()
    daemon.start()
    assert daemon.finished(daemon.begin("own"))["state"] == "success"
    assert (flow(daemon)["project"], flow(daemon)["loaded"]) == ("Iris Project", True)


def test_of_a_file_outside_of_the_paths_only_the_registered_flow_is_taken_up(daemon: Daemon) -> None:
    """
    No other flow of it is known, and no schedule of another starts; a reload and a second registering keep to that.
    """
    file = daemon.home / "elsewhere" / "own.py"
    file.parent.mkdir()
    head, _, tail = SCRIPT.format(project="Iris Project").partition("if __name__")
    more = "from orchd import CronSchedule\n"
    more += 'with Flow("other", schedule=CronSchedule("* * * * *")) as other:\n    work(2)\n'
    file.write_text(f"{head}{more}with Flow('third') as third:\n    work(3)\nif __name__{tail}")
    daemon.start()
    daemon.cli("create", "project", "Iris Project")
    code, said = run(daemon, file)
    assert code == 0, said
    assert (known(daemon), daemon.client.get("/schedules")["schedules"]) == (["own"], [])

    daemon.cli("reload")
    assert known(daemon) == ["own"]

    file.write_text(file.read_text() + '    other.register(project_name="Iris Project")\n')
    assert run(daemon, file)[0] == 0
    daemon.cli("reload")
    assert known(daemon) == ["other", "own"]
    assert [each["name"] for each in daemon.client.get("/schedules")["schedules"]] == ["other"]


def known(daemon: Daemon) -> list[str]:
    """
    Return the names of the flows that the daemon knows.
    """
    return [each["name"] for each in daemon.client.get("/flows")["flows"]]


def test_a_flow_that_the_daemon_cannot_find_in_its_file_is_refused(daemon: Daemon) -> None:
    """
    One that is made under ``if __name__``, for instance.
    """
    file = daemon.flows / "hidden.py"
    file.write_text(
        "from orchd import Flow, task\n"
        "if __name__ == '__main__':\n    Flow('own').register(project_name='Iris Project')\n"
    )
    daemon.start()
    daemon.cli("create", "project", "Iris Project")
    code, said = run(daemon, file)

    assert code == 1
    assert "no flow found" in said


def test_without_a_daemon_one_sentence_says_so(daemon: Daemon) -> None:
    """
    To whoever registers, makes a project or asks for the agent.
    """
    code, said = script(daemon, daemon.flows / "own.py")
    assert code == 1
    assert "NotRunning: no daemon answers at" in said.splitlines()[-1]
    daemon.cli("create", "project", "Iris Project", code=3)
    daemon.cli("agent", "local", "start", code=3)


def test_the_daemon_is_the_agent(daemon: Daemon) -> None:
    """
    By command, with the classic options, and by ``flow.run_agent()``.
    """
    daemon.start()
    assert daemon.process is not None
    told = f"The daemon (process {daemon.process.pid}, {daemon.socket}) is the agent"

    assert daemon.cli("agent", "local", "start", "-l", "vm", "--no-hostname-label").startswith(told)
    file = daemon.flows / "own.py"
    file.write_text(SCRIPT.partition("if __name__")[0] + "if __name__ == '__main__':\n    flow.run_agent()\n")
    assert run(daemon, file) == (0, daemon.cli("agent", "local", "start"))


def test_outside_of_the_daemon_a_flow_finds_it_as_the_command_line_does(daemon: Daemon) -> None:
    """
    ``flow.run()`` in a terminal starts a run there; without a daemon its task fails with one sentence.
    """
    file = daemon.home / "main.py"
    file.write_text(
        "from orchd import Flow, StartFlowRun\n"
        "with Flow('main') as main:\n    StartFlowRun('own', project_name='Iris Project', wait=True)()\n"
        "state = main.run()\nprint(state)\n"
    )
    (daemon.flows / "own.py").write_text(SCRIPT)
    _, said = run(daemon, file)
    assert "Flow 'own' cannot be started: no daemon answers at" in said
    assert "Traceback" not in said

    daemon.start()
    _, said = run(daemon, file)
    assert '<Success: "All reference tasks succeeded.">' in said
    assert [each["trigger"] for each in daemon.runs()] == ["manual"]
