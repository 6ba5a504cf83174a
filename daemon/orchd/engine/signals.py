"""
What task code raises to choose its own state. Signals are no ``Exception``, so that ``except Exception`` in task code
does not swallow them.
"""

from typing import Any, ClassVar

from orchd.engine.state import Failed, State, TriggerFailed


class StateSignal(BaseException):
    """
    Ends the task run in ``.state``, whose result is this signal unless one is given.
    """

    state_class: ClassVar[type[State]] = State

    def __init__(self, message: str | None = None, **state_arguments: Any) -> None:
        super().__init__(*(() if message is None else (message,)))
        state_arguments.setdefault("result", self)
        self.state = self.state_class(message=message, **state_arguments)


class FAIL(StateSignal):
    """
    The task run has failed.
    """

    state_class = Failed


class TRIGGERFAIL(FAIL):
    """
    A trigger refuses the task run.
    """

    state_class = TriggerFailed
