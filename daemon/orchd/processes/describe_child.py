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
from orchd.flow.loader import INSTALL_IT
from orchd.model.names import name_problem
from orchd.model.specs import Description
from orchd.processes.envfile import read_env_file
from orchd.processes.folder import write_whole


def describe_to(
    file: Path, out: Path, *, env_file: Path | None, cwd: Path | None = None, prefect_imports: bool = False
) -> None:
    """
    Import *file* in this process, which is thrown away afterwards, and write its description to *out*.

    Args:
        file: absolute path of a flow file.

        out: JSON of a :class:`~orchd.model.specs.Description`, replaced whole.

        env_file: environment of runs, which module-level code may need.

        cwd: folder to work in; None for the flow file's, as in a run.

        prefect_imports: the module names of the classic tool mean ours.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.argv = [str(file)]
    try:
        if env_file is not None:
            os.environ.update(read_env_file(env_file))
            time.tzset()
        os.chdir(cwd or file.parent)
        description = _described(file, prefect_imports=prefect_imports)
    except ConfigError as error:
        description = Description(file=str(file), error=str(error))
    except OSError as error:
        description = Description(file=str(file), error=f"the folder of {file} cannot be entered: {error.strerror}")
    write_whole(out, _encoded(description))


def _described(file: Path, *, prefect_imports: bool) -> Description:
    word = compat.offer(file) if prefect_imports else compat.advice(file)
    description = describe_file(file)
    if word is None:
        return description

    if description.error:
        return msgspec.structs.replace(description, error=f"{description.error.removesuffix(INSTALL_IT)}; {word}")

    return msgspec.structs.replace(description, warnings=(*description.warnings, word))


def _encoded(description: Description) -> bytes:
    problems = (_problem(flow.name) for flow in description.flows)
    error = description.error and _without_file(description.error, description.file)
    if error := error or next((problem for problem in problems if problem), None):
        description = msgspec.structs.replace(description, flows=(), error=error)
    try:
        text = msgspec.json.encode(description)
        msgspec.json.decode(text, type=Description)
    except (ValueError, TypeError, msgspec.MsgspecError) as reason:
        return msgspec.json.encode(
            Description(
                file=description.file,
                source_hash=description.source_hash,
                error=f"what is in it cannot be said in JSON ({reason}); names must be text, and numbers numbers",
            )
        )
    return text


def _problem(name: object) -> str | None:
    problem = name_problem(name)
    if problem is None:
        return None

    return f"the name of a flow {problem}" + (f" ({name[:80]!r})" if isinstance(name, str) else "")


def _without_file(error: str, file: str) -> str:
    # Whoever shows a description says of which file it is.
    for begin in (f"{file}, ", f"{file}: "):
        if error.startswith(begin):
            return error.removeprefix(begin)

    return error


def main(file: str, out: str, env_file: str, cwd: str, prefect_imports: str) -> None:
    """
    Describe in a program of its own; empty texts stand for None.
    """
    code = 1
    try:
        describe_to(
            Path(file),
            Path(out),
            env_file=Path(env_file) if env_file else None,
            cwd=Path(cwd) if cwd else None,
            prefect_imports=bool(prefect_imports),
        )
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        # Threads and exit handlers of the flow file are not waited for.
        os._exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
