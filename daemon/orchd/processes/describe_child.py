"""
The child in which a flow file is imported to describe it.
"""

import os
import resource
import sys
import time
import traceback
from pathlib import Path

import msgspec

from orchd import compat
from orchd.errors import ConfigError
from orchd.flow.describe import describe_file
from orchd.model.specs import Description
from orchd.processes.envfile import read_env_file
from orchd.processes.folder import write_whole


def describe_to(file: Path, out: Path, *, env_file: Path | None, cwd: Path | None = None) -> None:
    """
    Import *file* in this process, which is thrown away afterwards, and write its description to *out*.

    Args:
        file: absolute path of a flow file.

        out: JSON of a :class:`~orchd.model.specs.Description`, replaced whole.

        env_file: environment of runs, which module-level code may need.

        cwd: folder to work in; None for the flow file's, as in a run.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.argv = [str(file)]
    try:
        if env_file is not None:
            os.environ.update(read_env_file(env_file))
            time.tzset()
        os.chdir(cwd or file.parent)
        compat.offer_if_wanted()
        description = describe_file(file)
    except ConfigError as error:
        description = Description(file=str(file), error=str(error))
    except OSError as error:
        description = Description(file=str(file), error=f"the folder of {file} cannot be entered: {error.strerror}")
    write_whole(out, msgspec.json.encode(description))


def main(file: str, out: str, env_file: str, cwd: str) -> None:
    """
    Describe in a program of its own; empty texts stand for None.
    """
    code = 1
    try:
        describe_to(
            Path(file), Path(out), env_file=Path(env_file) if env_file else None, cwd=Path(cwd) if cwd else None
        )
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        # Threads and exit handlers of the flow file are not waited for.
        os._exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
