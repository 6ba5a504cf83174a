"""Storage, run config and executor are set after the block, as most flows of 2021 do it."""
from prefect import Flow, task
from prefect.executors import LocalDaskExecutor
from prefect.run_configs import KubernetesRun, DockerRun, LocalRun
from prefect.storage import GCS, GitHub, Docker, Local


@task(nout=2)
def pair():
    return 1, 2


@task
def add(a, b):
    return a + b


with Flow(name="elsewhere") as flow:
    a, b = pair()
    total = add(a, b)

flow.storage = GitHub(repo="org/repo", path="flows/elsewhere.py", access_token_secret="GITHUB")
flow.run_config = KubernetesRun(image="python:3.8", env={"A": "1"}, labels=["vm"])
flow.executor = LocalDaskExecutor(scheduler="threads", num_workers=2)
flow.run_config.labels.add("late")
flow.storage.add_flow(flow)
flow.storage.build()
