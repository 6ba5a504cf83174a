"""
Reading config and flow files again: parse, check, then swap whole; what is broken changes nothing.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from orchd import clock, log
from orchd.config import (
    Config,
    ConfigProblems,
    check_flows,
    endless_problems,
    flow_files,
    parameter_problems,
    wait_problems,
    without_helpers,
)
from orchd.config.in_code import clashes, with_code, without_code
from orchd.errors import ConfigError, FlowError, OrchdError
from orchd.model.instants import to_us
from orchd.model.registration import Registration
from orchd.model.specs import Description, FlowSpec
from orchd.scheduler.core import Scheduler
from orchd.scheduler.in_code import ask_again_at, gone_on, says_the_same, steadied, with_known, without_dates
from orchd.scheduler.registering import check_description, has_moved, only, place_of, write
from orchd.schedules import forget
from orchd.store import flows, projects, schedules
from orchd.store.database import Connection

_log = log.get("reload")

#: What of ``[daemon]`` stands from the daemon's start to its end.
_FIXED: Final = ("socket", "store", "state_dir", "stop_grace", "listen", "hosts", "behind_proxy")


class Describe(Protocol):
    """
    Describes flow files, each in a process of its own.
    """

    def __call__(
        self, files: Sequence[Path], *, time_limit_s: float, env_file: Path | None, prefect_imports: bool
    ) -> Sequence[Description]:
        """
        Give one description for each file, in their order.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """
    What the last loading of the flow files gave.
    """

    flows: tuple[FlowSpec, ...] = ()
    #: File -> why it does not load, in one sentence.
    errors: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


