import prefect
from prefect.core.flow import Flow
from prefect.core.task import Task
from prefect.core.parameter import Parameter


class TeamFlow(Flow):
    def __init__(self, name, team, **kwargs):
        super().__init__(name, **kwargs)
        self.team = team


class Greets(Task):
    def __init__(self, greeting="hi", **kwargs):
        self.greeting = greeting
        super().__init__(**kwargs)

    @prefect.utilities.tasks.defaults_from_attrs("greeting")
    def run(self, name, greeting=None):
        self.logger.info("greets")
        return f"{greeting} {name}"


with TeamFlow("team flow", team="data") as flow:
    greeted = Greets(name="greets")(Parameter("name", default="you"))
    loud = Greets("HEY")("all", greeting="HO")
