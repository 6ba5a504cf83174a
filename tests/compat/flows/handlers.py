from prefect import Flow, task
from prefect.engine import state
from prefect.engine.state import State, Failed, Success
from prefect.utilities.notifications import callback_factory

SEEN = []


def note(obj, old_state: State, new_state: State) -> State:
    SEEN.append((obj.name, type(old_state).__name__, type(new_state).__name__))
    if isinstance(new_state, state.Failed) and obj.name == "forgiven":
        return Success("forgiven", result=-1)
    return new_state


tell = callback_factory(lambda obj, st: SEEN.append("told " + obj.name), check=lambda st: st.is_failed())


@task(state_handlers=[note])
def forgiven():
    raise ValueError("no matter")


@task(state_handlers=[tell], on_failure=lambda task, state: SEEN.append("failed"))
def broken():
    1 / 0


@task(trigger=lambda upstream: True)
def seen(x, y):
    return list(map(str, SEEN))


with Flow("handlers", state_handlers=[note]) as flow:
    result = seen(forgiven(), broken())

flow.set_reference_tasks([result])
