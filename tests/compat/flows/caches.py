from datetime import timedelta

from prefect import Flow, Parameter, task
from prefect.engine.cache_validators import all_inputs, partial_parameters_only

CALLS = []


@task(cache_for=timedelta(hours=1), cache_validator=all_inputs, cache_key="shared")
def slow(x):
    CALLS.append(x)
    return x * 2


@task(cache_for=timedelta(hours=1), cache_validator=partial_parameters_only(["x"]))
def other(x):
    return x


@task
def calls(a, b):
    return list(CALLS)


with Flow("caches") as flow:
    x = Parameter("x", default=4)
    calls(slow(x), other(x))
