"""Attributes are changed after the call, names are bound anew."""
from datetime import timedelta
from prefect import task, Flow


@task
def load(): return [3, 1, 2]


@task
def order(rows): return sorted(rows)


with Flow("mutated") as flow:
    load = load()
    load.max_retries = 2
    load.retry_delay = timedelta(seconds=1)
    order = order(load)
    order.name = "ordered"
