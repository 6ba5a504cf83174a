"""
Executes a flow file and collects the flows in it.
"""

import sys
import types
from pathlib import Path
from typing import Final

import cloudpickle

from orchd.engine.context import context
from orchd.engine.faults import own_traceback, said
from orchd.errors import FlowError, NotFound
from orchd.flow.flow import Flow

#: ``__name__`` of a flow file while it is executed, so that ``if __name__ == "__main__":`` does not hold.
MODULE_NAME: Final = "<flow>"
#: What to do about a module that is not there.
INSTALL_IT: Final = "; install it for orchd, or put it beside the flow file"


class NoFlow(FlowError):
    """
    The file has been executed, and no flow is in it: perhaps it only helps others.
    """


def read_source(file: Path) -> bytes:
    """
    Return the bytes of the flow file.

    Raises:
        NotFound: there is no such file.

        FlowError: it cannot be read.
    """
    try:
        return file.read_bytes()
    except FileNotFoundError as exc:
        raise NotFound(f"File does not exist: '{file.absolute()}'") from exc
    except OSError as exc:
        raise FlowError(f"{file}: cannot be read: {exc.strerror}") from exc


def load_flows(file: Path) -> dict[str, Flow]:
    """
    Execute *file* and return its flows by name, in the order in which they were written.

    The folder of the file becomes the first on ``sys.path`` and stays there, for imports inside of tasks. While the
    file is executed, ``flow.run()`` and ``flow.register()`` only warn.

    Raises:
        NotFound: there is no such file.

        FlowError: it cannot be executed, or has no flow, or two of one name; ``__cause__`` is its own exception.
    """
    return flows_of(file, read_source(file))


def compile_source(file: Path, source: bytes) -> types.CodeType:
    """
    Compile *source*, the bytes of *file*; whatever the compiler raises goes through.
    """
    return compile(source, str(file.absolute()), "exec", dont_inherit=True)


def flows_of(file: Path, source: bytes, code: types.CodeType | None = None) -> dict[str, Flow]:
    """
    Do what :func:`load_flows` does, with the bytes that were read from *file*.

    Args:
        code: of :func:`compile_source`, if there was time for that before.
    """
    path = file.absolute()
    folder = str(path.parent)
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)

    module = types.ModuleType(MODULE_NAME)
    module.__file__ = str(path)
    # Dataclasses look their module up; pickles must not name it, as no other process could import it.
    sys.modules[MODULE_NAME] = module
    cloudpickle.register_pickle_by_value(module)
    try:
        with context(loading_flow=True):
            exec(code or compile_source(path, source), module.__dict__)
    except (Exception, SystemExit) as exc:
        raise FlowError(_sentence(path, exc)) from exc

    return _by_name(path, [value for value in vars(module).values() if isinstance(value, Flow)])


def user_traceback(error: FlowError) -> types.TracebackType | None:
    """
    Return where in the person's code *error* comes from; None when it does not come from there.
    """
    cause = error.__cause__
    if cause is None or isinstance(cause, OSError | SyntaxError):
        return None

    return own_traceback(cause.__traceback__)


def _by_name(path: Path, found: list[Flow]) -> dict[str, Flow]:
    flows: dict[str, Flow] = {}
    for flow in sorted({id(flow): flow for flow in found}.values(), key=lambda each: each.defined_at[1]):
        if (first := flows.get(flow.name)) is not None:
            raise FlowError(
                f"{path}, line {flow.defined_at[1]}: a flow named '{flow.name}' is already at line "
                f"{first.defined_at[1]}; give one of them another name"
            )

        flows[flow.name] = flow

    if not flows:
        raise NoFlow(f'{path}: no flow found; write `with Flow("name") as flow:` at the top level of the file')

    return flows


def _sentence(path: Path, exc: BaseException) -> str:
    if isinstance(exc, SyntaxError):
        place = exc.filename or path
        return f"{place}, line {exc.lineno}: syntax error: {exc.msg}" if exc.lineno else f"{place}: {exc.msg}"

    where = _place(path, exc)
    match exc:
        case ImportError():
            return f"{where}: import failed: {exc}{INSTALL_IT if isinstance(exc, ModuleNotFoundError) else ''}"
        case SystemExit():
            return (
                f"{where}: the file ended itself with SystemExit({exc.code!r}) while it was loaded; "
                'put that under `if __name__ == "__main__":`'
            )
        case ValueError() if exc.__traceback__ is None or where == str(path):
            return f"{where}: cannot be read as Python: {exc}"
        case _:
            return f"{where}: {said(exc)} was raised while the file was loaded"


def _place(path: Path, exc: BaseException) -> str:
    lines = []
    trace = exc.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            lines.append(trace.tb_lineno)

        trace = trace.tb_next

    return f"{path}, line {lines[-1]}" if lines else str(path)
