"""
The daemon's own log: readable on a terminal, one JSON line an event under journald or in a pipe.
"""

import os
import sys
from typing import TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer


def configure(stream: TextIO = sys.stderr) -> None:
    """
    Set up structlog for this process, once, at its start.

    Events go to *stream*: with colours when it is a terminal, as JSON when it is not.
    Tracebacks come without the values of variables: parameters of runs may be secrets.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=not stream.isatty()),
    ]
    if stream.isatty():
        shared.append(
            structlog.dev.ConsoleRenderer(
                colors="NO_COLOR" not in os.environ, exception_formatter=structlog.dev.plain_traceback
            )
        )
    else:
        traces = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        shared += [traces, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.PrintLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )


def get(room: str) -> structlog.typing.FilteringBoundLogger:
    """
    Return a logger whose events say which *room* of the daemon they come from.
    """
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(room=room)
    return logger
