# No `with` block at all.
import prefect
from prefect import Flow, Task, Parameter


class Add(prefect.Task):
    def __init__(self, start=0, **kwargs):
        self.start = start
        super().__init__(**kwargs)

    def run(self, x, y=1):
        return self.start + x + y


class Say(Task):
    def run(self):
        return "said"


x = Parameter("x", default=2)
add = Add(start=10, name="adding")
say = Say()
again = Add(name="again")

flow = Flow("imperative")
flow.add_task(say)
flow.set_dependencies(add, upstream_tasks=[say], keyword_tasks={"x": x})
flow.add_edge(add, again, key="x")
again.set_upstream(x, key="y", flow=flow)
