from prefect import Flow, task
from prefect.engine.state import Failed, Success
from prefect.triggers import always_run, all_successful


def judge(flow, state, reference_task_states):
    if any(s.is_skipped() for s in reference_task_states):
        return Failed("skipped is not good enough", result=state.result)
    return state


@task
def skips():
    from prefect.engine.signals import SKIP

    raise SKIP()


@task(trigger=always_run, skip_on_upstream_skip=True)
def ends(x):
    return x


with Flow("terminal", terminal_state_handler=judge) as flow:
    ends(skips())
