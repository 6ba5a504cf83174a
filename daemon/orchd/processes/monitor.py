"""
The monitor: passes the fence, forks the run, ends it when it must end, and writes how it ended.
"""

import contextlib
import errno
import os
import resource
import signal
import threading
from typing import Final

from orchd import clock
from orchd.model.records import Finished, RunSpec, Started
from orchd.model.states import FlowRunState
from orchd.processes import fence, linux, run
from orchd.processes.crash import crash_at
from orchd.processes.folder import RunFolder
from orchd.processes.gate import Gate
from orchd.processes.journal import last_word
from orchd.processes.nudge import QUIET_S, Nudge
from orchd.processes.verdict import Ending, Stop, judge

#: Blocked in the monitor from before its first instruction, and taken with ``sigtimedwait``.
SIGNALS: Final = frozenset({signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1})

#: Seconds that processes which a finished run left behind have to end by themselves.
_LEFTOVER_GRACE_S: Final = 0.5
#: Seconds between two looks at a process group that is ending.
_LOOK_S: Final = 0.02
#: Seconds between two tries to write how the run ended on a full disk.
_FULL_PAUSE_S: Final = 0.5
#: Errors that no waiting mends.
_SPOILT: Final = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EACCES, errno.EPERM, errno.ENXIO, errno.EINVAL}
)
_BOOT_ID: Final = linux.boot_id()
_SHUTDOWN: Final = Stop(
    state=FlowRunState.CANCELLED, message="cancelled by SIGTERM to its monitor: the machine or the service shuts down"
)


def main(folder: RunFolder, slot: linux.EnvironmentSlot) -> int:
    """
    Watch over one run from its start to its end, in a process of its own with :data:`SIGNALS` blocked.

    Args:
        folder: made by the daemon.

        slot: where the run writes its id for ``/proc``.

    Returns:
        The exit code: 0 when the run has ended, or was begun by somebody else or made void.
    """
    os.setsid()
    linux.become_subreaper()
    linux.set_process_name("orchd-monitor")
    lock = fence.open_lock(folder)
    crash_at("monitor.unlocked")
    fence.take(lock, fence.MONITOR_BYTE, wait=True)
    crash_at("monitor.locked")
    if folder.began() is not None:
        return 0
    spec = folder.read_spec()
    linux.set_command_line(f"orchd: monitor {spec.flow} {spec.run_name}")
    nudge = Nudge(spec.nudge, spec.run_id)
    begun = _begin(folder, spec, lock, slot)
    if isinstance(begun, Finished):
        finished = begun
    else:
        nudge.send()
        finished = _Watch(folder, spec, begun, nudge).until_the_end()
    crash_at("monitor.unfinished")
    _end(folder, finished)
    crash_at("monitor.finished")
    nudge.send()
    return 0


def _begin(folder: RunFolder, spec: RunSpec, lock: int, slot: linux.EnvironmentSlot) -> int | Finished:
    """
    Fork the run, write that it begins, and let it go on to user code; return its pid, or how it ended before that.

    The run makes itself ready while ``started`` is synced, which takes as long.
    """
    _redirect_output(folder)
    gate = Gate()
    monitor_pid = os.getpid()
    pid, refusal = 0, ""
    try:
        pid = os.fork()
    except OSError as error:
        refusal = f"the system gave no process for the run: {error.strerror}"
    if pid == 0 and not refusal:
        run.main(folder, spec, lock=lock, monitor_pid=monitor_pid, slot=slot, gate=gate)
    crash_at("monitor.forked")
    folder.begin(
        Started(
            at=clock.now_us(),
            host=os.uname().nodename,
            boot_id=_BOOT_ID,
            pid=monitor_pid,
            start_time=linux.start_time_of_this_process(),
        )
    )
    crash_at("monitor.started")
    if refusal:
        return Finished(at=clock.now_us(), state=FlowRunState.CRASHED.value, message=refusal)
    called_off = _called_off(folder)
    if called_off is None:
        gate.open()
        crash_at("monitor.opened")
    else:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    gate.close()
    return called_off or pid


def _called_off(folder: RunFolder) -> Finished | None:
    request = folder.read_cancel()
    if request is not None:
        return Finished(at=clock.now_us(), state=FlowRunState.CANCELLED.value, message=request.reason)
    if signal.SIGTERM in signal.sigpending():
        return Finished(at=clock.now_us(), state=_SHUTDOWN.state.value, message=_SHUTDOWN.message)
    return None


def _redirect_output(folder: RunFolder) -> None:
    for path, fd in ((folder.stdout, 1), (folder.stderr, 2)):
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        os.dup2(opened, fd)
        os.close(opened)


