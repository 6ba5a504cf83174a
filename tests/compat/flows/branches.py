from prefect import Flow, Parameter, case, task
from prefect.tasks.control_flow import merge, switch, ifelse
from prefect.tasks.control_flow.filter import FilterTask


@task
def check(x):
    return x > 5


@task
def say(word):
    return word


@task
def boom(x):
    if x == 1:
        raise ValueError(x)
    return x


only_good = FilterTask(filter_func=lambda x: not isinstance(x, BaseException))

with Flow("branches") as flow:
    is_big = check(Parameter("x", default=7))
    with case(is_big, True):
        big = say("big")
    with case(is_big, False):
        small = say("small")
    word = merge(big, small)
    other = say(word)
    switch(say("b"), dict(a=say("A"), b=say("B")))
    ifelse(is_big, say("yes"), say("no"))
    good = only_good(boom.map([0, 1, 2]))

flow.set_reference_tasks([other, good])
