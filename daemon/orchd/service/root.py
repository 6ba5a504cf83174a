"""
Wiring: every room of the daemon is made here, once, and told of the others.
"""

import asyncio
import gc
import importlib.metadata
import os
import signal
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from typing import Final

from orchd import clock, config, log
from orchd.config import Config
from orchd.errors import InternalError
from orchd.model.ids import FlowRunId
from orchd.processes import linux
from orchd.processes.launch import Spawner
from orchd.processes.protocol import Reply
from orchd.processes.reaper import reap_adopted
from orchd.scheduler.board import LiveRun
from orchd.scheduler.changes import Changes
from orchd.scheduler.clock_watch import ClockWatch
from orchd.scheduler.core import Hooks, Scheduler
from orchd.scheduler.notify import Notifier
from orchd.scheduler.reload import Reloader
from orchd.scheduler.spawning import SpawnerKeeper
from orchd.scheduler.state_folder import StateFolder
from orchd.scheduler.upkeep import EVERY_S, Upkeep
from orchd.scheduler.wakeup import Wakeup
from orchd.scheduler.watch import MonitorWatch, NudgeSocket
from orchd.scheduler.writer import Writer
from orchd.service.doors import Doors
from orchd.service.facade import Facade
from orchd.service.page import serve_page
from orchd.service.stopping import Stopper
from orchd.store.database import Database
from orchd.web.app import make_app
from orchd.web.server import UnixServer, listen

_log = log.get("service")

#: Seconds between two looks whether the wall clock was set: the alarm goes by it, and must not sleep for its sake.
_LOOK_AT_CLOCK_S: Final = 0.5

#: Seconds between two looks whether flow files are to be asked for more fire times.
_ASK_EVERY_S: Final = 5.0

#: A herd of runs makes many objects and no garbage: with Python's own 700, a fifth of its tick went into looking.
GC_THRESHOLD: Final = (20_000, 20, 20)


def serve(settings: Config) -> int:
    """
    Be the daemon until somebody ends it, and return the exit code.

    Raises:
        OrchdError: it cannot start, or could not go on; one sentence says why.
    """
    log.configure()
    gc.set_threshold(*GC_THRESHOLD)
    linux.become_subreaper()
    file_limit = linux.raise_file_limit()
    state = StateFolder.take(settings.daemon.state_dir)
    try:
        database = Database.open(settings.daemon.store, state_dir=settings.daemon.state_dir)
        try:
            asyncio.run(_live(settings, state, database, file_limit))
        finally:
            database.close()
    finally:
        state.release()
    return 0


async def _live(settings: Config, state: StateFolder, database: Database, file_limit: int) -> None:
    service = _Service(settings, state, database, file_limit)
    try:
        await service.start()
        await service.go_on()
    finally:
        await service.end()


