"""
Where log lines of flows go: classic lines on the terminal, or a recorder.
"""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol, TextIO

from orchd.engine.context import context
from orchd.engine.log_records import stamp_records
from orchd.engine.prints import PrintCapture
from orchd.engine.settings import log_level, setting, setting_list
from orchd.results.secrets import hidden

#: All loggers of flows are this one or below it.
ROOT: Final = logging.getLogger("orchd")
RUN_FORMAT: Final = "└── %(asctime)s | %(levelname)-7s | %(message)s"
RUN_TIME: Final = "%H:%M:%S"


def get_logger(name: str | None = None) -> logging.Logger:
    """
    Return the logger ``orchd``, or the one of that name below it.
    """
    return ROOT if name is None else logging.getLogger(f"orchd.{name}")


class TerminalHandler(logging.StreamHandler[TextIO]):
    """
    Writes to whatever standard output is at the moment, past a task's capture of its own prints.
    """

    def format(self, record: logging.LogRecord) -> str:
        """
        Return the line without secrets; what the terminal's encoding cannot say is written with backslashes.
        """
        encoding = self.stream.encoding or "utf-8"
        return hidden(super().format(record)).encode(encoding, "backslashreplace").decode(encoding)

    @property
    def stream(self) -> TextIO:
        """
        Where lines go now.
        """
        return sys.stdout.behind if isinstance(sys.stdout, PrintCapture) else sys.stdout

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """
        Keep nothing: it is always asked anew.
        """


class Lines(Protocol):
    """
    What takes log lines: a recorder does.
    """

    def log(self, *, level: int, logger: str, text: str, slug: str | None, map_index: int) -> None:
        """
        Take a line, with the words of :meth:`~orchd.engine.recorder.Recorder.log`.
        """


class RecorderHandler(logging.Handler):
    """
    Hands each line to a recorder, with the task that said it.
    """

    def __init__(self, recorder: Lines) -> None:
        super().__init__()
        self._recorder = recorder
        self._traceback = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        """
        Hand *record* on; its traceback, if it has one, follows its text. Words that do not fit together are reported on
        standard error, as every handler does: they are no failure of the task.
        """
        try:
            text = self._text(record)
        except Exception:
            self.handleError(record)
            return

        self.take(level=record.levelno, logger=record.name, text=text)

    def take(self, *, level: int, logger: str, text: str) -> None:
        """
        Hand a line on, with the task that the context names.
        """
        index = context.get("map_index")
        self._recorder.log(
            level=level,
            logger=logger,
            text=text,
            slug=context.get("task_slug"),
            map_index=index if isinstance(index, int) else -1,
        )

    def _text(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info is not None and record.exc_info[0] is not None:
            text += "\n" + self._traceback.formatException(record.exc_info)

        if record.stack_info:
            text += "\n" + record.stack_info

        return text


def say(logger: logging.Logger, text: str) -> None:
    """
    Log *text* at INFO, as ``logger.info`` does. *logger* is directly below ``orchd``.

    Where only a recorder listens it is told at once: a record of the logging module costs more than all else that the
    engine does for a task, and nobody would see it.
    """
    if (
        len(ROOT.handlers) == 1
        and isinstance(only := ROOT.handlers[0], RecorderHandler)
        and not (logger.handlers or logger.filters or ROOT.propagate or only.filters or only.level)
        and logger.propagate
        and logger.isEnabledFor(logging.INFO)
    ):
        only.take(level=logging.INFO, logger=logger.name, text=text)
    else:
        logger.info("%s", text)


def terminal_handler(*, line: str, time_format: str, is_utc: bool) -> logging.Handler:
    """
    Return a handler that writes lines of the format *line* to the terminal.
    """
    handler = TerminalHandler()
    handler.setFormatter(_formatter(line, time_format, is_utc=is_utc))
    return handler


def _formatter(line: str, time_format: str, *, is_utc: bool) -> logging.Formatter:
    formatter = logging.Formatter(line, time_format)
    if is_utc:
        formatter.converter = time.gmtime

    return formatter


#: Its lines are as the settings say when a run begins.
_CLASSIC: Final = TerminalHandler()


def show_on_terminal() -> None:
    """
    Let flow runs print their classic lines, unless somebody has given the logger ``orchd`` handlers of their own.
    """
    stamp_records()
    if not ROOT.handlers:
        ROOT.addHandler(_CLASSIC)

    if _CLASSIC in ROOT.handlers:
        _CLASSIC.setFormatter(_formatter(setting("logging.format"), setting("logging.datefmt"), is_utc=True))
        for logger in _extra_loggers():
            logger.addHandler(_CLASSIC)

    if ROOT.level == logging.NOTSET:
        ROOT.setLevel(log_level())


def _extra_loggers() -> list[logging.Logger]:
    """
    Return the loggers of other libraries that the settings let go where flows' lines go, at the same level.
    """
    found = [logging.getLogger(name) for name in setting_list("logging.extra_loggers")]
    for logger in found:
        if logger.level == logging.NOTSET:
            logger.setLevel(log_level())

    return found


@contextmanager
def only_to(handler: logging.Handler) -> Iterator[None]:
    """
    Let *handler* take the place of the terminal's for the block. Handlers that a flow file has added stay.
    """
    stamp_records()
    had_classic = _CLASSIC in ROOT.handlers
    level, propagate = ROOT.level, ROOT.propagate
    ROOT.removeHandler(_CLASSIC)
    extra = _extra_loggers()
    for logger in (ROOT, *extra):
        logger.addHandler(handler)

    ROOT.propagate = False
    if level == logging.NOTSET:
        ROOT.setLevel(log_level())

    try:
        yield
    finally:
        for logger in (ROOT, *extra):
            logger.removeHandler(handler)

        ROOT.setLevel(level)
        ROOT.propagate = propagate
        if had_classic:
            ROOT.addHandler(_CLASSIC)
