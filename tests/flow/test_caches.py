"""
Results that stand for further runs.
"""

from datetime import timedelta

import pytest

import orchd
from orchd import Flow, Parameter, cache_validators, task

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _own_caches():
    """
    Give each test a context without caches.
    """
    with orchd.context(caches={}):
        yield


def counting(name="counts", **task_args):
    """
    Return a flow whose task returns how often it ran, and that task.
    """
    ran = []

    @task(name=name, cache_for=HOUR, **task_args)
    def counts(x, y):
        ran.append((x, y))
        return len(ran)

    with Flow("f") as flow:
        counted = counts(Parameter("x", default=1), Parameter("y", default=1))

    return flow, counted


@pytest.mark.parametrize(
    ("validator", "values"),
    [
        (None, [1, 1, 1]),
        (cache_validators.never_use, [1, 2, 3]),
        (cache_validators.all_inputs, [1, 2, 3]),
        (cache_validators.partial_inputs_only(["x"]), [1, 2, 2]),
        (cache_validators.partial_parameters_only(["y"]), [1, 1, 2]),
    ],
)
def test_a_validator_says_which_runs_are_the_same(validator, values):
    """
    Runs with x = 1, 2, 2 and y = 1, 1, 2 use an earlier result where the validator lets them.
    """
    flow, counted = counting(cache_validator=validator)
    states = [flow.run(x=x, y=y).result[counted] for x, y in ((1, 1), (2, 1), (2, 2))]

    assert [state.result for state in states] == values
    assert {type(state).__name__ for state in states} == {"Cached"}


def test_flows_share_only_what_has_a_key():
    """
    A task of the same name in another flow runs by itself, unless both have one cache_key.
    """
    (first, one), (second, two) = counting(), counting()
    second.name = "g"
    first.run()

    assert second.run(x=9).result[two].result == 1
    (first, one), (second, two) = counting(cache_key="k"), counting(cache_key="k")
    second.name = "g"
    first.run(x=3)

    assert second.run(x=9).result[two] is first.run().result[one]
