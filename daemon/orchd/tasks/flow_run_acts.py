"""
Tasks that cancel and rename runs.
"""

from collections.abc import Callable
from typing import Any

from orchd.client import quote
from orchd.engine.context import context
from orchd.engine.signals import FAIL
from orchd.errors import OrchdError
from orchd.flow.helpers import defaults_from_attrs
from orchd.flow.task import Task
from orchd.tasks.asking import Asking


class CancelFlowRun(Task):
    """
    Cancels a run, and everything that it started.
    """

    def __init__(self, flow_run_id: str | None = None, **task_args: Any) -> None:
        """
        Args:
            flow_run_id: of the run; None for this one, or when it is given in the flow.
        """
        self.flow_run_id = flow_run_id
        super().__init__(**task_args)

    @defaults_from_attrs("flow_run_id")
    def run(self, flow_run_id: str | None = None) -> bool:
        """
        Cancel the run, and return True.

        Raises:
            FAIL: there is no such run, it is over, or no daemon.
        """
        run_id = flow_run_id or context.get("flow_run_id")
        _done(lambda asking: asking.post(f"/runs/{quote(str(run_id))}/cancel", {"reason": "cancelled by a task"}))
        return True


class RenameFlowRun(Task):
    """
    Gives a run another name.
    """

    def __init__(self, flow_run_id: str | None = None, flow_run_name: str | None = None, **task_args: Any) -> None:
        """
        Args:
            flow_run_id: of the run; None for this one, or when it is given in the flow.

            flow_run_name: its new name; None when it is given in the flow.
        """
        self.flow_run_id = flow_run_id
        self.flow_run_name = flow_run_name
        super().__init__(**task_args)

    @defaults_from_attrs("flow_run_id", "flow_run_name")
    def run(self, flow_run_id: str | None = None, flow_run_name: str | None = None) -> bool:
        """
        Rename the run, and return True.

        Raises:
            ValueError: no name is given.

            FAIL: there is no such run, the name cannot be one, or no daemon.
        """
        if not flow_run_name:
            raise ValueError("Must provide a flow name.")

        run_id = flow_run_id or context.get("flow_run_id")
        _done(lambda asking: asking.post(f"/runs/{quote(str(run_id))}/rename", {"name": flow_run_name}))
        return True


def _done(act: Callable[[Asking], object]) -> None:
    try:
        act(Asking.here())
    except OrchdError as error:
        raise FAIL(str(error)) from None
