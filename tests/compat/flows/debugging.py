import prefect
from prefect import Flow, task
from prefect.utilities.configuration import set_temporary_config
from prefect.utilities.debug import raise_on_exception


@task
def breaks():
    raise ZeroDivisionError("x")


@task
def inner():
    with Flow("inner") as small:
        breaks()
    try:
        with raise_on_exception():
            small.run()
    except ZeroDivisionError as exc:
        with set_temporary_config({"flows.checkpointing": True}):
            return str(exc), prefect.config.flows.checkpointing


with Flow("debugging") as flow:
    inner()
