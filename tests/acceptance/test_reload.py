"""
Config and flow files that change, for better and for worse, under a running daemon.
"""

import signal
from pathlib import Path

from orchd import clock
from support.checker import check
from support.daemon import Daemon
from support.evidence import COUNTER, TICKER
from support.waiting import eventually

TICK = "[schedules.tick]\nflow = 'ticker'\nevery = '{every}'\ncatchup = 'all'\noverlap = 'allow'\n"


def reload(daemon: Daemon) -> list[str]:
    """
    Reload, which must go well, and return the changes told.
    """
    told = daemon.client.post("/reload")
    assert told["ok"], told["error"]
    return list(told["changes"])


def test_an_edit_decides_the_old_rule_up_to_now_and_then_the_new_one_counts(daemon: Daemon) -> None:
    """
    No fire time is made in the past, none of the old rule is lost, and the row of each says by which version.
    """
    daemon.flow("ticker.py", TICKER)
    daemon.configure(TICK.format(every="0.25s"))
    daemon.start()
    eventually(lambda: len(daemon.slots("tick")) > 3, what="it ticks")
    daemon.configure(TICK.format(every="0.4s"))
    before_us = clock.now_us()
    assert reload(daemon) == ["schedule tick changed"]
    after_us = clock.now_us()
    eventually(lambda: len({slot["schedule_version_id"] for slot in daemon.slots("tick")}) == 2, what="it ticks anew")

    first = [slot["fire_time_us"] for slot in daemon.slots("tick") if slot["schedule_version_id"] == 1]
    second = [slot["fire_time_us"] for slot in daemon.slots("tick") if slot["schedule_version_id"] == 2]
    assert first == list(range(first[0], first[-1] + 1, 250_000))
    assert before_us - 250_000 <= first[-1] <= after_us
    assert min(second) > before_us
    assert min(second) > first[-1]
    assert all(fire_time % 400_000 == 0 for fire_time in second)
    daemon.configure()
    assert reload(daemon) == ["schedule tick is gone"]
    check(daemon)


def test_a_schedule_that_was_gone_comes_back_owing_nothing_and_knows_its_runs(daemon: Daemon) -> None:
    """
    Its earlier run, still going, is in its way as if it had never been gone.
    """
    daemon.flow("counter.py", COUNTER)
    text = "[schedules.tick]\nflow = 'counter'\nevery = '0.3s'\n"
    daemon.configure(text)
    daemon.start()
    eventually(lambda: daemon.slots("tick"), what="it ticks")
    daemon.configure()
    reload(daemon)
    gone = daemon.slots("tick")
    gone_us = clock.now_us()
    eventually(lambda: clock.now_us() > gone_us + 1_000_000, what="time passes")
    daemon.configure(text)
    back_us = clock.now_us()
    assert reload(daemon) == ["schedule tick is new"]
    eventually(lambda: len(daemon.slots("tick")) > len(gone) + 1, what="it ticks again")
    later = daemon.slots("tick")[len(gone) :]
    assert all(slot["fire_time_us"] > back_us for slot in later)
    assert {slot["reason"] for slot in later} == {"overlap"}
    assert len(daemon.runs()) == 1


def test_a_broken_config_changes_nothing_and_is_told_everywhere(daemon: Daemon) -> None:
    """
    Schedules go on; the command, the status and the log name file and line; the mended config takes over.
    """
    daemon.flow("ticker.py", TICKER)
    daemon.configure(TICK.format(every="0.3s"))
    daemon.start()
    for broken in ("[schedules.tick\n", "[schedules.tick]\nflow = 'ticker'\ncron = '61 * * * *'", "[schedules.x]\nn=1"):
        daemon.configure(broken)
        assert "line" in daemon.cli("reload", code=78)
        assert "line" in daemon.status()["config_error"]
        assert "line" in daemon.events("reload_refused")[-1]["why"]
        count = len(daemon.slots("tick"))
        eventually(lambda before=count: len(daemon.slots("tick")) > before, what="it ticks on")
    daemon.configure(TICK.format(every="0.4s"))
    daemon.signal(signal.SIGHUP)
    eventually(lambda: daemon.status()["config_error"] is None, what="the mended config is used")
    assert daemon.client.get("/schedules")["schedules"][0]["rule"] == "every 0.4s"


BROKEN = {
    "syntax.py": ("def flow(:\n    pass\n", "line 1"),
    "imports.py": ("import no_such_module\n", "no_such_module"),
    "endless.py": ("while True: pass\n", "1 s"),
    "raises.py": ("raise RuntimeError('not today')\n", "not today"),
    "exits.py": ("import sys\nsys.exit(3)\n", "ended itself"),
    "killed.py": ("import os\nos.kill(os.getpid(), 9)\n", "SIGKILL"),
    "second.py": (TICKER, "ticker.py already"),
}


def test_broken_flow_files_are_told_and_hurt_nobody(daemon: Daemon) -> None:
    """
    Each kind of broken file gets one sentence in the status; the flows of the others run.
    """
    daemon.flow("a_ticker.py", TICKER)
    for name, (text, _) in BROKEN.items():
        daemon.flow(name, text)
    daemon.flow("nothing.py", "x = 1\n")
    daemon.flow("runs.py", TICKER.replace('"ticker"', '"runs"') + "\nflow.run()\nprint('after')\n")
    daemon.configure(flows='describe_timeout = "1s"')
    daemon.start()
    assert daemon.finished(daemon.begin("ticker"))["state"] == "success"
    assert daemon.finished(daemon.begin("runs"))["state"] == "success"
    told = {Path(entry["file"]).name: entry["error"] for entry in daemon.status()["broken"]}
    for name, (_, word) in BROKEN.items():
        assert word in told.pop(name), name
    assert told == {}
    assert any("runs.py" in event["why"] and "run" in event["why"] for event in daemon.events("flow_file_warning"))
    assert len(daemon.runs()) == 2
    check(daemon)


def test_a_file_that_breaks_keeps_its_flows_and_their_runs_fail_with_the_reason(daemon: Daemon) -> None:
    """
    Its last description stands, its schedules start runs, and those say what is wrong; mended, they succeed.
    """
    daemon.flow("ticker.py", TICKER)
    daemon.configure(TICK.format(every="0.5s"))
    daemon.start()
    eventually(lambda: daemon.runs(state="success"), what="it runs")
    daemon.flow("ticker.py", "import no_such_module\n")
    reload(daemon)
    failed = eventually(lambda: daemon.runs(state="failed"), what="a run fails")[0]
    assert "no_such_module" in failed["message"]
    daemon.flow("ticker.py", TICKER)
    reload(daemon)
    count = len(daemon.runs(state="success"))
    eventually(lambda: len(daemon.runs(state="success")) > count, what="it runs again")


def test_a_schedule_whose_flow_never_loaded_waits_for_it(daemon: Daemon) -> None:
    """
    Its fire times are skipped, in words, until a reload finds the flow; another daemon knows that too.
    """
    daemon.flow("ticker.py", "import no_such_module\n")
    daemon.configure(TICK.format(every="0.4s"))
    daemon.start()
    eventually(lambda: daemon.slots("tick"), what="it ticks")
    assert {slot["reason"] for slot in daemon.slots("tick")} == {"flow_not_loaded"}
    assert "'ticker' has not been loaded" in daemon.why("tick")
    daemon.flow("ticker.py", TICKER)
    reload(daemon)
    eventually(lambda: daemon.runs(state="success"), what="it runs")
