"""
Pages for everybody: what axe-core finds, light and dark, on a wide screen and on a phone.
"""

from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import expect

from page.browsing import House
from support.daemon import Daemon
from support.waiting import eventually

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text()
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
MAPPED = "part_of_the_warehouse_of_the_northern_branch-1"
LONG = "load-the-warehouse-of-the-northern-branch-" + "and_everything_that_belongs_to_it" * 2


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """
    A daemon with all that pages can show: long names, runs that succeed, fail, run, are held and have children, mapped
    tasks, a file that does not load, schedules that are paused or skip.
    """
    made = Daemon(tmp_path_factory.mktemp("access"))
    made.flow("much.py", FLOWS.format(long=LONG))
    made.flow("broken.py", "import nothing_of_that_name")
    made.configure(SCHEDULES.format(long=LONG), daemon='listen = "127.0.0.1:0"\nmax_runs = 3\n')
    made.start()
    yield made
    made.close()


FLOWS = """
    import logging
    import threading
    from orchd import Flow, Parameter, task
    from orchd.tasks.flow_runs import StartFlowRun

    @task
    def wait():
        threading.Event().wait()

    with Flow("endless") as endless:
        wait()

    @task(log_stdout=True)
    def part_of_the_warehouse_of_the_northern_branch(n):
        print("reading part", n, "x" * 300)
        logging.getLogger("orchd").warning("part %s smells", n)
        if n == 2:
            raise ValueError("part_2_is_missing_" * 20)

    with Flow("{long}") as load:
        Parameter("options", default={{"mode": "append"}})
        part_of_the_warehouse_of_the_northern_branch.map([1, 2, 3])

    @task
    def take(who, options, dry_run):
        return None

    with Flow("child") as child:
        options = Parameter("options", default={{"a": [1]}})
        take(Parameter("who", default="me"), options, Parameter("dry_run", default=True))

    with Flow("parent") as parent:
        StartFlowRun(flow_name="child", wait=True)()

    with Flow("never-run") as never:
        take(Parameter("who"), 1, 2)
    """
SCHEDULES = """
    [schedules.often]
    flow = "endless"
    every = "1s"

    [schedules.{long}]
    flow = "{long}"
    cron = "0 2 * * *"

    [schedules.paused]
    flow = "child"
    cron = "0 3 * * mon-fri"
    """


@pytest.fixture(scope="module")
def pages(daemon: Daemon) -> dict[str, str]:
    """
    Name -> path of every kind of page there is.
    """
    parent, failed = daemon.begin("parent"), daemon.begin(LONG)
    daemon.finished(parent)
    daemon.finished(failed)
    daemon.client.post("/schedules/paused/pause", {"note": "the warehouse is being moved"})
    eventually(lambda: [slot for slot in daemon.slots("often") if slot["outcome"] == "skipped"], what="a skip")
    for _ in range(3):
        held = daemon.begin("endless")
    tabs = {f"flow, {tab}": f"/flows/{LONG}?tab={tab}" for tab in ("runs", "schedules", "schematic", "versions", "run")}
    return tabs | {
        "overview": "/",
        "flows": "/flows",
        "form": "/flows/child?tab=run",
        "flow that never ran": "/flows/never-run",
        "runs": "/runs",
        "parent": f"/runs/{parent}",
        "failed": f"/runs/{failed}",
        "held": f"/runs/{held}",
        "mapped task": f"/runs/{failed}/tasks/{MAPPED}",
        "child that failed": f"/runs/{failed}/tasks/{MAPPED}?index=2",
        "children of no such state": f"/runs/{failed}/tasks/{MAPPED}?state=skipped",
        "schedules": "/schedules",
        "schedule": "/schedules/often",
        "paused schedule": "/schedules/paused",
        "slots": "/slots",
        "nowhere": "/nowhere",
        "a value that is no state": "/runs?state=none",
    }


def _violations(page: Any, *rules: str) -> list[str]:
    options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    found = page.evaluate("async (options) => (await axe.run(options)).violations", options)
    return [f"{each['id']}: {node['html'][:200]} {node['failureSummary']}" for each in found for node in each["nodes"]]


def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(house: House, pages: dict[str, str]) -> None:
    """
    On every page, opened out, in light and dark, at 1280 and 390 px: no violation of any of axe's rules, contrast among
    them, and no page to be scrolled sideways.
    """
    wrong: list[str] = []
    with house.visit(expected=("the server responded with a status of 4",)) as person:
        page = person.page
        page.context.add_init_script(AXE)
        for name, path in pages.items():
            page.goto(path)
            expect(page.locator("main")).to_be_visible()
            page.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
            for size in (WIDE, PHONE):
                page.set_viewport_size(size)
                # The dark differs from the light in its colours only.
                for scheme, rules in (("light", ()), ("dark", ("color-contrast",))):
                    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                    wrong += [f"{name}, {size['width']}, {scheme}: {said}" for said in _violations(page, *rules)]
                over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                wrong += [f"{name}, {size['width']}: {over} px too wide"] if over > 0 else []
    assert not wrong, "\n".join(wrong)


def test_the_doors_are_for_everybody(house: House) -> None:
    """
    Also the pages of those who are not in: with a link, and without.
    """
    with house.visit(login=False, expected=("401",)) as person:
        page = person.page
        page.context.add_init_script(AXE)
        for path in (house.link(), "/login", "/"):
            page.goto(path)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                assert _violations(page) == []


def test_a_live_page_stays_well(house: House, pages: dict[str, str]) -> None:
    """
    What the script has put in place of what stood there is as good: ids stay unique, names stay.
    """
    with house.visit() as person:
        person.page.context.add_init_script(AXE)
        person.page.goto("/slots")
        first = person.page.locator("#slot-rows time").first.get_attribute("datetime")
        expect(person.page.locator("#slot-rows time").first).not_to_have_attribute("datetime", str(first))

        assert _violations(person.page) == []
