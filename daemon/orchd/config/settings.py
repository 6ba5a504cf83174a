"""
The config as the daemon uses it: every default filled in, every path absolute, every schedule checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from orchd.config.listening import DEFAULT_LISTEN, Listen
from orchd.model.specs import ScheduleSpec

DEFAULT_MAX_RUNS: Final = 8
DEFAULT_GRACE: Final = timedelta(seconds=30)
#: Bytes of output of one run that are stored. Enough for a million lines of 256 bytes.
DEFAULT_MAX_OUTPUT: Final = 256 * 1024 * 1024
DEFAULT_KEEP_RUNS: Final = timedelta(days=30)
DEFAULT_KEEP_FILES: Final = timedelta(days=1)
#: An import of pandas on a cold disk takes seconds; an endless loop takes for ever.
DEFAULT_DESCRIBE_TIMEOUT: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonSettings:
    """
    ``[daemon]``.
    """

    socket: Path
    #: ``sqlite`` (a file in *state_dir*) or a database URL.
    store: str
    state_dir: Path
    #: IANA name: the zone of each schedule that names none.
    timezone: str
    #: Where the page is; None for none.
    listen: Listen | None = DEFAULT_LISTEN
    #: Further names by which browsers know the page, with the port unless that is 80 or 443.
    hosts: tuple[str, ...] = ()
    #: A proxy in front of the page does TLS.
    behind_proxy: bool = False
    #: Places: runs at once on this host.
    max_runs: int = DEFAULT_MAX_RUNS
    #: What runs get to end by themselves when the daemon is stopped by Ctrl-C or ``stop --cancel``.
    stop_grace: timedelta = DEFAULT_GRACE
    #: Bytes of one run's output that are stored; what is beyond is left out, and a line says so.
    max_output: int = DEFAULT_MAX_OUTPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """
    ``[retention]``: how long things are kept.
    """

    #: Runs that succeeded, with their slots, logs and events; failed ones are kept twice as long.
    runs: timedelta = DEFAULT_KEEP_RUNS
    #: A run's folder, once it is final and ingested.
    files: timedelta = DEFAULT_KEEP_FILES


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFiles:
    """
    ``[flows]``: where flow files are, and what they are loaded with.
    """

    #: Files and folders, absolute.
    paths: tuple[Path, ...] = ()
    #: File of ``NAME=value`` lines for the environment of runs.
    env_file: Path | None = None
    #: Time limit for importing one flow file to describe it.
    describe_timeout: timedelta = DEFAULT_DESCRIBE_TIMEOUT
    #: The module names of the classic tool mean ours.
    prefect_imports: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSettings:
    """
    ``[flow.NAME]``: settings of one flow, however it is started.
    """

    #: Running time before the run is ended as TimedOut; None for no limit.
    timeout: timedelta | None = None
    #: What follows a crash: ``fail``, or ``resume`` for the next attempt.
    on_crash: str = "fail"
    #: Time between SIGTERM and SIGKILL.
    grace: timedelta = DEFAULT_GRACE
    #: Runs of it at once, whoever started them; None for no limit of its own.
    max_runs: int | None = None
    #: The ``[pools]`` entry whose places its runs share, unless their schedule names another.
    pool: str | None = None
    #: Higher ones get a place first, unless their schedule says otherwise.
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """
    Everything that the config files say. Two configs that are equal mean the same.
    """

    daemon: DaemonSettings
    retention: Retention = field(default_factory=Retention)
    flows: FlowFiles = field(default_factory=FlowFiles)
    #: Pool name -> its places.
    pools: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    #: Flow name -> its settings, for those that have any.
    flow: Mapping[str, FlowSettings] = field(default_factory=lambda: MappingProxyType({}))
    #: In the order written.
    schedules: tuple[ScheduleSpec, ...] = ()
    #: What was given to ``load``, absolute, so that a reload reads the same; None for the defaults alone.
    path: Path | None = None
    #: The files that were read, in the order read.
    files: tuple[Path, ...] = ()
    #: ``(kind, name) -> "file, line N"`` of ``("schedules", name)`` and ``("flow", name)``, for later complaints.
    origins: Mapping[tuple[str, str], str] = field(default_factory=lambda: MappingProxyType({}), compare=False)

    def flow_settings(self, name: str) -> FlowSettings:
        """
        Return the settings of the flow called *name*: its own, or the defaults.
        """
        return self.flow.get(name, FlowSettings())
