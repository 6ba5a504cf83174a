import prefect as pf
import prefect.engine.signals as sig
import prefect.schedules.clocks
import prefect.utilities.logging
from prefect import triggers, tasks
from prefect.engine import cache_validators, results, signals as s2, state
from prefect.utilities import logging as pl

log = prefect.utilities.logging.get_logger("mine")
clock = prefect.schedules.clocks.CronClock("0 0 * * *")


@pf.task(trigger=triggers.all_finished, cache_validator=cache_validators.never_use)
def one():
    pl.get_logger().info("one")
    return results.LocalResult.__name__


@pf.task
def two(x):
    try:
        raise s2.SKIP("s")
    except sig.PrefectStateSignal as caught:
        return isinstance(caught.state, state.Skipped), x


with pf.Flow("aliases") as flow:
    two(one())