class Reloader:
    """
    Loads the config and the flow files, at the start and whenever somebody asks.

    Args:
        read: reads the config anew; raises ConfigError.

        describe: describes flow files, each in a process of its own.
    """

    def __init__(self, scheduler: Scheduler, config: Config, *, read: Callable[[], Config], describe: Describe) -> None:
        self._scheduler = scheduler
        self._read = read
        self._describe = describe
        self._one_at_a_time = threading.Lock()
        #: Set once the flow files were tried for the first time.
        self.has_loaded = threading.Event()
        self.config = config
        self.loaded = Loaded()
        self._descriptions: tuple[Description, ...] = ()
        #: File -> when it was described last.
        self._asked_at: dict[str, datetime] = {}
        self.error: str | None = None

    def reload(self) -> dict[str, object]:
        """
        Read everything again. Not for the writer's thread: it waits for the writer.

        Returns:
            ``{"ok", "error", "changes", "broken"}`` as the API gives it.
        """
        with self._one_at_a_time:
            try:
                changes = self._load(self._read())
            except ConfigError as error:
                self.error = str(error)
                _log.error("reload_refused", why=self.error)
                return {"ok": False, "error": self.error, "changes": [], "broken": []}
            self.error = None
            broken = [{"file": file, "error": why} for file, why in self.loaded.errors]
            return {"ok": True, "error": None, "changes": changes, "broken": broken}

    def first_load(self) -> None:
        """
        Load the flow files for the config that the daemon was started with.

        Raises:
            ConfigError: a schedule names a flow that is in no file, though every file has loaded.
        """
        try:
            with self._one_at_a_time:
                self._load(self.config)
        finally:
            self.has_loaded.set()

    def sync_schedules(self) -> None:
        """
        Use the schedules of the config with the flows that the store knows, and those that their files had when they
        were loaded last. Called by the writer, at the start.
        """
        before = [entry.row.spec for entry in self._scheduler.board.entries.values()]
        in_code = [spec for spec in before if spec.in_code]
        self.config = replace(self.config, schedules=with_code(self.config, in_code))
        self._scheduler.decide_up_to_now(self.config.schedules)
        with self._scheduler.database.writing() as conn:
            schedules.sync(conn, self.config.schedules, at_us=to_us(clock.now()))
        self._scheduler.take_over_schedules()

    def register(self, wish: Registration) -> None:
        """
        Take up the file of a flow that somebody registered. Not for the writer's thread: it waits for the writer.

        Raises:
            OrchdError: it cannot be taken up; nothing has changed.
        """
        with self._one_at_a_time:
            with self._scheduler.database.reading() as conn:
                projects.require(conn, wish.project)
            file, is_listed = place_of(wish, self.config.flows.paths)
            [described] = self._describe_all(self.config, [file])
            check_description(described, wish.flow)
            if not is_listed:
                described = only(described, self._registered(self.config).get(file, frozenset()) | {wish.flow})
            others = [item for item in self._descriptions if item.file != str(file) and not has_moved(item, wish.flow)]
            self._take(
                self.config,
                [*others, described],
                new=described,
                also=lambda conn: write(conn, wish, described, is_listed=is_listed),
            )

    def to_ask(self) -> list[Path]:
        """
        Return the flow files whose code is to be asked again for the fire times of its schedules.
        """
        board, now = self._scheduler.board, clock.now()
        loaded = {described.file for described in self._descriptions}
        due = []
        for spec in [entry.row.spec for entry in board.entries.values()]:
            file = board.flows[spec.flow].spec.file if spec.known_until is not None else ""
            if file in loaded and spec.known_until is not None:
                asked_at = self._asked_at[file]
                if not asked_at <= now < ask_again_at(spec.known_until, asked_at=asked_at):
                    due.append(Path(file))
        return list(dict.fromkeys(due))

    def ask_again(self) -> None:
        """
        Describe the files anew that are to be asked, and no others. Not for the writer's thread: it waits for it.

        One that does not load keeps the fire times that are known.
        """
        with self._one_at_a_time:
            files = self.to_ask()
            if not files:
                return

            new = {described.file: described for described in self._described(self.config, files)}
            try:
                self._take(self.config, [new.get(described.file, described) for described in self._descriptions])
            except OrchdError as error:
                _log.error("asking_refused", files=[str(file) for file in files], why=str(error))
            else:
                _log.info("asked_again", files=[str(file) for file in files])

    def _described(self, config: Config, files: Sequence[Path]) -> Sequence[Description]:
        registered = {str(file): names for file, names in self._registered(config).items()}
        return [
            only(described, registered[described.file]) if described.file in registered else described
            for described in self._describe_all(config, files)
        ]

    def _describe_all(self, config: Config, files: Sequence[Path]) -> Sequence[Description]:
        at = clock.now()
        found = self._describe(
            files,
            time_limit_s=config.flows.describe_timeout.total_seconds(),
            env_file=config.flows.env_file,
            prefect_imports=config.flows.prefect_imports,
        )
        self._asked_at |= {described.file: at for described in found}
        return found

    def _registered(self, config: Config) -> dict[Path, frozenset[str]]:
        """
        Return the files that are known by registration alone, each with the flows that were registered from it.
        """
        with self._scheduler.database.reading() as conn:
            registered = projects.registered_flows(conn)
        listed = set(flow_files(config.flows.paths)) if registered else set()
        return {file: names for file, names in registered.items() if file not in listed}

    def _files(self, config: Config) -> list[Path]:
        found = list(flow_files(config.flows.paths))
        for file in self._registered(config):
            if file.exists():
                found.append(file)
            else:
                _log.warning("registered_file_gone", file=str(file))
        return found

    def _load(self, config: Config) -> list[str]:
        return self._take(config, self._described(config, self._files(config)))

    def _take(
        self,
        config: Config,
        described: Sequence[Description],
        *,
        new: Description | None = None,
        also: Callable[[Connection], None] | None = None,
    ) -> list[str]:
        """
        Use *config* and the flows of *described* from now on, and return what differs.

        Args:
            new: the one of these that somebody registers: it is refused when it does not fit in with the others.

            also: what else is written in the same transaction.
        """
        board, config, now = self._scheduler.board, without_code(config), clock.now()
        loaded = collect(without_helpers(described, config.flows.paths))
        known_flows = {name: version.spec for name, version in board.flows.items()}
        loaded = replace(loaded, flows=steadied(loaded.flows, known_flows, now=now))
        if new is not None and (why := dict(loaded.errors).get(new.file)) is not None:
            raise FlowError(f"{new.file}: {why}")
        broken = {file for file, _ in loaded.errors}
        known = {flow.name for flow in loaded.flows}
        unreadable = {name for name, spec in known_flows.items() if spec.file in broken} - known
        known |= unreadable
        check_flows(config, known, all_loaded=not loaded.errors)
        if problems := parameter_problems(config, {flow.name: flow for flow in loaded.flows}):
            raise ConfigProblems(problems)
        before = [entry.row.spec for entry in board.entries.values() if entry.row.spec.in_code]
        mute = unreadable | {flow.name for flow in loaded.flows if flow.unasked is not None}
        kept = [spec for spec in before if spec.flow in mute]
        described_now = [spec for flow in loaded.flows for spec in flow.schedules]
        in_code = [*gone_on(described_now, before, now=now), *kept]
        errors = with_known(loaded.errors, known_flows, kept)
        loaded = replace(loaded, flows=tuple(map(without_dates, loaded.flows)), errors=errors)
        config = replace(config, schedules=with_code(config, in_code))
        now_known = known_flows | {flow.name: flow for flow in loaded.flows}
        if problems := [*wait_problems(config, now=now), *endless_problems(config, now_known)]:
            raise ConfigProblems(problems)
        loaded = replace(loaded, warnings=(*loaded.warnings, *clashes(config.schedules, in_code)))
        in_use = self.config.daemon
        changes = _changes(self.config, config, self.loaded, loaded, known=known_flows, now=now)
        config = replace(config, daemon=replace(config.daemon, **{key: getattr(in_use, key) for key in _FIXED}))
        self._scheduler.swap(lambda: self._swap(config, loaded, also)).result()
        self._descriptions = tuple(described)
        for file, why in loaded.errors:
            _log.warning("flow_file_broken", file=file, why=why)
        for warning in loaded.warnings:
            _log.warning("flow_file_warning", why=warning)
        return changes

    def _swap(self, config: Config, loaded: Loaded, also: Callable[[Connection], None] | None) -> None:
        """
        Decide by the old rules up to now, then write the new ones and use them. Called by the writer.
        """
        scheduler = self._scheduler
        # A new tz database counts from now on; past rows stay.
        forget()
        scheduler.decide_up_to_now(config.schedules)
        at_us = to_us(clock.now())
        with scheduler.database.writing() as conn:
            self._write(conn, config, loaded, at_us)
            if also is not None:
                also(conn)
        scheduler.take_over_schedules()
        scheduler.set_config(config)
        self.config, self.loaded = config, loaded

    @staticmethod
    def _write(conn: Connection, config: Config, loaded: Loaded, at_us: int) -> None:
        flows.record_flows(conn, loaded.flows, at_us=at_us)
        schedules.sync(conn, config.schedules, at_us=at_us)


