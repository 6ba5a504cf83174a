"""
The iris tutorial of the classic tool, step by step as it is written there: two flows, parameters, results, targets, a
schedule, and a main flow that starts both; by the command line and under a real daemon. With the old imports, and ours.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.daemon import ORCHD, Daemon
from support.waiting import eventually

IRIS = Path(__file__).parents[2] / "flows" / "data" / "iris.csv"

ENGINEERING = """
from typing import Any, Dict, List

import pandas as pd
from {tool} import Flow, Parameter, task
from {results} import LocalResult


@task
def load_data(path: str) -> pd.DataFrame:
    return pd.read_csv(path)


@task(target="{{date:%a_%b_%d_%Y_%H:%M:%S}}/{{task_name}}_output", result=LocalResult(dir="data/processed"))
def get_classes(data: pd.DataFrame, target_col: str) -> List[str]:
    return sorted(data[target_col].unique())


@task
def encode_categorical_columns(data: pd.DataFrame, target_col: str) -> pd.DataFrame:
    return pd.get_dummies(data, columns=[target_col], prefix="", prefix_sep="", dtype=int)


@task(log_stdout=True, result=LocalResult(dir="data/processed", location="split_data_output"))
def split_data(data: pd.DataFrame, test_data_ratio: float, classes: list) -> Dict[str, Any]:
    shuffled = data.sample(frac=1, random_state=42).reset_index(drop=True)
    cut = len(shuffled) - int(len(shuffled) * test_data_ratio)
    print(f"{{len(shuffled) - cut}} flowers to test with")
    features = shuffled.drop(columns=classes).to_numpy()
    targets = shuffled[classes].to_numpy()
    return dict(train_x=features[:cut], train_y=targets[:cut], test_x=features[cut:], test_y=targets[cut:])


with Flow("data-engineer") as flow:
    target_col = "species"
    test_data_ratio = Parameter("test_data_ratio", default=0.2)

    data = load_data(path="data/raw/iris.csv")
    classes = get_classes(data=data, target_col=target_col)
    categorical_columns = encode_categorical_columns(data=data, target_col=target_col)
    train_test_dict = split_data(data=categorical_columns, test_data_ratio=test_data_ratio, classes=classes)

{end}
"""

SCIENCE = """
import numpy as np
from {tool} import Flow, Parameter, task
from {results} import LocalResult


@task
def train_model(train_x, train_y, num_train_iter: int, learning_rate: float):
    weights = np.zeros((train_x.shape[1] + 1, train_y.shape[1]))
    inputs = np.hstack([np.ones((len(train_x), 1)), train_x])
    for _ in range(num_train_iter):
        scores = np.exp(inputs @ weights)
        weights -= learning_rate * inputs.T @ (scores / scores.sum(axis=1, keepdims=True) - train_y) / len(inputs)
    return weights


@task
def predict(weights, test_x):
    return np.argmax(np.hstack([np.ones((len(test_x), 1)), test_x]) @ weights, axis=1)


@task(log_stdout=True)
def report_accuracy(predictions, test_y) -> None:
    accuracy = np.sum(predictions == np.argmax(test_y, axis=1)) / len(test_y)
    print(f"Model accuracy on test set: {{round(accuracy * 100, 2)}}")


with Flow("data-science") as flow:
    train_test_dict = LocalResult(dir="data/processed").read(location="split_data_output").value

    train_x = train_test_dict["train_x"]
    train_y = train_test_dict["train_y"]
    test_x = train_test_dict["test_x"]
    test_y = train_test_dict["test_y"]
    num_train_iter = Parameter("num_train_iter", default=2000)
    learning_rate = Parameter("learning_rate", default=0.05)

    model = train_model(train_x, train_y, num_train_iter, learning_rate)
    report_accuracy(predict(model, test_x), test_y)

{end}
"""

MAIN = """
from datetime import datetime, timedelta

from {tool} import Flow
from {schedules} import IntervalSchedule
from {starting} import StartFlowRun

data_engineering_flow = StartFlowRun(
    flow_name="data-engineer", project_name="Iris Project", wait=True, parameters={{"test_data_ratio": 0.3}}
)
data_science_flow = StartFlowRun(flow_name="data-science", project_name="Iris Project", wait=True)

schedule = IntervalSchedule(start_date=datetime.utcnow() + timedelta(seconds=1), interval=timedelta(minutes=1))

with Flow("main-flow"{schedule}) as flow:
    result = data_science_flow(upstream_tasks=[data_engineering_flow])

