"""
``orchd status --json`` beside a bare ``python -c pass``, in turns.
"""

import json
import os
import sys
from pathlib import Path

from benchmarks import measuring
from support.daemon import ORCHD, Daemon, Json

WARM_UP = 3


def seconds(command: list[str], env: dict[str, str]) -> float:
    """
    Return how long *command* takes from the fork to its end; it must succeed.
    """

    def work() -> None:
        quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
        pid = os.posix_spawn(command[0], command, env, file_actions=quiet)
        assert os.waitpid(pid, 0)[1] == 0, command

    return measuring.timed(work)


def pairs(daemon: Daemon, count: int) -> tuple[list[float], list[float]]:
    """
    Return the seconds of *count* calls of each.
    """
    bare = [sys.executable, "-c", "pass"]
    status = [ORCHD, "status", "--json"]
    env = dict(daemon.env)
    taken = [(seconds(bare, env), seconds(status, env)) for _ in range(count + WARM_UP)][WARM_UP:]
    return [pair[0] for pair in taken], [pair[1] for pair in taken]


def measure(place: Path, count: int) -> Json:
    """
    Return the figures of *count* pairs.
    """
    with measuring.daemon_in(place) as daemon:
        daemon.start()
        bare, status = pairs(daemon, count)
        answer = json.loads(daemon.cli("status", "--json"))
    bare_ms = measuring.spread([value * 1000 for value in bare])
    status_ms = measuring.spread([value * 1000 for value in status])
    return {
        "status_ms": status_ms,
        "bare_ms": bare_ms,
        "ratio": status_ms["median"] / bare_ms["median"],
        "pairs": count,
        "answers": bool(answer["daemon"]["pid"]),
        "target": "at most 3 times",
    }


def main() -> None:
    """
    Measure and print.
    """
    given = measuring.parser(str(__doc__), size=30, size_help="pairs").parse_args()
    measuring.report("orchd status --json beside python -c pass", measure(given.place, given.size), folder=given.place)


if __name__ == "__main__":
    main()
