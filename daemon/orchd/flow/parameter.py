"""
Parameters: the values that each run of a flow may choose.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Self

import pendulum

from orchd.engine.context import as_moment, context
from orchd.engine.signals import FAIL
from orchd.flow.task import Task

_NOT_GIVEN: Final = object()


class Parameter(Task):
    """
    A value that is given when the flow is started. Its name is its slug; used as an argument, it stands for the value.
    """

    def __init__(
        self,
        name: str,
        default: object = _NOT_GIVEN,
        required: bool | None = None,
        tags: Iterable[str] | None = None,
    ) -> None:
        """
        Args:
            default: the value when none is given; None is a default too.

            required: True when a value must be given; None for 'when there is no default'.
        """
        self.required = default is _NOT_GIVEN if required is None else required
        self.default = None if default is _NOT_GIVEN else default
        super().__init__(name=name, slug=name, tags=tags, checkpoint=False)

    def run(self) -> Any:
        """
        Return the value of this run.
        """
        given = context.get("parameters") or {}
        if self.required and self.name not in given:
            raise FAIL(f'Parameter "{self.name}" was required but not provided.')

        return given.get(self.name, self.default)

    def __call__(self, *args: object, **kwargs: Any) -> Self:
        """
        Add this very parameter to the active flow, and return it. It is not copied: a flow has one of each name.
        """
        return self.bind(*args, **kwargs)

    def copy(self, name: str | None = None, **task_args: Any) -> Self:
        """
        Return a copy, under another *name* if one is given.
        """
        chosen = name or self.name
        return super().copy(name=chosen, slug=chosen, **task_args)

    def bind(self, *args: object, **kwargs: Any) -> Self:
        """
        Add this parameter to the active flow, and return it.

        Raises:
            TypeError: it was given a value.
        """
        if args:
            raise TypeError(
                f"Parameter '{self.name}' takes no arguments in a flow; "
                f"write Parameter('{self.name}', default={args[0]!r}), or give the value to flow.run(parameters=...)"
            )

        return super().bind(**kwargs)

    def __repr__(self) -> str:
        return f"<Parameter: {self.name}>"


class DateTimeParameter(Parameter):
    """
    A parameter whose value is an instant: ISO 8601 text (UTC where it names no offset) or a datetime.
    """

    def __init__(
        self, name: str, default: object = None, required: bool = True, tags: Iterable[str] | None = None
    ) -> None:
        """
        Args:
            required: True also where there is a default, as it always was.
        """
        super().__init__(name, default=default, required=required, tags=tags)

    def run(self) -> Any:
        """
        Return the value of this run as a pendulum DateTime; None stays None.
        """
        value = super().run()
        if value is None:
            return None

        return as_moment(value if isinstance(value, datetime) else pendulum.parse(value))