def _end(folder: RunFolder, finished: Finished) -> None:
    is_torn = False
    while True:
        try:
            folder.end(finished, on_new_line=is_torn)
        except OSError as error:
            if error.errno in _SPOILT:
                # User code removed the folder, or put something else in the file's place; there is nowhere to tell.
                return
            # A full disk: the daemon must not take a run that ended for one that crashed.
            is_torn = True
            threading.Event().wait(_FULL_PAUSE_S)
        else:
            return


class _Watch:
    """
    The time from the fork of the run until nothing of it is left.
    """

    def __init__(self, folder: RunFolder, spec: RunSpec, pid: int, nudge: Nudge) -> None:
        self._folder = folder
        self._spec = spec
        self._pid = pid
        self._nudge = nudge
        self._nudge_at: float | None = None
        self._status: int | None = None
        self._stop: Stop | None = None
        self._stopped_at = 0.0
        limit = spec.time_limit_s
        self._limit_at = None if limit is None else clock.monotonic() + limit
        self._kill_at: float | None = None
        self._oom_kills = linux.oom_kills()
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)

    def until_the_end(self) -> Finished:
        """
        Return how the run ended, once nothing of it is alive.
        """
        while not self._is_over():
            self._wait()
            self._act(clock.monotonic())
        if self._stop is None:
            self._wait_for_leftovers()
        self._kill_everything()
        status = 0 if self._status is None else self._status
        oom_kills = linux.oom_kills()
        verdict = judge(
            Ending(
                status=status,
                word=last_word(self._folder.journal),
                stop=self._stop,
                is_out_of_memory=None if oom_kills is None or self._oom_kills is None else oom_kills > self._oom_kills,
            )
        )
        return Finished(
            at=clock.now_us(),
            state=verdict.state.value,
            message=verdict.message,
            exit_code=status if status >= 0 else None,
            signal=-status if status < 0 else None,
            peak_rss_kib=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
        )

    def _is_over(self) -> bool:
        # A run that is stopped has ended when its group is gone: its children are given the grace too.
        self._reap()
        if self._stop is None:
            return self._status is not None
        is_killable = self._kill_at is not None and clock.monotonic() >= self._kill_at
        return is_killable or (self._status is not None and not _exists(self._pid))

    def _wait(self) -> None:
        times = [at for at in (self._limit_at, self._kill_at, self._nudge_at) if at is not None]
        if self._status is not None:
            times.append(clock.monotonic() + _LOOK_S)
        if times:
            received = signal.sigtimedwait(SIGNALS, max(0.0, min(times) - clock.monotonic()))
        else:
            received = signal.sigwaitinfo(SIGNALS)
        if received is None:
            return
        if received.si_signo == signal.SIGUSR1:
            self._nudge_at = clock.monotonic() + QUIET_S
        elif received.si_signo == signal.SIGTERM:
            self._cancel()

    def _act(self, now: float) -> None:
        if self._nudge_at is not None and now >= self._nudge_at:
            self._nudge_at = None
            self._nudge.send()
        if self._limit_at is not None and now >= self._limit_at:
            message = f"ran longer than its time limit of {self._spec.time_limit_s:g} s"
            self._terminate(Stop(state=FlowRunState.TIMED_OUT, message=message), self._spec.grace_s)

    def _cancel(self) -> None:
        request = self._folder.read_cancel()
        if request is None:
            self._terminate(_SHUTDOWN, self._spec.grace_s)
            return
        grace_s = self._spec.grace_s if request.grace_s is None else request.grace_s
        self._terminate(Stop(state=FlowRunState.CANCELLED, message=request.reason), grace_s)

    def _terminate(self, stop: Stop, grace_s: float) -> None:
        self._limit_at = None
        if self._stop is None:
            self._stop = stop
            self._stopped_at = clock.monotonic()
            for number in (signal.SIGTERM, signal.SIGCONT):
                if self._status is None:
                    with contextlib.suppress(OSError):
                        os.killpg(self._pid, number)
        kill_at = self._stopped_at + grace_s
        self._kill_at = kill_at if self._kill_at is None else min(self._kill_at, kill_at)

    def _reap(self) -> bool:
        # True while there are children: being the subreaper, without children there are no descendants either.
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return True
                if pid == self._pid:
                    self._status = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            return False

    def _wait_for_leftovers(self) -> None:
        until = clock.monotonic() + _LEFTOVER_GRACE_S
        while self._reap() and (left := until - clock.monotonic()) > 0:
            signal.sigtimedwait({signal.SIGCHLD}, min(left, _LOOK_S))

    def _kill_everything(self) -> None:
        # Only children are killed: their numbers cannot have gone to others, and their own children come to us.
        pause_s = 0.001
        while self._reap():
            for child in linux.children_of_this_process():
                with contextlib.suppress(OSError):
                    os.kill(child, signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, pause_s)
            pause_s = min(2 * pause_s, 1.0)


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
