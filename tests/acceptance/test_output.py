"""
Whatever a run prints, by whatever way, is in the store: all of it, in order, with the name of the task that printed.
"""

import hashlib
import json
import sqlite3
from contextlib import closing

import pytest

from support.daemon import Daemon
from support.evidence import PRELUDE

#: The store keeps at most so many bytes in one line.
MAX_LINE = 65536

PRINTING = (
    PRELUDE
    + """
import ctypes

def raw(data, fd=1):
    while data:
        data = data[os.write(fd, data):]

@task
def ways():
    print("python")
    ctypes.CDLL(None).puts(b"from C")
    ctypes.CDLL(None).fflush(None)
    subprocess.run(["echo", "from a child"])
    os.system("echo from a grandchild")
    print("python again")
    print("to stderr", file=sys.stderr)
    orchd.context.logger.warning("by the logger")

@task(log_stdout=True)
def logged():
    print("a task that logs what it prints")

@task
def odd():
    raw(b"invalid \\xff\\xfe UTF-8\\n")
    raw(b"a NUL \\0 here\\n")
    raw("snowman \\u2603 \\U0001f600\\n".encode())
    raw(b"\\x1b[31mred\\x1b[0m\\rcarriage\\n")
    raw(b"\\n\\n")
    raw(b"no newline at the end")

@task
def long():
    raw(b"begin " + b"x" * 10_000_000 + b" end\\n")
    print("after the long line")

@task
def many(count):
    raw(b"".join(b"line %d\\n" % number for number in range(count)))

@task
def unpicklable():
    return threading.Lock()

@task
def uses(value):
    print(type(value).__name__)

with Flow("ways") as flow:
    first = ways()
    logged(upstream_tasks=[first])

with Flow("odd") as odd_flow:
    odd()

with Flow("long") as long_flow:
    long()

with Flow("many") as many_flow:
    many(Parameter("count"))

@task
def print_many(count):
    for number in range(count):
        print("line", number)

with Flow("prints") as prints_flow:
    print_many(Parameter("count"))

@task(log_stdout=True)
def long_logged():
    print("begin " + "y" * 10_000_000 + " end")
    print("after the long line")

with Flow("long-logged") as long_logged_flow:
    long_logged()

with Flow("unpicklable") as unpicklable_flow:
    uses(unpicklable())

@task(result=orchd.LocalResult(dir=os.path.join(os.path.dirname(HERE), "results")))
def stored():
    return threading.Lock()

with Flow("stored") as stored_flow:
    stored()
"""
)


@pytest.fixture(scope="module", autouse=True)
def _up(shared: Daemon) -> None:
    """
    One daemon serves all these flows.
    """
    shared.flow("printing.py", PRINTING)
    shared.start()


def test_every_way_of_printing_is_stored_in_order_with_its_task(shared: Daemon) -> None:
    """
    print, C, a subprocess, a shell, stderr and the logger: each line once, with the task that it belongs to.
    """
    run = shared.finished(shared.begin("ways"))
    assert run["state"] == "success"
    lines = shared.lines(run["id"], stream=None)
    mine = [line for line in lines if line["task"] == "ways-1"]
    words = ["python", "from C", "from a child", "from a grandchild", "python again"]
    assert [line["text"] for line in mine if line["stream"] == "stdout"] == words
    assert [line["text"] for line in mine if line["stream"] == "stderr"] == ["to stderr"]
    assert [line["text"] for line in mine if line["level"] == 30] == ["by the logger"]
    logged = [line for line in lines if line["task"] == "logged-1" and "logs what it prints" in line["text"]]
    assert [line["stream"] for line in logged] == ["logger"]
    assert [line["seq"] for line in lines] == sorted({line["seq"] for line in lines})


def test_odd_bytes_are_stored_as_escapes_and_never_reach_a_terminal_raw(shared: Daemon) -> None:
    """
    Invalid UTF-8 and NUL become escapes; characters stay; a last line without an end is a line.
    """
    run = shared.finished(shared.begin("odd"))
    assert shared.printed(run["id"]) == [
        "invalid \\xff\\xfe UTF-8",
        "a NUL \\x00 here",
        "snowman \u2603 \U0001f600",
        "\x1b[31mred\x1b[0m\rcarriage",
        "",
        "",
        "no newline at the end",
    ]
    assert "\x1b" not in shared.cli("logs", run["id"])
    assert "\x1b[31mred" in shared.cli("logs", "--raw", run["id"])


