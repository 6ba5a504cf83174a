"""
A real ``orchd serve`` as a process of its own, in a folder that a test owns: config, flows, state and socket.
"""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from orchd.client import Client, every
from orchd.errors import NotRunning, OrchdError
from support.waiting import eventually

FINAL = frozenset({"success", "failed", "timed_out", "crashed", "cancelled"})
#: The interpreter's own folder holds the `orchd` that a person would call.
ORCHD = str(Path(sys.executable).with_name("orchd"))

Json = dict[str, Any]


class Daemon:
    """
    One home of a daemon: started, killed and started again as often as the test likes.

    Everything below it carries ``HOME=home``, and so is found in ``/proc``.
    """

    def __init__(self, home: Path, *, store: str = "sqlite", env: Mapping[str, str] | None = None) -> None:
        """
        Make the folders; nothing is started yet.

        Args:
            home: a folder of this daemon's own.

            store: ``store =`` of the config.

            env: set for the daemon beside what a user has.
        """
        self.home = home
        self.flows = home / "flows"
        self.state = home / "state"
        self.socket = home / "run" / "orchd.sock"
        self.log = home / "log"
        self.store = store
        self.env = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "HOME": str(home),
            "STATE_DIRECTORY": str(self.state),
            "RUNTIME_DIRECTORY": str(self.socket.parent),
            "ORCHD_SOCKET": str(self.socket),
        } | dict(env or {})
        for folder in (home / "config", self.flows):
            folder.mkdir(parents=True)
        self.client = Client(str(self.socket))
        self.process: subprocess.Popen[bytes] | None = None
        self.configure()

    def configure(self, schedules: str = "", *, daemon: str = "", flows: str = "", more: str = "") -> None:
        """
        Write the config: *schedules* and *more* as they stand, *daemon* and *flows* below
        the tables that are called so. No page is served unless *daemon* says where: many daemons share this machine.
        """
        listen = "" if "listen" in daemon else 'listen = ""'
        head = f'[daemon]\nstore = "{self.store}"\ntimezone = "UTC"\n{listen}\n{textwrap.dedent(daemon)}\n'
        files = f'[flows]\npaths = ["{self.flows}"]\n{flows}\n'
        text = head + files + textwrap.dedent(more) + "\n" + textwrap.dedent(schedules)
        (self.home / "config" / "orchd.toml").write_text(text)

    def flow(self, file: str, text: str) -> Path:
        """
        Write a flow file and return its path.
        """
        path = self.flows / file
        path.write_text(textwrap.dedent(text))
        return path

    # Its life

    def start(self, *, wait: bool = True, command: Sequence[str] = ()) -> None:
        """
        Start it, and return when it answers.

        Args:
            wait: False to return at once.

            command: words before ``orchd serve``, such as ``unshare -m``.
        """
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, ORCHD, "serve", "--config", str(self.home / "config")],
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if wait:
            self.wait_until_up()

    def wait_until_up(self) -> None:
        """
        Return when this very process answers.
        """
        eventually(lambda: self._is_up(), within_s=30, what="the daemon answers")

    def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        try:
            return bool(self.status()["daemon"]["pid"] == self.process.pid)
        except NotRunning:
            return False

    def kill(self) -> None:
        """
        ``kill -9``.
        """
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """
        Send the daemon a signal.
        """
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, *, within_s: float = 30) -> int:
        """
        Return its exit code once it has ended.
        """
        assert self.process is not None
        return self.process.wait(within_s)

    def stop(self) -> None:
        """
        End it as systemd would; its runs go on.
        """
        self.signal(signal.SIGTERM)
        assert self.wait() == 0, self.log.read_text()[-3000:]

    def close(self) -> None:
        """
        Kill it and everything that belongs to it, by pid.
        """
        if self.process is not None and self.process.poll() is None:
            self.kill()
        eventually(lambda: not [os.kill(pid, signal.SIGKILL) for pid in self.processes()], what="nothing is left")

    # What it says

    def cli(self, *words: str, code: int | None = 0) -> str:
        """
        Return what ``orchd *words*`` prints, both streams; it must exit with *code*, if one is given.
        """
        done = subprocess.run([ORCHD, *words], env=self.env, capture_output=True, text=True, timeout=60, check=False)
        assert code is None or done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def status(self) -> Json:
        """
        Return ``/api/v1/status``.
        """
        return self.client.get("/status")

    def begin(self, flow: str, *, key: str | None = None, at: str | None = None, **parameters: object) -> str:
        """
        Ask for a run and return its id.
        """
        body = {"flow": flow, "parameters": parameters, "idempotency_key": key, "at": at}
        return str(self.client.post("/runs", body)["run"]["id"])

    def run(self, ref: str) -> Json:
        """
        Return all that the API tells of a run.
        """
        return self.client.get(f"/runs/{ref}")

    def tasks(self, ref: str) -> list[Json]:
        """
        Return all task runs of a run, however many there are.
        """
        return every(self.client.get, f"/runs/{ref}/tasks")

    def finished(self, ref: str, *, within_s: float = 20) -> Json:
        """
        Wait for the end of a run, and return all that the API tells of it.
        """
        return eventually(
            lambda: (run := self.run(ref))["state"] in FINAL and run, within_s=within_s, what=f"run {ref} ends"
        )

    def runs(self, **query: object) -> list[Json]:
        """
        Return the newest runs, oldest first.
        """
        return list(reversed(self.client.get("/runs", **query)["runs"]))

    def lines(self, ref: str, *, stream: str | None = "stdout") -> list[Json]:
        """
        Return all stored lines of a run, of one stream or of all.
        """
        found: list[Json] = []
        after = -1
        while page := self.client.get(f"/runs/{ref}/logs", after=after, limit=10_000):
            if not page["lines"]:
                break
            found += page["lines"]
            after = page["next"]
        return [line for line in found if stream in (None, line["stream"])]

    def printed(self, ref: str) -> list[str]:
        """
        Return what a run printed on stdout, line by line.
        """
        return [line["text"] for line in self.lines(ref)]

    def why(self, of: str) -> str:
        """
        Return the sentences that explain *of*.
        """
        return "\n".join(self.client.get("/why", of=of)["sentences"])

    def events(self, name: str | None = None) -> list[Json]:
        """
        Return the daemon's own log, or those entries of it that are called *name*.
        """
        found = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [event for event in found if name in (None, event["event"])]

    def settled(self, *, within_s: float = 30) -> None:
        """
        Wait until no run is left that is not final.
        """

        def ask() -> bool:
            try:
                return not self.rows("SELECT id FROM flow_run WHERE ended_at_us IS NULL")
            except OrchdError:
                return False

        eventually(ask, within_s=within_s, every_s=0.05, what="every run has ended")

    # What is true, whatever it says

    def rows(self, sql: str, **parameters: object) -> list[Json]:
        """
        Ask the store itself.
        """
        url = f"sqlite:///file:{self.state}/orchd.sqlite3?mode=ro&uri=true" if self.store == "sqlite" else self.store
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.text(sql), parameters).mappings()]

    def slots(self, schedule: str) -> list[Json]:
        """
        Return the ledger of one schedule, in order of fire time.
        """
        return self.rows(
            "SELECT s.* FROM slot s JOIN schedule c ON c.id = s.schedule_id WHERE c.name = :name ORDER BY fire_time_us",
            name=schedule,
        )

    def processes(self, *, name: str | None = None) -> dict[int, str]:
        """
        Return pid -> name (``orchd-monitor``, ``orchd-run`` ...) of every living process of this home.
        """
        mark = f"HOME={self.home}".encode()
        found: dict[int, str] = {}
        for pid in (int(entry) for entry in os.listdir("/proc") if entry.isdigit()):
            try:
                if mark not in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                    continue
                _, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            comm, _, tail = rest.rpartition(")")
            if tail.split()[0] != "Z" and name in (None, comm):
                found[pid] = comm
        return found

    def below(self) -> dict[int, str]:
        """
        Return every living process of this home but the daemon and its spawner.
        """
        own = None if self.process is None else self.process.pid
        return {
            pid: name
            for pid, name in self.processes().items()
            if pid != own and name != "orchd-spawner" and not _is_starting_spawner(pid, name)
        }


def _is_starting_spawner(pid: int, name: str) -> bool:
    """
    Tell whether *pid* is a spawner that has not given itself its name yet; its forks have theirs.
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return name.startswith("python") and b"orchd.processes.spawner" in words