class _Service:
    """
    One life of the daemon: made, started, ended, in that order.
    """

    def __init__(self, settings: Config, state: StateFolder, database: Database, file_limit: int) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._settings = settings
        self._notifier = Notifier()
        self._failure: BaseException | None = None
        self._changes = Changes(loop)
        self._writer = Writer(on_death=self._writer_died)
        self._wakeup = Wakeup(self._ring)
        self._clock_watch = ClockWatch()
        self._watch = MonitorWatch(loop, self._monitor_gone)
        self._keeper = SpawnerKeeper(
            loop,
            Spawner(state.runs, {"ORCHD_RESULTS_DIR": str(state.results), **os.environ}, file_limit=file_limit),
            heard=self._heard,
            gone=self._spawner_gone,
        )
        # Before anything that a daemon which answers there already would miss.
        listening = listen(settings.daemon.socket)
        self._nudges = NudgeSocket.beside(loop, settings.daemon.socket, self._nudged)
        self._scheduler = Scheduler(
            database,
            self._writer,
            config=settings,
            runs_folder=state.runs,
            nudge=self._nudges.path if self._nudges else None,
            hooks=self._hooks(),
        )
        self._reloader = Reloader(self._scheduler, settings, read=self._read_config, describe=self._keeper.describe)
        self._stopper = Stopper(self._scheduler, self._changes, grace=settings.daemon.stop_grace)
        version = importlib.metadata.version("orchd")
        self._doors = Doors(self._scheduler, settings.daemon)
        self._facade = Facade(
            self._scheduler,
            self._reloader,
            self._changes,
            self._doors,
            version=version,
            stop=self._stop_from_any_thread,
        )
        self._upkeep = self._clean_up(database, state)
        app = make_app(self._facade, self._doors, version=version)
        self._server = UnixServer(app, settings.daemon.socket, listening)
        self._page = serve_page(app, self._doors, settings.daemon)
        self._serving: asyncio.Task[None] | None = None
        self._loading: asyncio.Task[None] | None = None

    def _clean_up(self, database: Database, state: StateFolder) -> Upkeep:
        return Upkeep(
            database,
            self._writer,
            self._scheduler.health,
            state.runs,
            config=lambda: self._reloader.config,
            is_live=lambda run_id: run_id in self._scheduler.board.live,
            awaited=self._scheduler.awaited,
        )

    def _read_config(self) -> Config:
        return config.load(self._settings.path, env=os.environ)

    def _hooks(self) -> Hooks:
        return Hooks(
            send=self._keeper.launch,
            wake_at=self._wake_at,
            ticked=self._ticked,
            changed=self._changes.notify,
            watch=self._watch_monitor,
        )

    async def start(self) -> None:
        """
        Take over what goes on, begin to tick and to answer, and tell systemd.

        Raises:
            ConfigError: a schedule names a flow that is in no file, though every file has loaded.
        """
        self._loop.add_signal_handler(signal.SIGTERM, partial(self._stopper.stop, cancel=False))
        self._loop.add_signal_handler(signal.SIGINT, partial(self._stopper.stop, cancel=True))
        self._loop.add_signal_handler(signal.SIGHUP, self._reload)
        self._loop.add_signal_handler(signal.SIGCHLD, self._reap)
        self._keeper.start()
        self._writer.start()
        await asyncio.wrap_future(self._writer.ask(self._scheduler.load))
        self._loading = asyncio.create_task(asyncio.to_thread(self._reloader.first_load))
        known = self._scheduler.board.flows
        if all(spec.flow in known and known.keys() >= set(spec.after) for spec in self._settings.schedules):
            # Starting on time does not wait for imports: what was known before the restart still holds.
            await asyncio.wrap_future(self._writer.ask(self._reloader.sync_schedules))
            self._loading.add_done_callback(self._loaded)
        elif not await self._stopper.is_stopped_before(self._loading):
            await self._loading
        else:
            return
        self._wakeup.start()
        self._look_at_clock()
        self._wakeup.every(EVERY_S, self._upkeep.clean)
        self._wakeup.every(_ASK_EVERY_S, self._facade.ask_again)
        self._upkeep.clean()
        self._serving = asyncio.create_task(self._serve())
        daemon = self._settings.daemon
        self._notifier.ready("up")
        _log.info("ready", pid=os.getpid(), socket=str(daemon.socket), store=self._scheduler.database.where)

    async def _serve(self) -> None:
        await asyncio.gather(*(server.serve() for server in (self._server, self._page) if server is not None))

    async def go_on(self) -> None:
        """
        Return when the daemon is to end.

        Raises:
            InternalError: the writer died.
        """
        await self._stopper.wait()
        if self._failure is not None:
            raise InternalError(
                f"the writer of the run store failed ({self._failure!r}); the daemon ends, its runs go on"
            ) from self._failure

    async def end(self) -> None:
        """
        Go down in order: no more answers, no more writes; the runs go on under their monitors.
        """
        self._notifier.stopping("stopping")
        self._changes.close()
        self._server.stop()
        if self._page is not None:
            self._page.stop()
        if self._serving is not None:
            await self._serving
        self._wakeup.stop()
        await asyncio.to_thread(self._writer.stop)
        self._loop.remove_signal_handler(signal.SIGCHLD)
        self._keeper.stop()
        if self._loading is not None:
            await asyncio.wait([self._loading])
        if self._nudges is not None:
            self._nudges.close()
        self._server.close()
        self._notifier.close()
        _log.info("stopped")

    # What happens, from whatever thread, to whom it concerns

    def _look_at_clock(self) -> None:
        if self._clock_watch.look(clock.now(), monotonic_s=clock.monotonic()) is not None:
            self._ring()
        self._loop.call_later(_LOOK_AT_CLOCK_S, self._look_at_clock)

    def _ring(self) -> None:
        self._scheduler.wake()

    def _wake_at(self, instant: datetime | None, now: datetime) -> None:
        self._wakeup.at(instant, now=now)

    def _ticked(self) -> None:
        self._facade.ticked_s = clock.monotonic()
        board = self._scheduler.board
        self._notifier.alive(f"{len(board.begun_runs())} running, {len(board.live)} not final")

    def _monitor_gone(self, run_id: FlowRunId) -> None:
        self._scheduler.monitor_gone(run_id)

    def _nudged(self, run_id: FlowRunId) -> None:
        self._scheduler.stir(run_id)

    def _reap(self) -> None:
        reap_adopted(own={self._keeper.pid})

    def _heard(self, reply: Reply) -> None:
        self._scheduler.reply(reply)

    def _spawner_gone(self) -> None:
        self._scheduler.spawner_gone()

    def _watch_monitor(self, run: LiveRun, pid: int) -> bool:
        return self._watch.watch(run.id, run.folder, pid)

    def _writer_died(self, error: BaseException) -> None:
        _log.error("writer_died", exc_info=error)
        self._failure = error
        self._loop.call_soon_threadsafe(self._stopper.fail)

    def _stop_from_any_thread(self, cancel: bool) -> None:
        self._loop.call_soon_threadsafe(lambda: self._stopper.stop(cancel=cancel))

    def _reload(self) -> None:
        self._notifier.reloading()
        future = self._facade.reload()
        future.add_done_callback(self._reloaded)

    def _reloaded(self, done: "Future[Mapping[str, object]]") -> None:
        if (error := done.exception()) is not None:
            _log.error("reload_failed", exc_info=error)
        self._notifier.ready("up")

    def _loaded(self, loading: "asyncio.Task[None]") -> None:
        error = None if loading.cancelled() else loading.exception()
        if error is not None:
            self._reloader.error = str(error)
            _log.error("flow_files_not_loaded", why=str(error))
