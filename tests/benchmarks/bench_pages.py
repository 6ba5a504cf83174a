"""
Pages and lists over a store with a million runs and ten million log lines, and live pages while a run prints.
"""

import http.client
import json
import selectors
import socket
import threading
import time
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks import asking, filling, measuring
from benchmarks.bench_lines import MemoryWatch
from orchd import clock
from page.browsing import House, chromium
from page.visiting import Visitor, visitor
from support.daemon import Daemon, Json

#: What is older than usual stays: cleaning up beside the asking would be measured too.
PAGE = 'listen = "127.0.0.1:0"\n[retention]\nruns = "365d"\n'
#: Runs of a store in which every page has as many rows as it ever shows, and looks at as many as it ever does.
FEW = 50_000
FLOWS, SCHEDULES = 200, 300
MANY = """
from orchd import Flow, Parameter, task

@task
def extract(region):
    return [region]

@task
def wide(value):
    return value

for n in range({first}, {last}):
    with Flow(f"flow-{{n:03}}") as made:
        wide.map(extract(Parameter("region", default="eu")))
    globals()[f"flow_{{n}}"] = made
"""
#: Prints the time with each line, so that whoever sees one knows how old it is.
TALK = """
import threading, time
from orchd import Flow, Parameter, task

@task
def talk(seconds, at_once, pause):
    rest, begun, told = threading.Event(), time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        for _ in range(at_once):
            told += 1
            print(f"{told} {time.time()} of a usual length, as tasks write it")
        rest.wait(max(0, begun + told / at_once * pause - time.monotonic()))
    print(f"told {told}")

@task
def nothing():
    pass

with Flow("talk") as flow:
    talk(Parameter("seconds"), Parameter("at_once"), Parameter("pause"))

with Flow("nothing") as other:
    nothing()
"""


def schedules() -> str:
    """
    Return schedules of which none is due soon.
    """
    return "".join(
        f'[schedules.nightly-{n:03}]\nflow = "flow-{n % FLOWS:03}"\ncron = "{n % 60} 0 1 1 *"\n'
        for n in range(SCHEDULES)
    )


def pages(place: Path, runs: int, times: int) -> Json:
    """
    Return what each page costs with *runs* runs in the store, with so few that a page can show them, and with none.
    """
    found: dict[str, dict[str, asking.Cost]] = {}
    made: Json = {}
    for name_of_size, size in (("empty", 0), ("few", min(FEW, runs)), ("full", runs)):
        with measuring.daemon_in(place, schedules=schedules(), daemon=PAGE) as daemon:
            for first in range(0, FLOWS, 50):
                daemon.flow(f"many_{first}.py", MANY.format(first=first, last=first + 50))
            daemon.start()
            daemon.stop()
            if size:
                begun = time.perf_counter()
                made = dict(filling.fill(daemon.state / "orchd.sqlite3", runs=size, now_us=clock.now_us() - 60_000_000))
                made["seconds"] = time.perf_counter() - begun
            daemon.start()
            with closing(asking.Asker(visitor(daemon))) as asker:
                words = words_of(daemon, size)
                found[name_of_size] = {
                    name: asker.cost(path.format(**words), times)
                    for name, path in {**asking.PAGES, **asking.LISTS}.items()
                }
                made["first_page_kib"] = asker.first_page() / 1024
    table = {
        name: {
            "ms": cost.ms,
            "ms_few": found["few"][name].ms,
            "ms_empty": found["empty"][name].ms,
            "ratio_to_few": cost.ms / found["few"][name].ms,
            "ratio_to_empty": cost.ms / found["empty"][name].ms,
            "kib": cost.size / 1024,
            "status": cost.status,
        }
        for name, cost in found["full"].items()
    }
    return {"store": made, "asked": table}


