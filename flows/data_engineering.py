"""
The first half of the iris example: load the data, encode it, split it, and store the split.

``data_science.py`` reads what this flow has stored. Run it here with ``orchd run -p flows/data_engineering.py``, or let
the daemon start it.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from orchd import Flow, LocalResult, Parameter, task

HERE = Path(__file__).parent
# Under systemd only the folder that the service names in ORCHD_RESULTS_DIR may be written; in a checkout the folder
# beside this file is where one looks for it.
PROCESSED = Path(os.environ.get("ORCHD_RESULTS_DIR") or HERE / "data" / "processed")


@task
def load_data(path: str) -> pd.DataFrame:
    """
    Read the 150 measured flowers.
    """
    return pd.read_csv(HERE / path)


@task
def get_classes(data: pd.DataFrame, target_col: str) -> list[str]:
    """
    List the species.
    """
    return sorted(data[target_col].unique())


@task
def encode_categorical_columns(data: pd.DataFrame, target_col: str) -> pd.DataFrame:
    """
    Turn the species into one column of 0 and 1 for each.
    """
    return pd.get_dummies(data, columns=[target_col], prefix="", prefix_sep="", dtype=int)


@task(log_stdout=True, result=LocalResult(dir=PROCESSED, location="{flow_name}/split.pkl"))
def split_data(data: pd.DataFrame, test_data_ratio: float, classes: list[str]) -> dict[str, object]:
    """
    Shuffle, and take *test_data_ratio* of the flowers for the test.
    """
    shuffled = data.sample(frac=1, random_state=42).reset_index(drop=True)
    features = shuffled.drop(columns=classes)
    cut = len(shuffled) - round(len(shuffled) * test_data_ratio)
    print(f"{cut} flowers to train on, {len(shuffled) - cut} to test with")
    return {
        "train_x": features[:cut].to_numpy(),
        "train_y": np.argmax(shuffled[classes][:cut].to_numpy(), axis=1),
        "test_x": features[cut:].to_numpy(),
        "test_y": np.argmax(shuffled[classes][cut:].to_numpy(), axis=1),
        "classes": classes,
    }


with Flow("data-engineer") as flow:
    path = Parameter("path", default="data/iris.csv")
    target_col = Parameter("target_col", default="species")
    test_data_ratio = Parameter("test_data_ratio", default=0.2)

    data = load_data(path)
    classes = get_classes(data, target_col)
    encoded = encode_categorical_columns(data, target_col)
    split = split_data(encoded, test_data_ratio, classes)

if __name__ == "__main__":
    flow.run()
