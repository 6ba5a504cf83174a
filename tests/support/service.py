"""
The installed orchd.service of a booted machine, as a test speaks with it.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchd.client import Client
from support.systemd import Machine, readme_steps
from support.waiting import eventually

FINAL = frozenset({"success", "failed", "timed_out", "crashed", "cancelled"})
WITNESS = Path(__file__).with_name("flows") / "witness.py"
#: What keeps a test from waiting for what a person has patience for.
QUICK_WATCHDOG = "[Service]\nWatchdogSec=3s\n"
QUICK_STOP = '[daemon]\nstop_grace = "1s"\n'


@dataclass(frozen=True, kw_only=True)
class Service:
    """
    Daemon and runs inside *machine*.
    """

    machine: Machine

    def install_witness(self) -> None:
        """
        Put the witness among the flows, and take the shipped schedules away, so that nothing else starts.
        """
        self.machine.write("/srv/orchd/flows/witness.py", WITNESS.read_text())
        self.machine.write("/etc/orchd/schedules.toml", "")

    def start_first(self) -> None:
        """
        Take the last step of ``systemd/README.md``.
        """
        self.machine.shell(readme_steps("3. The service"))

    def cli(self, *arguments: str) -> str:
        """
        Return what the command line prints; it finds the service by itself.
        """
        return self.machine.shell(f"orchd {shlex.join(arguments)}")

    def client(self) -> Client:
        """
        Return a client of the daemon's socket, which is reached through the machine's root.
        """
        pid = (self.machine.folder / "pid").read_text().strip()
        return Client(f"/proc/{pid}/root/run/orchd/orchd.sock", retry_for_s=20)

    def main_pid(self) -> int:
        """
        Return the daemon's pid inside; 0 when there is none.
        """
        return int(self.machine.show("MainPID"))

    def begin(self, name: str, *, child: bool = False) -> str:
        """
        Start a witness called *name*, wait until it counts, and return its run's id.
        """
        told = self.client().post("/runs", {"flow": "witness", "parameters": {"name": name, "child": child}})
        run = str(told["run"]["id"])
        eventually(lambda: "line 1" in self.printed(run), what=f"{name} counts")
        return run

    def release(self, name: str) -> None:
        """
        Let the witness called *name* come to its end.
        """
        self.machine.shell(f"touch /srv/orchd/results/{name}.go")

    def run(self, run: str) -> dict[str, Any]:
        """
        Return the details of a run.
        """
        told = self.client().get(f"/runs/{run}")
        detail: dict[str, Any] = told.get("run", told)
        return detail

    def state(self, run: str) -> str:
        """
        Return the state of a run.
        """
        return str(self.run(run)["state"])

    def finished(self, run: str) -> str:
        """
        Wait for the end of a run, and return its final state.
        """
        return eventually(lambda: (state := self.state(run)) in FINAL and state, what=f"{run} ends") or ""

    def printed(self, run: str) -> list[str]:
        """
        Return every line of a run's stdout, in order.
        """
        lines: list[str] = []
        after = 0
        while True:
            told = self.client().get(f"/runs/{run}/logs", after=after, limit=1000)
            if not told["lines"]:
                return lines

            lines += [line["text"] for line in told["lines"] if line["stream"] == "stdout"]
            after = told["lines"][-1]["seq"]

    def moves(self, run: str) -> list[str]:
        """
        Return the states that a run passed through, in order.
        """
        return [event["to"] for event in self.run(run)["events"] if event["task"] is None]
