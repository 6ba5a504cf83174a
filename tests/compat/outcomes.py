"""
Runs flow files, each in a process of its own, and prints what became of their tasks: a program of its own, so that
nothing of the tests is there.

    python outcomes.py [--old] FILE...
"""

import json
import logging
import os
import sys
from pathlib import Path

from orchd import compat
from orchd.flow.loader import load_flows


def outcome(file: Path) -> dict[str, object]:
    """
    Return flow name -> its state, its message, and the state and result of each task by slug.
    """
    return {flow.name: _told(flow, flow.run(run_on_schedule=False)) for flow in load_flows(file).values()}


def _told(flow, state):
    tasks = {flow.slugs[task]: [type(each).__name__, repr(each.result)] for task, each in state.result.items()}
    return [type(state).__name__, state.message, dict(sorted(tasks.items()))]


def main(words: list[str]) -> None:
    """
    Print one JSON object: file name -> its outcome.
    """
    if words[:1] == ["--old"]:
        compat.install()

    logging.getLogger("orchd").addHandler(logging.NullHandler())
    told = {}
    for file in map(Path, words[words[:1] == ["--old"] :]):
        reading, writing = os.pipe()
        if os.fork() == 0:
            try:
                text = json.dumps(outcome(file))
            except BaseException as exc:
                text = json.dumps(f"{type(exc).__name__}: {exc}")
            os.write(writing, text.encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            told[file.name] = json.loads(pipe.read())
        os.wait()
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