{end}
"""

OLD = {
    "tool": "prefect",
    "results": "prefect.engine.results",
    "schedules": "prefect.schedules",
    "starting": "prefect.tasks.prefect",
}
NEW = dict.fromkeys(OLD, "orchd")
REGISTER = 'flow.register(project_name="Iris Project")'
#: What stands before `python FILE` where it says `import prefect`: the one line that lets the old names mean ours.
INSTALLED = "import runpy, sys; import orchd.compat as c; c.install(); runpy.run_path(sys.argv[1], run_name='__main__')"


class Project:
    """
    The folder of the tutorial, in which a person types commands.
    """

    def __init__(self, daemon: Daemon, names: dict[str, str]) -> None:
        self.daemon = daemon
        self.names = names
        self.folder = daemon.home / "iris"
        (self.folder / "data" / "raw").mkdir(parents=True)
        shutil.copy(IRIS, self.folder / "data" / "raw" / "iris.csv")

    def write(self, file: str, text: str, *, end: str = "", schedule: str = "") -> None:
        """
        Write a flow file that ends with *end*.
        """
        (self.folder / file).write_text(text.format(**self.names, end=end, schedule=schedule))

    def type(self, *words: str, **env: str) -> str:
        """
        Return what a command prints that is typed in the folder; it must be good.
        """
        done = subprocess.run(
            words, env=self.daemon.env | env, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def python(self, file: str, **env: str) -> str:
        """
        Return what ``python FILE`` prints.
        """
        words = ("-c", INSTALLED, file) if self.names is OLD else (file,)
        return self.type(sys.executable, *words, **env)


@pytest.fixture(params=[NEW, OLD], ids=["our names", "old names"])
def project(daemon: Daemon, request: pytest.FixtureRequest) -> Project:
    """
    The folder with the first two flows.
    """
    made = Project(daemon, request.param)
    made.write("data_engineering.py", ENGINEERING, end="flow.run()")
    return made


def test_the_first_flow_runs_by_python_and_by_command(project: Project) -> None:
    """
    With its parameters, and its results in files once they are wanted.
    """
    said = project.python("data_engineering.py")
    assert "Task 'split_data': Finished task run for task with final state: 'Success'" in said
    assert "Flow run SUCCESS: all reference tasks succeeded" in said
    assert "30 flowers to test with" in said
    assert not (project.folder / "data" / "processed").exists()

    wanted = {"ORCHD__FLOWS__CHECKPOINTING": "true"}
    said = project.type(ORCHD, "run", "-p", "data_engineering.py", "--param", "test_data_ratio=0.4", **wanted)
    assert "└── Parameters: {'test_data_ratio': 0.4}" in said
    assert "60 flowers to test with" in said
    assert "Flow run succeeded!\n" in said
    assert (project.folder / "data" / "processed" / "split_data_output").is_file()
    [target] = (project.folder / "data" / "processed").glob("*/get_classes_output")
    assert target.is_file()


def test_the_second_flow_reads_what_the_first_has_stored(project: Project) -> None:
    """
    While it is being defined: the arrays are values of the flow.
    """
    project.python("data_engineering.py", ORCHD__FLOWS__CHECKPOINTING="true")
    project.write("data_science.py", SCIENCE, end="flow.run()")

    assert "Model accuracy on test set: 9" in project.python("data_science.py")


def test_the_main_flow_starts_both_once_they_are_registered(project: Project) -> None:
    """
    Into the project, from a folder of the person's own; the second begins when the first has ended well, with the
    parameters that the main flow gives.
    """
    daemon = project.daemon
    project.python("data_engineering.py", ORCHD__FLOWS__CHECKPOINTING="true")
    for file, text in (("data_engineering.py", ENGINEERING), ("data_science.py", SCIENCE), ("main.py", MAIN)):
        project.write(file, text, end=REGISTER)
    daemon.configure(flows="prefect_imports = true")
    daemon.start()
    assert project.type(ORCHD, "create", "project", "Iris Project") == "Iris Project created\n"
    for file in ("data_engineering.py", "data_science.py", "main.py"):
        assert " └── Project: Iris Project\n" in project.python(file)
    assert project.type(ORCHD, "agent", "local", "start").endswith("nothing else is needed.\n")
    project.type(ORCHD, "start", "main-flow", "--wait")

    main, engineering, science = daemon.runs()
    assert [run["flow"] for run in (main, engineering, science)] == ["main-flow", "data-engineer", "data-science"]
    assert engineering["parameters"] == {"test_data_ratio": 0.3}
    assert science["created_at"] >= engineering["ended_at"]
    assert any("Model accuracy on test set: " in line["text"] for line in daemon.lines(science["id"], stream=None))
    assert [child["id"] for child in daemon.run(main["id"])["children"]] == [engineering["id"], science["id"]]


def test_the_main_flow_runs_on_its_schedule(project: Project) -> None:
    """
    Registered with a schedule in its code, it starts by itself.
    """
    daemon = project.daemon
    project.python("data_engineering.py", ORCHD__FLOWS__CHECKPOINTING="true")
    for file, text in (("data_engineering.py", ENGINEERING), ("data_science.py", SCIENCE)):
        project.write(file, text, end=REGISTER)
    project.write("main.py", MAIN, end=REGISTER, schedule=", schedule=schedule")
    daemon.configure(flows="prefect_imports = true")
    daemon.start()
    project.type(ORCHD, "create", "project", "Iris Project")
    for file in ("data_engineering.py", "data_science.py", "main.py"):
        project.python(file)

    run = eventually(lambda: [each for each in daemon.runs() if each["flow"] == "main-flow"], what="it is started")[0]
    assert (daemon.finished(run["id"], within_s=60)["state"], run["trigger"]) == ("success", "schedule")
