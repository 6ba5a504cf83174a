"""
The run's main: the only process in which user code is executed.
"""

import atexit
import contextlib
import faulthandler
import gc
import hashlib
import os
import resource
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from types import CodeType, FrameType
from typing import Final, NamedTuple, NoReturn

from orchd import clock, compat
from orchd.errors import FlowError, OrchdError
from orchd.flow.attempts import Keeping, file_hash
from orchd.flow.execute import execute
from orchd.flow.flow import Flow
from orchd.flow.loader import compile_source, flows_of, read_source, user_traceback
from orchd.model.instants import from_us
from orchd.model.records import RunSpec
from orchd.model.states import FlowRunState
from orchd.processes import fence, linux
from orchd.processes.crash import crash_at
from orchd.processes.envfile import read_env_file
from orchd.processes.folder import RunFolder
from orchd.processes.gate import Gate
from orchd.processes.journal import JournalRecorder
from orchd.processes.nudge import Nudge, ThrottledNudge
from orchd.processes.streams import hide_secrets

#: Source: ``reliability.md`` T15: runs are killed for want of memory before the daemon and its monitors.
_OOM_SCORE_ADJ: Final = "500"
_LOGGER: Final = "orchd.run"
_ERROR: Final = 40
_WARNING: Final = 30

EXIT_SUCCESS: Final = 0
EXIT_FAILED: Final = 1
EXIT_BUG: Final = 70
EXIT_NOT_BEGUN: Final = 75
EXIT_TERMINATED: Final = 128 + signal.SIGTERM


class _Source(NamedTuple):
    """
    The flow file as it is now.
    """

    data: bytes
    #: It is not the file that was described.
    is_changed: bool
    #: None when it does not compile.
    code: CodeType | None


