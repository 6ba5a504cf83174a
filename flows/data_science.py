"""
The second half of the iris example: train on what ``data_engineering.py`` has stored, predict, report the accuracy.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from orchd import Flow, LocalResult, Parameter, task

# The same folder as in data_engineering.py.
PROCESSED = Path(os.environ.get("ORCHD_RESULTS_DIR") or Path(__file__).parent / "data" / "processed")


@task
def load_split(location: str) -> dict[str, object]:
    """
    Read what the flow data-engineer has stored.
    """
    return LocalResult(dir=PROCESSED).read(location).value


@task
def train(split: dict[str, np.ndarray], steps: int, learning_rate: float) -> np.ndarray:
    """
    Fit a softmax regression by gradient descent, and return its weights.
    """
    inputs = with_bias(split["train_x"])
    wanted = np.eye(len(split["classes"]))[split["train_y"]]
    weights = np.zeros((inputs.shape[1], wanted.shape[1]))
    for _ in range(steps):
        weights -= learning_rate * inputs.T @ (softmax(inputs @ weights) - wanted) / len(inputs)

    return weights


@task
def predict(weights: np.ndarray, split: dict[str, np.ndarray]) -> np.ndarray:
    """
    Name the most likely species of each flower of the test.
    """
    return np.argmax(with_bias(split["test_x"]) @ weights, axis=1)


@task(log_stdout=True)
def report(predictions: np.ndarray, split: dict[str, np.ndarray]) -> float:
    """
    Print and return the accuracy in percent.
    """
    accuracy = round(float(np.mean(predictions == split["test_y"])) * 100, 2)
    confusion = pd.crosstab(pd.Series(split["test_y"], name="is"), pd.Series(predictions, name="predicted"))
    print(confusion.to_string())
    print(f"Model accuracy on test set: {accuracy}")
    return accuracy


def softmax(scores: np.ndarray) -> np.ndarray:
    """
    Turn each row of scores into probabilities.
    """
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def with_bias(features: np.ndarray) -> np.ndarray:
    """
    Put a column of ones before the features.
    """
    return np.hstack([np.ones((len(features), 1)), features])


with Flow("data-science") as flow:
    location = Parameter("location", default="data-engineer/split.pkl")
    steps = Parameter("steps", default=2000)
    learning_rate = Parameter("learning_rate", default=0.1)

    split = load_split(location)
    weights = train(split, steps, learning_rate)
    accuracy = report(predict(weights, split), split)

if __name__ == "__main__":
    flow.run()
