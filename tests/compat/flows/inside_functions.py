"""Imports in functions, in try blocks and under TYPE_CHECKING."""
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefect.engine.state import State

try:
    import prefect
except ImportError:
    prefect = None


def build():
    from prefect import Flow as F, task as t
    import prefect as p

    @t
    def name():
        import prefect

        return prefect.context.get("flow_name")

    @p.task
    def text(prefect):
        return prefect + " prefect.context"

    with F("inside functions") as made:
        text(name())
    return made


flow = build() if prefect is not None else None
