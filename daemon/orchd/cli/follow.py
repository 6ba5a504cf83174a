"""
Following a run's log to its end, or a flow's over run after run, through restarts of the daemon.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from orchd.cli.lines import LinePrinter
from orchd.cli.pause import pause
from orchd.client import Client, quote

#: Seconds that one question may wait in the daemon for something new.
WAIT_S: Final = 20
#: Lines asked for at once.
PAGE: Final = 2000
#: Runs asked for at once: as many as the API gives.
RUNS: Final = 500
#: Seconds before the next question after an answer that brought nothing: a daemon that does not wait is not flooded.
_IDLE_S: Final = 0.2
#: The same while there are only held runs, of which the daemon tells at once.
_HELD_S: Final = 1.0

_FINAL: Final = frozenset({"success", "failed", "timed_out", "crashed", "cancelled"})


class Follower:
    """
    Follows runs by asking the daemon again and again from the last line that came.
    """

    def __init__(
        self, client: Client, printer: LinePrinter | None, filters: Mapping[str, object] | None = None
    ) -> None:
        """
        Follow through *client*, which should wait for a daemon that is away.

        Args:
            printer: of the lines; None passes them over.

            filters: ``task``, ``level``, ``since`` of the API.
        """
        self._client = client
        self._printer = printer
        self._filters = dict(filters or {})

    def page(self, run_id: str, **query: object) -> dict[str, Any]:
        """
        Ask once for log lines of a run.
        """
        return self._client.get(f"/runs/{quote(run_id)}/logs", limit=PAGE, **self._filters, **query)

    def print_now(self, run_id: str, *, tail: int | None = None) -> dict[str, Any]:
        """
        Print what there is, or its last *tail* lines, and return the run.
        """
        answer = self._first(run_id, tail=tail)
        self._show(answer["lines"])
        while answer["more"] and tail is None:
            answer = self.page(run_id, after=answer["next"])
            self._show(answer["lines"])
        return dict(answer["run"])

    def run(self, run_id: str, *, tail: int | None = None) -> dict[str, Any]:
        """
        Print the log of a run until it has ended, and return the run as it ended.
        """
        answer = self._first(run_id, tail=tail)
        self._show(answer["lines"])
        while answer["more"] or answer["run"]["state"] not in _FINAL:
            answer = self.page(run_id, after=answer["next"], wait_s=WAIT_S)
            self._show(answer["lines"])
            if not (answer["lines"] or answer["more"]) and answer["run"]["state"] not in _FINAL:
                pause(_IDLE_S)
        return dict(answer["run"])

    def _first(self, run_id: str, *, tail: int | None) -> dict[str, Any]:
        """
        Ask for the first lines, or for the last *tail*, which may lie further back than one answer looks.
        """
        answer = last = self.page(run_id, tail=tail)
        lines = answer["lines"]
        while tail is not None and len(lines) < tail and last["before"] is not None:
            last = self.page(run_id, tail=tail - len(lines), before=last["before"])
            lines = last["lines"] + lines
        return answer | {"lines": lines}

    def flow(self, name: str, *, tail: int) -> NoReturn:
        """
        Print the logs of a flow's runs, one after the other and for ever; of one that is over the last *tail* lines.
        """
        last = self._client.get("/runs", flow=name, limit=1)["runs"]
        if last and last[0]["state"] in _FINAL:
            self._whole(last[0], tail=tail)
        for run in self._later(name, after=last[0]["number"] - 1 if last else 0, done=last):
            self._whole(run, tail=None)
        raise AssertionError("there is always a later run")

    def _later(self, name: str, *, after: int, done: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        followed = {run["number"] for run in done if run["state"] in _FINAL}
        while True:
            answer = self._client.get("/runs", flow=name, after=after, limit=RUNS, wait_s=WAIT_S)
            found = sorted(answer["runs"], key=lambda run: int(run["number"]))
            while found and found[0]["number"] in followed:
                after = found.pop(0)["number"]
                followed.remove(after)
            # A run that is held, perhaps until next week, must not hide those that go on meanwhile.
            begun = (run for run in found if run["number"] not in followed and run["state"] != "scheduled")
            if run := next(begun, None):
                yield run
                followed.add(run["number"])
            else:
                pause(_HELD_S if found else _IDLE_S)

    def _whole(self, run: dict[str, Any], *, tail: int | None) -> None:
        if self._printer:
            self._printer.header(run)
        final = self.run(run["id"], tail=tail)
        if self._printer:
            self._printer.footer(final)
            self._printer.lines([])

    def _show(self, lines: list[dict[str, Any]]) -> None:
        if self._printer and lines:
            self._printer.lines(lines)


def announce_wait() -> None:
    """
    Say, once for each time, that the daemon is away and that this is no reason to give up.
    """
    print("orchd: the daemon does not answer; waiting for it (Ctrl-C ends)", file=sys.stderr, flush=True)
