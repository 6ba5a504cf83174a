"""
A task that fails now and then, and is tried again; and one that runs only when it went well.
"""

import random
from datetime import timedelta

import orchd
from orchd import Flow, Parameter, task


@task(max_retries=3, retry_delay=timedelta(seconds=1))
def fetch(failure_rate: float) -> str:
    """
    Stand in for a service that is away now and then.
    """
    attempt = orchd.context.task_run_count
    if random.random() < failure_rate:
        raise ConnectionError(f"no answer at attempt {attempt}")

    return f"answer at attempt {attempt}"


@task(log_stdout=True, timeout=10)
def show(answer: str) -> None:
    """
    Print the answer.
    """
    print(answer)


with Flow("retries") as flow:
    show(fetch(Parameter("failure_rate", default=0.5)))

if __name__ == "__main__":
    flow.run()