def test_a_line_of_10_mb_is_stored_in_marked_parts(shared: Daemon) -> None:
    """
    Put together again they are the line; nothing is lost around them.
    """
    run = shared.finished(shared.begin("long"))
    *parts, after = shared.printed(run["id"])
    mark = " [line continues]"
    assert all(part.endswith(mark) for part in parts[:-1])
    assert max(len(part) for part in parts) <= MAX_LINE + len(mark)
    assert "".join(part.removesuffix(mark) for part in parts) == "begin " + "x" * 10_000_000 + " end"
    assert after == "after the long line"


def test_a_line_of_10_mb_with_log_stdout_is_stored_in_marked_parts(shared: Daemon) -> None:
    """
    What goes by the logger is cut as what goes by the file.
    """
    run = shared.finished(shared.begin("long-logged"))
    texts = [line["text"] for line in shared.lines(run["id"], stream="logger") if line["task"]]
    first = next(number for number, text in enumerate(texts) if text.startswith("begin "))
    last = texts.index("after the long line")
    mark = " [line continues]"
    assert max(len(text) for text in texts) <= MAX_LINE + len(mark)
    assert "".join(text.removesuffix(mark) for text in texts[first:last]) == "begin " + "y" * 10_000_000 + " end"


def test_a_million_printed_lines_are_stored(shared: Daemon) -> None:
    """
    None lost, none glued, none twice, in order: summed over in the store itself.
    """
    count = 1_000_000
    told = shared.finished(shared.begin("prints", count=count), within_s=90)
    assert told["state"] == "success"
    stored, printed = hashlib.sha256(), hashlib.sha256()
    with closing(sqlite3.connect(f"file:{shared.state}/orchd.sqlite3?mode=ro", uri=True)) as store:
        rows = store.execute("SELECT text FROM log WHERE run_number = ? AND stream = 1 ORDER BY seq", (told["number"],))
        for (text,) in rows:
            stored.update(f"{text}\n".encode())
    for number in range(count):
        printed.update(f"line {number}\n".encode())
    assert stored.hexdigest() == printed.hexdigest()


def test_a_hundred_thousand_lines_are_stored_in_order(shared: Daemon) -> None:
    """
    None is lost, none glued, none twice, though the daemon is killed in the middle of it.
    """
    run = shared.begin("many", count=100_000)
    shared.kill()
    shared.start()
    told = shared.finished(run)
    assert told["state"] == "success"
    assert shared.printed(run) == [f"line {number}" for number in range(100_000)]


@pytest.mark.parametrize(("flow", "state"), [("unpicklable", "success"), ("stored", "failed")])
def test_a_result_that_cannot_be_pickled(shared: Daemon, flow: str, state: str) -> None:
    """
    It goes from task to task within the run; where it is to be stored, the task fails and says so in one sentence.
    """
    run = shared.finished(shared.begin(flow))
    assert run["state"] == state
    assert "Traceback" not in json.dumps([task["message"] for task in run["tasks"]])
    if state == "failed":
        (task,) = run["tasks"]
        assert "lock" in task["message"]
        assert "pickle" in task["message"]


def test_output_beyond_the_limit_is_cut_and_said(shared: Daemon) -> None:
    """
    What is stored is a whole beginning; one marked line says where the rest is.
    """
    shared.configure(daemon='max_output = "64KiB"')
    assert shared.client.post("/reload")["ok"]
    run = shared.finished(shared.begin("many", count=100_000))
    lines = shared.lines(run["id"], stream=None)
    printed = [line["text"] for line in lines if line["stream"] == "stdout"]
    assert printed == [f"line {number}" for number in range(len(printed))]
    assert 50_000 < sum(len(line) for line in printed) <= 65_536
    assert [line for line in lines if "max_output" in line["text"]]
    shared.configure()
    assert shared.client.post("/reload")["ok"]


def test_nothing_is_stuck_after_all_that(shared: Daemon) -> None:
    """
    Every run of this module is over, and nothing of it is left.
    """
    assert not shared.below()
    assert shared.rows("SELECT id FROM flow_run WHERE ended_at_us IS NULL") == []
