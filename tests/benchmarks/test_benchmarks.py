"""
Each benchmark, small: it runs to its end, and nothing is lost. How long it took is nobody's claim here.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.daemon import Json

TESTS = Path(__file__).parents[1]


@pytest.fixture
def place() -> Iterator[Path]:
    """
    A folder with a short name: the path of a socket in it has at most 107 bytes.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        yield Path(name)


def measured(place: Path, name: str, *arguments: str) -> Json:
    """
    Return what the benchmark *name* prints.
    """
    words = [sys.executable, "-m", f"benchmarks.bench_{name}", "--in", str(place), *arguments]
    env = os.environ | {"PYTHONPATH": str(TESTS)}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    figures: Json = json.loads(done.stdout)
    assert figures["machine"]["fdatasync_ms"] > 0
    return figures


def test_lateness_is_never_early(place: Path) -> None:
    """
    Every fire time starts a run that succeeds, and none begins before it is due.
    """
    found = measured(place, "lateness", "--size", "3", "--phases", "2")

    assert (found["runs"], found["early"], found["not_successful"], found["slots_not_started"]) == (3, 0, 0, 0)
    assert list(found["phases_ms"])[:2] == ["alarm", "tick"]


def test_no_task_is_lost(place: Path) -> None:
    """
    Each task of a fan-out and of a chain is in the store with its moves and its lines, at both sizes.
    """
    found = measured(place, "tasks", "--size", "60")
    runs = [found[shape][size] for shape in ("fan", "chain") for size in ("small", "big")]

    assert [run["tasks"] for run in runs] == [60, 240, 60, 240]
    assert all(run["state"] == "success" for run in runs)
    assert all(run["lost"] == {"tasks": 0, "moves": 0, "lines": 0} for run in runs)


def test_status_answers_every_time(place: Path) -> None:
    """
    The command succeeds as often as it is asked.
    """
    found = measured(place, "status", "--size", "2")

    assert (found["pairs"], found["answers"]) == (2, True)


def test_an_idle_daemon_knows_its_schedules(place: Path) -> None:
    """
    What is measured is a daemon that holds all of its schedules.
    """
    found = measured(place, "idle", "--size", "20", "--seconds", "0.5")

    assert found["schedules"] == 20
    assert found["pss_mib"]["together"] > 0


def test_no_line_is_lost_or_glued(place: Path) -> None:
    """
    Every printed line is in the store as it was printed.
    """
    found = measured(place, "lines", "--size", "5000")

    assert (found["lines"], found["lost"], found["glued"], found["state"]) == (5000, 0, 0, "success")


def test_no_slot_of_a_herd_is_dropped(place: Path) -> None:
    """
    Every schedule of the herd has its slot, and the runs get their places in order.
    """
    found = measured(place, "serve_herd", "--size", "60", "--ahead", "4")

    assert (found["schedules"], found["dropped"], found["not_started"]) == (60, 0, 0)
    assert (found["starts_looked_at"], found["starts_out_of_order"]) == (50, 0)


def test_every_shape_of_a_classic_flow_ends(place: Path) -> None:
    """
    Fan-out, chain and map run to Success, and what cannot be compared is said to be skipped.
    """
    found = measured(place, "classic", "--size", "30", "--many", "40")
    runs = [run for shape in ("fan", "chain", "map") for pair in found[shape]["pairs"] for run in pair["orchd"]]

    assert [run["state"] for run in [*runs, found["many"]]] == ["Success"] * 7
    assert [found[shape]["ratio"] for shape in ("fan", "chain", "map")] == [None, None, None]


def test_a_classic_tool_that_is_not_there_is_skipped_visibly(place: Path) -> None:
    """
    Whoever reads the output sees what was not measured, and where to read how.
    """
    words = [sys.executable, "-m", "benchmarks.bench_classic", "--in", str(place), "--size", "5", "--many", "5"]
    env = os.environ | {"PYTHONPATH": str(TESTS)}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=100, check=True)

    assert done.stderr == "SKIPPED: Prefect 1.4.1 (--classic PYTHON; README.md says how to install it)\n"


def test_every_executor_returns_every_result(place: Path) -> None:
    """
    Threads, processes and a Dask cluster of its own, beside one task after the other.
    """
    found = measured(place, "executors", "--size", "30")

    assert {name: found[name]["wrong"] for name in ("local", "threads", "processes", "dask")} == {
        "local": 0,
        "threads": 0,
        "processes": 0,
        "dask": 0,
    }


def test_every_page_answers_and_no_line_is_lost(place: Path) -> None:
    """
    Pages, lists and filters answer over a store of any size, and twenty open pages take no line from the store.
    """
    sizes = ("--size", "300", "--times", "1", "--seconds", "1", "--listeners", "20")
    found = measured(place, "pages", *sizes)

    assert {name: row["status"] for name, row in found["asked"].items() if row["status"] not in (200, 303)} == {}
    assert [found["printing"][name]["lost"] for name in ("no page", "pages")] == [0, 0]


@pytest.mark.parametrize(
    "name", ["lateness", "tasks", "status", "idle", "lines", "serve_herd", "classic", "executors", "pages"]
)
def test_the_page_explains_each_benchmark(name: str) -> None:
    """
    A figure that nobody can read is none.
    """
    assert f"| `{name}` |" in (TESTS / "benchmarks" / "README.md").read_text()
