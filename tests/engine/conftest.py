"""
Executors of every kind, and a Dask cluster for those that need one.
"""

from collections.abc import Callable, Iterator
from typing import Any

import dask
import distributed
import pytest

from orchd.engine.executors.cluster import OWN_CLUSTER, DaskExecutor
from orchd.engine.executors.local import LocalExecutor
from orchd.engine.executors.threads import LocalDaskExecutor


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """
    The address of a real Dask cluster of two workers.
    """
    with (
        dask.config.set(OWN_CLUSTER),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
        ) as found,
    ):
        yield found.scheduler_address


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Callable[[str], Any]:
    """
    Makes an executor of a kind, with two workers.
    """

    def made(kind: str) -> Any:
        match kind:
            case "local":
                return LocalExecutor()
            case "dask":
                return DaskExecutor(request.getfixturevalue("scheduler"))
            case _:
                return LocalDaskExecutor(kind, num_workers=2)

    return made
