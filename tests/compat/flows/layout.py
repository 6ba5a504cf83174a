# -*- coding: utf-8 -*-
# Comments and odd layout stay: naïve, “quoted”, prefect.task
from prefect import (  # the core
    Flow,        # a flow
    # and what it is made of
    task,
    Parameter,)
import os, prefect, sys
from prefect.engine.state import Failed; from prefect.engine.signals import PrefectStateSignal as Signal
from prefect.run_configs import \
    LocalRun


@ task ( name = "prefect.task" )
def s(): return "prefect.context stays " + "import prefect"


@prefect  .task
def k(x):
    if not x: raise Signal
    return [prefect.context
            .get('flow_name'), x, Failed.__name__]


with Flow('layout', run_config=LocalRun(env={'X': '1'})) as flow: k(s())
