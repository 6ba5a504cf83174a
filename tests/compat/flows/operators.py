from prefect import Flow, Parameter, task
from prefect.utilities.tasks import defaults_from_attrs, tags


@task
def row():
    return {"a": [1, 2], "b": 3}


with Flow("operators") as flow:
    with tags("heavy"):
        r = row()
    x = Parameter("x", default=4)
    y = r["a"][0] + x * 2
    z = (x > 3) & (r["b"] == 3)
    w = 10 - x
