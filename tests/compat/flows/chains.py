from prefect import Flow, task


@task
def a(): return "a"


@task
def b(): return "b"


@task(name="third one")
def c(): return "c"


with Flow("chains") as flow:
    flow.chain(a, b, c)
    d = b(upstream_tasks=[c, a])
    d.set_downstream(a(task_args=dict(name="last")))
