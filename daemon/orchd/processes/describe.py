"""
Describing a flow file from a process that must not import it and has no spawner: ``orchd check``.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import msgspec

from orchd.model.specs import Description
from orchd.processes import reaper
from orchd.processes.launch import clean_environment
from orchd.processes.verdict import describing_error


def describe_in_child(
    file: Path,
    *,
    time_limit_s: float,
    cwd: Path | None = None,
    env_file: Path | None = None,
    prefect_imports: bool = False,
) -> Description:
    """
    Describe *file* in a fresh child, with the environment that runs get.

    Args:
        file: a flow file.

        time_limit_s: after it the child and all that it started are killed.

        cwd: folder to work in; None for the flow file's, as in a run.

        env_file: environment of runs, which module-level code may need.

        prefect_imports: the module names of the classic tool mean ours.

    Returns:
        The description; its ``error`` says so when the child was killed or crashed.
    """
    file = file.absolute()
    mark = str(uuid.uuid4())
    with tempfile.TemporaryDirectory(prefix="orchd-describe-") as folder:
        out = Path(folder, "description.json")
        names = [str(file), str(out), *(str(path.absolute()) if path else "" for path in (env_file, cwd))]
        names.append("yes" if prefect_imports else "")
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "orchd.processes.describe_child", *names],
            env=clean_environment(os.environ) | {"ORCHD_RUN_ID": mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            status: int | None = child.wait(time_limit_s)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            reaper.kill_strays(mark)
        error = describing_error(file, status, time_limit_s)
        if error is None:
            return msgspec.json.decode(out.read_bytes(), type=Description)
    return Description(file=str(file), error=error)
