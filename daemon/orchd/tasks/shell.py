"""
Shell commands as tasks.
"""

import logging
import os
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from orchd.engine.signals import FAIL
from orchd.flow.helpers import defaults_from_attrs
from orchd.flow.task import Task

#: Variable of the environment by which everything that a command started is found.
_MARK: Final = "ORCHD_SHELL_ID"


class ShellTask(Task):
    """
    Runs a command in a shell; its result is the last line that was printed.
    """

    def __init__(
        self,
        command: str | None = None,
        env: Mapping[str, str] | None = None,
        helper_script: str | None = None,
        shell: str = "bash",
        return_all: bool = False,
        log_stderr: bool = False,
        stream_output: bool | int | str = False,
        **task_args: Any,
    ) -> None:
        """
        Args:
            command: what to run; None when it is given in the flow.

            env: further variables of its environment.

            helper_script: lines before the command.

            return_all: True for all lines as the result.

            log_stderr: True logs what a failed command printed.

            stream_output: True, or a level of logging, logs each line as it is printed.

        Raises:
            TypeError: *stream_output* is no level.
        """
        self.command = command
        self.env = env
        self.helper_script = helper_script
        self.shell = shell
        self.return_all = return_all
        self.log_stderr = log_stderr
        self.stream_output = _level(stream_output)
        super().__init__(**task_args)

    @defaults_from_attrs("command", "env", "helper_script")
    def run(
        self,
        command: str | None = None,
        env: Mapping[str, str] | None = None,
        helper_script: str | None = None,
    ) -> Any:
        """
        Run the command, and return its last line or all of them; None when it printed nothing.

        Raises:
            FAIL: its exit code is not 0; negative for a signal.
        """
        if command is None:
            raise TypeError("run() missing required argument: 'command'")

        with tempfile.NamedTemporaryFile(prefix="orchd-", mode="w") as script:
            script.write(f"{helper_script}\n{command}" if helper_script else command)
            script.flush()
            with _started([self.shell, script.name], {**os.environ, **(env or {})}) as process:
                lines = self._read(process)
                code = process.wait()

        result = lines if self.return_all else lines[-1] if lines else None
        if code == 0:
            return result

        message = f"Command failed with exit code {code}"
        self.logger.error("%s", message)
        if self.log_stderr and lines:
            self.logger.error("%s", "\n".join(lines) if self.return_all else lines[-1])

        raise FAIL(message, result=result)

    def _read(self, process: subprocess.Popen[bytes]) -> list[str]:
        lines = []
        for raw in process.stdout or ():
            line = raw.decode().rstrip()
            lines.append(line)
            if self.stream_output is not None:
                self.logger.log(self.stream_output, "%s", line)

        return lines


@contextmanager
def _started(command: list[str], env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """
    Start *command* in a session of its own, of which nothing is left when the block ends by an exception.
    """
    mark = str(uuid.uuid4())
    process = subprocess.Popen(
        command,
        env={**env, _MARK: mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

        process.wait()
        # What has left the group still has the mark, and may start another while it is killed.
        while _kill(f"{_MARK}={mark}".encode()):
            pass

        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()


def _kill(mark: bytes) -> int:
    """
    Kill every process with *mark* in its environment, and return how many there were.
    """
    killed = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
                killed += 1

    return killed


def _level(given: bool | int | str) -> int | None:
    if isinstance(given, str):
        level = logging.getLevelName(given.upper())
        if not isinstance(level, int):
            raise TypeError(f"'stream_output': {level} is not a valid log level")

        return level

    if isinstance(given, bool):
        return logging.INFO if given else None

    return given
