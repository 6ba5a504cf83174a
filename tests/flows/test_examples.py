"""
The shipped example flows, each run as the daemon runs it.
"""

import random
import sys
from pathlib import Path

import pandas as pd
import pytest

from orchd.flow.describe import describe_file
from orchd.flow.loader import load_flows
from support.recording import executed

FLOWS = Path(__file__).parents[2] / "flows"
FILES = sorted(FLOWS.glob("*.py"))


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    """
    Keep results of the examples out of the checkout.
    """
    monkeypatch.setenv("ORCHD_RESULTS_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def load(name):
    """
    Return the only flow of an example file.
    """
    (flow,) = load_flows(FLOWS / name).values()
    return flow


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_example_is_described(file):
    """
    Each example holds one flow, and loading it gives no warning.
    """
    described = describe_file(file)

    assert described.error is None
    assert described.warnings == ()
    assert len(described.flows) == 1


def test_the_data_is_the_real_iris():
    """
    150 flowers, 50 of each species, with the known means.
    """
    data = pd.read_csv(FLOWS / "data" / "iris.csv")

    assert list(data.columns) == "sepal_length sepal_width petal_length petal_width species".split()
    assert data.species.value_counts().to_dict() == {"setosa": 50, "versicolor": 50, "virginica": 50}
    assert data.drop(columns="species").mean().round(3).tolist() == [5.843, 3.057, 3.758, 1.199]


def test_science_reads_what_engineering_stored(results):
    """
    data-engineer stores its split, data-science trains on it and reports a good accuracy.
    """
    state, told = executed(load("data_engineering.py"))
    assert state.is_successful()
    stored = results / "data-engineer" / "split.pkl"
    assert stored.exists()
    assert [move.location for move in told.moves if move.slug == "split_data-1"][-1] == str(stored)

    state, told = executed(load("data_science.py"))
    assert state.is_successful()
    (said,) = [text for text in told.texts() if text.startswith("Model accuracy on test set: ")]
    assert float(said.rsplit(" ", 1)[1]) > 90


def test_the_share_of_the_test_is_a_parameter():
    """
    A third for the test gives 50 flowers.
    """
    _, told = executed(load("data_engineering.py"), test_data_ratio=1 / 3)

    assert "100 flowers to train on, 50 to test with" in told.texts()


def test_science_without_data_fails():
    """
    Before data-engineer has ever run, data-science fails and says which file is missing.
    """
    state, told = executed(load("data_science.py"))

    assert state.is_failed()
    assert any("split.pkl" in text for text in told.texts())


def test_the_retries_example_gets_its_answer(monkeypatch):
    """
    It fails once, is tried again, and shows the answer.
    """
    rolls = iter([0.1, 0.9])
    monkeypatch.setattr(random, "random", lambda: next(rolls))
    state, told = executed(load("retries.py"))

    assert state.is_successful()
    assert "answer at attempt 2" in told.texts()


def test_the_parameters_example_reports_each_fact():
    """
    Numbers come in, facts go out.
    """
    state, told = executed(load("parameters.py"), numbers=[3, 1, 2], greeting="hi")

    assert state.is_successful()
    assert {"hi: total is 6", "hi: largest is 3"} <= set(told.texts())
