"""
The executor of a flow that names none.
"""

import importlib
from typing import Any

from orchd.engine.executors.executor import Executor
from orchd.engine.executors.local import LocalExecutor
from orchd.engine.settings import setting


def default_executor() -> Executor[Any]:
    """
    Return a new executor of the class that the settings name.

    Raises:
        ValueError: there is none of that name.
    """
    name = str(setting("engine.executor.default_class")).rpartition(".")[2]
    if name == LocalExecutor.__name__:
        return LocalExecutor()

    # Loaded here, as nearly no run has them.
    module = "cluster" if name == "DaskExecutor" else "threads"
    home = importlib.import_module(f"orchd.engine.executors.{module}")
    if not name.endswith("Executor") or not hasattr(home, name):
        raise ValueError(
            f"the setting engine.executor.default_class names {name!r}; "
            "write LocalExecutor, LocalDaskExecutor or DaskExecutor"
        )

    made: Executor[Any] = getattr(home, name)()
    return made