def words_of(daemon: Daemon, runs: int) -> dict[str, object]:
    """
    Return what stands for the words in braces of the addresses.
    """
    wanted = {"talker": filling.TALKER, "mapper": filling.MAPPER, "usual": 2}
    ids = {
        row["number"]: row["id"] for row in daemon.rows("SELECT number, id FROM flow_run ORDER BY number DESC LIMIT 3")
    }
    named = {name: ids.get(runs - back, "none") for name, back in wanted.items()}
    return {**named, "middle": runs // 2, "day": (clock.now() - timedelta(days=3)).date()}


class Listener(threading.Thread):
    """
    An open page of a run: takes every event, and knows how old each printed line was when it came.
    """

    def __init__(self, who: Visitor, run: str) -> None:
        super().__init__()
        self.ages_s: list[float] = []
        self.lines = 0
        self._who = who
        self._run = run

    def run(self) -> None:
        """
        Listen until the run is over.
        """
        connection = http.client.HTTPConnection(self._who.host, timeout=60)
        connection.request("GET", f"/runs/{self._run}/live", headers={"Cookie": self._who.cookie or ""})
        with closing(connection.getresponse()) as answer:
            name = ""
            for raw in answer:
                word, _, rest = raw.decode().rstrip("\n").partition(": ")
                name = rest if word == "event" else name
                if name == "end":
                    return
                if word == "data" and name == "lines":
                    self._take(json.loads(rest)["lines"])

    def _take(self, lines: list[Json]) -> None:
        now = clock.now_us() / 1e6
        printed = [line["text"].split() for line in lines if line["stream"] == "stdout"]
        self.lines += len(printed)
        self.ages_s += [now - float(words[1]) for words in printed if len(words) > 2]


class Crowd(threading.Thread):
    """
    Many open pages of a run, which take every event and look at none: what they cost is the daemon's.
    """

    def __init__(self, who: Visitor, run: str, pages: int) -> None:
        super().__init__()
        #: Bytes of all of them.
        self.taken = 0
        self._pages = [self._open(who, run) for _ in range(pages)]

    def _open(self, who: Visitor, run: str) -> socket.socket:
        host, _, port = who.host.rpartition(":")
        opened = socket.create_connection((host, int(port)))
        head = f"GET /runs/{run}/live HTTP/1.1\r\nHost: {who.host}\r\nCookie: {who.cookie}\r\nConnection: close\r\n\r\n"
        opened.sendall(head.encode())
        return opened

    def run(self) -> None:
        """
        Take until the run is over.
        """
        with selectors.DefaultSelector() as ready:
            for page in self._pages:
                ready.register(page, selectors.EVENT_READ)
            while ready.get_map():
                for key, _ in ready.select():
                    part = self._pages[self._pages.index(key.fileobj)].recv(1 << 20)
                    self.taken += len(part)
                    if not part:
                        ready.unregister(key.fileobj)
        for page in self._pages:
            page.close()


def latency(place: Path, seconds: float) -> Json:
    """
    Return how old a line is when an open page has it, in milliseconds, while ten lines a second are printed.
    """
    with measuring.daemon_in(place, daemon=PAGE) as daemon:
        daemon.flow("talk.py", TALK)
        daemon.start()
        listener = Listener(visitor(daemon), daemon.begin("talk", seconds=seconds, at_once=1, pause=0.1))
        listener.start()
        listener.join()
    return {"lines": len(listener.ages_s), **measuring.spread([age * 1000 for age in listener.ages_s])}


#: Notes of each line how old it was, in milliseconds, when the browser had painted it.
_NOTE_AGES = """
window.ages = [];
new MutationObserver((changes) => requestAnimationFrame(() => {
  const now = performance.timeOrigin + performance.now();
  for (const line of changes.flatMap((change) => [...change.addedNodes])) {
    const words = line.querySelector?.(".text")?.textContent.split(" ") ?? [];
    if (words.length > 2 && Number(words[1])) window.ages.push(now - 1000 * Number(words[1]));
  }
})).observe(document.getElementById("log-lines"), { childList: true });
"""


def appearing(place: Path, seconds: float) -> Json:
    """
    Return how old a line is when an open page of Chromium has painted it, in milliseconds.
    """
    with measuring.daemon_in(place, daemon=PAGE) as daemon, sync_playwright() as playwright:
        daemon.flow("talk.py", TALK)
        daemon.start()
        browser = chromium(playwright.chromium)
        with House(daemon=daemon, browser=browser).visit() as person:
            run = daemon.begin("talk", seconds=seconds, at_once=1, pause=0.1)
            person.page.goto(f"/runs/{run}")
            person.page.evaluate(_NOTE_AGES)
            daemon.finished(run, within_s=seconds + 60)
            person.state("Success")
            ages = person.page.evaluate("window.ages")
        browser.close()
    return {"lines": len(ages), **measuring.spread(ages)}


def live(place: Path, listeners: int, seconds: float) -> Json:
    """
    Return what a run that prints 10,000 lines a second costs while *listeners* pages show it.
    """
    every = '[schedules.beat]\nflow = "nothing"\nevery = "0.25s"\n'
    with measuring.daemon_in(place, schedules=every, daemon=PAGE) as daemon, ExitStack() as stack:
        daemon.flow("talk.py", TALK)
        daemon.start()
        assert daemon.process is not None
        who = visitor(daemon)
        before = measuring.memory_mib(daemon.process.pid, "Rss")
        begun = clock.now_us()
        run = daemon.begin("talk", seconds=seconds, at_once=100, pause=0.01)
        watch = stack.enter_context(MemoryWatch(daemon.process.pid))
        crowd = Crowd(who, run, listeners)
        crowd.start()
        daemon.finished(run, within_s=seconds + 60)
        crowd.join()
        printed = daemon.rows(
            "SELECT text FROM log JOIN flow_run ON number = run_number WHERE id = :id AND stream = 1 ORDER BY seq",
            id=run,
        )
        late = daemon.rows(
            "SELECT started_at_us - fire_time_us AS us FROM flow_run WHERE started_at_us IS NOT NULL"
            " AND fire_time_us > :begun",
            begun=begun,
        )
        told = int(printed[-1]["text"].split()[1])
        return {
            "listeners": listeners,
            "lines_per_s": told / seconds,
            "lost": told - (len(printed) - 1),
            "rss_mib": {"before": before, "most": max(watch.seen, default=before)},
            "mib_to_each": crowd.taken / listeners / 2**20 if listeners else None,
            "late_ms": measuring.spread([row["us"] / 1000 for row in late]),
            "beats": len(late),
        }


def main() -> None:
    """
    Measure and print.
    """
    parser = measuring.parser(str(__doc__), size=1_000_000, size_help="runs, with ten lines each")
    parser.add_argument("--times", type=int, default=50, help="how often each page is asked for (default: 50)")
    parser.add_argument("--seconds", type=float, default=20, help="how long a run prints (default: 20)")
    parser.add_argument("--listeners", type=int, default=20, help="live pages (default: 20)")
    given = parser.parse_args()
    figures = {
        **pages(given.place, given.size, given.times),
        "line_to_page_ms": latency(given.place, given.seconds),
        "line_to_chromium_ms": appearing(given.place, given.seconds),
        "printing": {
            "no page": live(given.place, 0, given.seconds),
            "pages": live(given.place, given.listeners, given.seconds),
        },
        "target": "pages at most 50 ms and 1.5 times as long as over a store in which they are just full; lines within"
        " 300 ms; 30 MiB more with the pages, no line lost; 100 KiB for the first page",
    }
    measuring.report("pages over a large store", figures, folder=given.place)


if __name__ == "__main__":
    main()
