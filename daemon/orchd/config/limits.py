"""
What the config says of limits: pools, and what a schedule waits for.
"""

from collections.abc import Iterator

from orchd.config.complaints import is_written, place
from orchd.config.files import Merged
from orchd.config.problems import did_you_mean, toml_value
from orchd.config.tables import Document, ScheduleTable
from orchd.model.specs import WaitSpec


def pool_problems(document: Document, merged: Merged) -> Iterator[str]:
    """
    Yield one sentence for each flow or schedule that names a pool which is not in ``[pools]``.
    """
    asked = [(("flow", name, "pool"), flow.pool) for name, flow in document.flow.items()]
    asked += [(("schedules", name, "pool"), schedule.pool) for name, schedule in document.schedules.items()]
    for key, pool in asked:
        if pool is None or is_written("pools", pool, merged):
            continue
        hint = did_you_mean(pool, document.pools) if document.pools else f"write {pool} = 2 under [pools]"
        yield f"{place(key, merged)} = {toml_value(pool)}: there is no such pool; {hint}"


def wait_problems(name: str, table: ScheduleTable, merged: Merged) -> Iterator[str]:
    """
    Yield one sentence for each mistake in the ``wait_for`` of the schedule called *name*.
    """
    key = ("schedules", name, "wait_for")
    if table.wait_for and table.after:
        yield f"{place(key, merged)}: means nothing beside 'after', which waits already; remove it"
        return

    for wait in table.wait_for or ():
        if (wait.within is None) == (wait.same_slot is None):
            had = "neither within nor same_slot" if wait.within is None else "both within and same_slot"
            yield f"{place(key, merged)}: flow '{wait.flow}' has {had}; write one of within = \"26h\", same_slot = true"


def wait_specs(table: ScheduleTable) -> tuple[WaitSpec, ...]:
    """
    Return what *table* waits for, in the order written.
    """
    return tuple(
        WaitSpec(
            flow=wait.flow,
            within_s=None if wait.within is None else wait.within.total_seconds(),
            same_slot=wait.same_slot is not None,
            timeout_s=None if wait.timeout is None else wait.timeout.total_seconds(),
        )
        for wait in table.wait_for or ()
    )