def main(
    folder: RunFolder, spec: RunSpec, *, lock: int, monitor_pid: int, slot: linux.EnvironmentSlot, gate: Gate
) -> NoReturn:
    """
    Be the run, from its first instruction after the fork to its exit.

    Args:
        folder: of the run; descriptors 1 and 2 are its ``stdout`` and ``stderr`` already.

        spec: what to run.

        lock: the lock file as the monitor opened it.

        monitor_pid: of the process that must be this one's parent.

        slot: where the run's id goes for ``/proc``.

        gate: stands before user code.
    """
    code = EXIT_BUG
    try:
        if not _pass_the_fence(spec, lock=lock, monitor_pid=monitor_pid, slot=slot):
            os._exit(EXIT_NOT_BEGUN)
        crash_at("run.locked")
        _confine()
        linux.set_command_line(f"orchd: run {spec.flow} {spec.run_name}")
        journal = os.open(folder.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        recorder = JournalRecorder(journal)
        if spec.nudge is not None:
            nudge = ThrottledNudge(Nudge(spec.nudge, spec.run_id), monitor_pid=monitor_pid)
            recorder = JournalRecorder(journal, nudge=nudge)
        source = _get_ready(folder, spec)
        if not gate.pass_through():
            os._exit(EXIT_NOT_BEGUN)
        code = _run_and_leave(folder, spec, recorder, source)
    except KeyboardInterrupt:
        code = EXIT_TERMINATED
    except BaseException:
        traceback.print_exc()
    finally:
        _flush()
        # No interpreter shutdown: a library that crashes in it must not turn a finished flow into a crashed one.
        os._exit(code)


def _pass_the_fence(spec: RunSpec, *, lock: int, monitor_pid: int, slot: linux.EnvironmentSlot) -> bool:
    linux.die_with_parent(signal.SIGKILL)
    if os.getppid() != monitor_pid:
        return False
    slot.overwrite(spec.run_id)
    # The run of a monitor that was killed before it wrote `started` may hold it until the kernel has killed it too.
    return fence.take(lock, fence.RUN_BYTE, wait=True)


def _confine() -> None:
    linux.set_process_name("orchd-run")
    os.setpgid(0, 0)
    for number in (signal.SIGCHLD, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, _on_terminate)
    os.register_at_fork(after_in_child=_die_of_terminate)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write(_OOM_SCORE_ADJ)
    hide_secrets()
    faulthandler.enable()
    gc.enable()


def _on_terminate(number: int, frame: FrameType | None) -> NoReturn:
    # As Ctrl-C in a terminal: `finally` and context managers of user code get the grace to clean up.
    raise KeyboardInterrupt


def _die_of_terminate() -> None:
    # User code's own forks (multiprocessing ends its workers by SIGTERM) are no runs.
    if signal.getsignal(signal.SIGTERM) is _on_terminate:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _get_ready(folder: RunFolder, spec: RunSpec) -> _Source | OrchdError:
    file = Path(spec.file)
    try:
        _set_environment(folder, spec)
        data = read_source(file)
        _enter_flow_folder(file)
    except OrchdError as error:
        return error
    is_changed = hashlib.sha256(data).hexdigest() != spec.source_hash
    # What the compiler has against it is found once more behind the gate, and told there.
    with contextlib.suppress(Exception):
        return _Source(data, is_changed, compile_source(file, data))
    return _Source(data, is_changed, None)


def _run_and_leave(folder: RunFolder, spec: RunSpec, recorder: JournalRecorder, source: _Source | OrchdError) -> int:
    code = EXIT_BUG
    try:
        _run_flow(folder, spec, recorder, source)
    except KeyboardInterrupt:
        code = EXIT_TERMINATED
    except SystemExit as leaving:
        code = _exit_code(leaving)
    _exit_handlers()
    _flush()
    crash_at("run.unwritten")
    verdict = recorder.close()
    crash_at("run.written")
    if verdict is None:
        return code
    return EXIT_SUCCESS if verdict.state == FlowRunState.SUCCESS else EXIT_FAILED


def _run_flow(folder: RunFolder, spec: RunSpec, recorder: JournalRecorder, source: _Source | OrchdError) -> None:
    try:
        flow = _load(spec, recorder, source)
        resume = None if spec.resumed_from is None else folder.read_resume()
    except OrchdError as error:
        _fail(recorder, error)
        return
    # An earlier daemon wrote the fire time only.
    wanted_at_us = spec.fire_time_us if spec.wanted_at_us is None else spec.wanted_at_us
    context: dict[str, object] = {
        "flow_run_id": spec.run_id,
        "flow_run_name": spec.run_name,
        "scheduled_start_time": clock.now() if wanted_at_us is None else from_us(wanted_at_us),
        "upstream_runs": spec.upstream_runs,
        "run_key": spec.run_key,
        "schedule": spec.schedule,
        "attempt": spec.attempt,
        "_daemon": None if spec.socket is None else (spec.socket, spec.run_id),
    }
    keeping = Keeping(folder=folder.results, source_hash=file_hash(spec.file), resume=resume)
    execute(
        flow,
        spec_parameters=spec.parameters,
        recorder=recorder,
        context=context,
        keeping=keeping,
        caches=spec.caches,
    )


def _load(spec: RunSpec, recorder: JournalRecorder, source: _Source | OrchdError) -> Flow:
    if isinstance(source, OrchdError):
        raise source
    file = Path(spec.file)
    if source.is_changed:
        text = f"{file} has changed since it was described: this run uses the file as it is now; reload"
        recorder.log(level=_WARNING, logger=_LOGGER, text=text, slug=None, map_index=-1)
    if spec.prefect_imports and (word := compat.offer(file)) is not None:
        recorder.log(level=_WARNING, logger=_LOGGER, text=word, slug=None, map_index=-1)
    flows = flows_of(file, source.data, source.code)
    flow = flows.get(spec.flow)
    if flow is None:
        names = ", ".join(repr(name) for name in flows)
        raise FlowError(f"{file} has no flow {spec.flow!r}, it has {names}: correct the name, or reload")
    return flow


def _set_environment(folder: RunFolder, spec: RunSpec) -> None:
    if spec.env_file is not None:
        os.environ.update(read_env_file(Path(spec.env_file)))
    if spec.socket is not None:
        os.environ["ORCHD_SOCKET"] = spec.socket
    os.environ.update(ORCHD_RUN_ID=spec.run_id, ORCHD_RUN_KEY=spec.run_key, ORCHD_RUN_DIR=str(folder.path))
    time.tzset()


def _enter_flow_folder(file: Path) -> None:
    try:
        os.chdir(file.parent)
    except OSError as error:
        raise FlowError(f"the folder of {file} cannot be entered: {error.strerror}") from None
    sys.argv = [str(file)]


def _fail(recorder: JournalRecorder, error: OrchdError) -> None:
    cause, trace = error.__cause__, user_traceback(error) if isinstance(error, FlowError) else None
    if cause is not None and trace is not None:
        traceback.print_exception(type(cause), cause, trace)
    recorder.log(level=_ERROR, logger=_LOGGER, text=str(error), slug=None, map_index=-1)
    recorder.flow(state=FlowRunState.FAILED, message=str(error))


def _exit_code(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    sys.stderr.write(f"{leaving.code}\n")
    return EXIT_FAILED


def _exit_handlers() -> None:
    # What the interpreter does for `python flow.py`: pools of threads are told to end, threads are waited for, exit
    # handlers run. Only by this private name is the first done: a pool that nobody shut down would wait for ever.
    with contextlib.suppress(KeyboardInterrupt):
        vars(threading)["_shutdown"]()
        atexit._run_exitfuncs()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