def collect(descriptions: Sequence[Description]) -> Loaded:
    """
    Put the flows of all files together; of two files with a flow of one name the second is broken.
    """
    found: dict[str, FlowSpec] = {}
    errors: list[tuple[str, str]] = []
    warnings: list[str] = []
    for description in descriptions:
        warnings += description.warnings
        if description.error is not None:
            errors.append((description.file, description.error))
            continue
        for flow in description.flows:
            if flow.name in found:
                first = found[flow.name].file
                errors.append(
                    (flow.file, f"flow '{flow.name}' is in {first} already: give one of the two another name")
                )
            else:
                found[flow.name] = flow
    return Loaded(flows=tuple(found.values()), errors=tuple(errors), warnings=tuple(warnings))


def _said(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: '""'}[value]

    return ", ".join(map(str, value)) or "empty" if isinstance(value, tuple) else str(value)


def _changes(
    old: Config, new: Config, before: Loaded, after: Loaded, *, known: Mapping[str, FlowSpec], now: datetime
) -> list[str]:
    """
    Say in words what differs, for the person who asked for the reload.

    Args:
        known: name -> the last description of each flow, also of those whose file was broken.
    """
    changes: list[str] = []
    were = {spec.name: spec for spec in old.schedules}
    are = {spec.name: spec for spec in new.schedules}
    changes += [f"schedule {name} is new" for name in are if name not in were]
    changes += [f"schedule {name} is gone" for name in were if name not in are]
    both = [name for name in are if name in were]
    changes += [f"schedule {name} changed" for name in both if not says_the_same(are[name], were[name], now=now)]
    changes += [
        f"{key} in [daemon] needs a restart: until then it is {_said(getattr(old.daemon, key))}"
        for key in _FIXED
        if getattr(old.daemon, key) != getattr(new.daemon, key)
    ]
    were_broken, are_broken = ([file for file, _ in loaded.errors] for loaded in (before, after))
    loading = {flow.file for flow in after.flows}
    changes += [f"{file} is broken" for file in are_broken if file not in were_broken]
    changes += [f"{file} loads again" for file in were_broken if file in loading and file not in are_broken]
    had = {name: flow for name, flow in known.items() if flow.file in were_broken}
    had |= {flow.name: flow for flow in before.flows}
    changes += [
        f"flow {flow.name} {'changed' if flow.name in had else 'is new'}"
        for flow in after.flows
        if had.get(flow.name) != flow
    ]
    return changes
