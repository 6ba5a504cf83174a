from prefect import Flow, Parameter, task, unmapped, flatten  # noqa: F401
from prefect.utilities.edges import mapped


@task
def pages(n):
    return list(range(n))


@task(max_retries=0)
def fetch(page, token):
    if page == 2:
        raise RuntimeError("page 2 is gone")
    return [page, token]


@task(skip_on_upstream_skip=False, trigger=lambda states: True)
def total(parts):
    return sum(len(part) for part in parts if isinstance(part, list))


@task
def one(x):
    return x


with Flow("mapped-pages") as flow:
    fetched = fetch.map(pages(Parameter("n", default=4)), unmapped("secret"))
    counted = total(fetched)
    singles = one.map(flatten([[1], [2, 3]]))
    same = one(mapped([4, 5]))

flow.set_reference_tasks([counted])
