import prefect, os
from prefect import context, Flow, task


@task(name="dates", task_run_name="{today}")
def dates():
    assert prefect.context.today == context["today"]
    return sorted(
        key
        for key in ("date", "flow_name", "task_name", "map_index", "parameters", "scheduled_start_time")
        if key in prefect.context
    )


@task
def names():
    with prefect.context(word="inside"):
        word = prefect.context.word
    return (prefect.context.flow_name, prefect.context.get("task_slug"), word, prefect.context.get("nope", 3))


with Flow("context uses") as flow:
    dates(); names()

if __name__ == "__main__":
    prefect.serialization.flow.FlowSchema().dump(flow)
