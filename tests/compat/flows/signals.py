from prefect import task, Flow
import prefect
from prefect.engine import signals
from prefect.engine.signals import SKIP, FAIL
from prefect.triggers import all_finished, any_failed


@task
def skips():
    raise SKIP("nothing today")


@task
def fails():
    raise signals.FAIL(message="bad day", result=3)


@task
def catches():
    try:
        raise FAIL
    except prefect.engine.signals.FAIL as signal:
        return type(signal.state).__name__


@task(trigger=any_failed, skip_on_upstream_skip=False)
def cleanup(x):
    return "cleaned"


@task
def follows(x):
    return x


with Flow("signals") as flow:
    skipped = skips()
    followed = follows(skipped)
    failed = fails()
    cleaned = cleanup(failed)
    caught = catches()
    last = follows.copy(name="last", trigger=all_finished)(failed)

flow.set_reference_tasks([cleaned, caught])
