import datetime
from datetime import timedelta

import prefect
from prefect import task, Flow


@task(max_retries=3, retry_delay=timedelta(seconds=0))
def flaky():
    logger = prefect.context.get("logger")
    logger.info("try %s", prefect.context.task_run_count)
    if prefect.context.get("task_run_count") < 3:
        raise ValueError("not yet")
    return prefect.context.task_run_count


@task
def after(n):
    return n + 1


with Flow("retries") as flow:
    after(flaky())
