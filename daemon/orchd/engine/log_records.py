"""
What log records say of the run and the task that they come from.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

from orchd.engine.context import context
from orchd.engine.settings import setting_list

#: Keys of the context that are attributes of each record while they are there, for formats of a person's own.
_KEYS: Final = ("flow_name", "flow_run_id", "task_name", "task_slug", "task_run_id")


class _Stamped:
    """
    Makes records with attributes from the context.
    """

    def __init__(self, plain: Callable[..., logging.LogRecord]) -> None:
        self._plain = plain
        #: Further keys; None where the context has none.
        self.more: tuple[str, ...] = ()

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """
        Return the record.
        """
        record = self._plain(*args, **kwargs)
        for key in _KEYS:
            if key in context:
                setattr(record, key, context[key])

        for key in self.more:
            setattr(record, key, context.get(key))

        return record


_STAMPED: Final = _Stamped(logging.getLogRecordFactory())
# Every record, as formats of a person's own may be those of other loggers too.
logging.setLogRecordFactory(_STAMPED)


def stamp_records() -> None:
    """
    Let every record from now on have the attributes that the setting ``logging.log_attributes`` names, too.
    """
    _STAMPED.more = setting_list("logging.log_attributes")
