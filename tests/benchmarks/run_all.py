"""
Runs the benchmarks of ``README.md`` one after the other, each in a process of its own; ``run`` beside it calls this.
"""

import json
import subprocess
import sys
from collections.abc import Iterable

NAMES = ("status", "idle", "lateness", "tasks", "lines", "serve_herd", "classic", "executors", "pages")


def asked(words: Iterable[str]) -> dict[str, list[str]]:
    """
    Return the benchmarks that *words* name, all if they name none, each with its arguments.
    """
    common: list[str] = []
    found: dict[str, list[str]] = {}
    target = common
    for word in words:
        if word in NAMES:
            target = found[word] = []
        else:
            target.append(word)
    return {name: common + own for name, own in (found or {name: [] for name in NAMES}).items()}


def answer(name: str, arguments: list[str]) -> object:
    """
    Return what the benchmark *name* prints.
    """
    print(f"{name} ...", file=sys.stderr, flush=True)
    words = [sys.executable, "-m", f"benchmarks.bench_{name}", *arguments]
    return json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)


def main() -> None:
    """
    Measure and print.
    """
    print(json.dumps({name: answer(name, arguments) for name, arguments in asked(sys.argv[1:]).items()}, indent=2))


if __name__ == "__main__":
    main()
