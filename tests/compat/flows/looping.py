import prefect
from prefect import Flow, task
from prefect.engine.signals import LOOP


@task
def factorial(n):
    value = prefect.context.get("task_loop_result", 1)
    count = prefect.context.get("task_loop_count", 1)
    if count > n:
        return value
    raise LOOP(message=f"at {count}", result=value * count)


with Flow("loop") as flow:
    factorial(5)
