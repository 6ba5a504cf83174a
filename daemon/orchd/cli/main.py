"""
The entry point: finds the command, and turns whatever ends it into an exit code and at most one sentence.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence

from orchd.cli import table
from orchd.cli.arguments import Parser
from orchd.errors import OrchdError

#: What a shell reports for a program that SIGINT or SIGPIPE ended.
INTERRUPTED = 130
PIPE_CLOSED = 141
#: Source: EX_IOERR of sysexits.h.
OUTPUT_LOST = 74
#: What the kernel says when a file cannot take what is written.
_CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command that *argv* (default: the process's arguments) names, and return its exit code.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    # What a run prints need not be valid text; an unpaired surrogate must not end the command that shows it.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(words)
        sys.stdout.flush()
        return code
    except OrchdError as error:
        table.part("safe").complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _leave_stdout()
        return PIPE_CLOSED
    except OSError as error:
        if error.errno not in _CANNOT_WRITE:
            raise

        _leave_stdout()
        table.part("safe").complain(f"the output cannot be written: {error.strerror}; write it elsewhere")
        return OUTPUT_LOST
    finally:
        # What is left goes with the process. Looking for cycles in it would be a tenth of a quick command's time.
        gc.freeze()


def _leave_stdout() -> None:
    # Python flushes stdout once more when it ends; that must not find the closed pipe or the full disk again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(words: list[str]) -> int:
    if not words or words[0] not in table.COMMANDS:
        return int(table.part("overview").show(words))

    name, *rest = words
    module = table.command(name)
    parser = Parser(prog=f"orchd {name}", description=table.COMMANDS[name][1].capitalize() + ".")
    module.configure(parser, name)
    return int(module.run(parser.parse_args(rest)))
