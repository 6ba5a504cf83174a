import os
import prefect
from prefect import Flow, task
from prefect.environments.storage import Docker
from prefect.run_configs import UniversalRun
from prefect.engine.executors import LocalExecutor
from prefect.engine.executors.dask import LocalDaskExecutor
from prefect.executors.local import LocalExecutor as Local


@task
def where():
    return [LocalExecutor is Local, LocalDaskExecutor.__name__]


with Flow(
    "labels",
    storage=Docker(registry_url="registry.example.org", image_name="flow", python_dependencies=["pandas"]),
    run_config=UniversalRun(labels=["prod", "eu"], env={"A": "1"}),
    executor=LocalExecutor(),
) as flow:
    where()

if __name__ == "__main__":
    client = prefect.Client()
    client.create_project(project_name="Iris")
    flow.register(project_name="Iris", labels=["vm"], add_default_labels=False)
