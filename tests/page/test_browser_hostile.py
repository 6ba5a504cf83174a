"""
Names, values, lines and sentences that would like to be markup: threat T10.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

import orchd
from page.browsing import House
from support.daemon import ORCHD, Daemon

CANARY = "canary-7c1f"
#: No name has a slash in it; everything else has all of it.
NAME = f"""\"><img src={CANARY} onerror=alert(1)>'"""
TEXT = (
    f"""{NAME}</div></title></pre></textarea></script><script>alert("{CANARY}")</script>"""
    "{{7*7}}<svg onload=alert(1)>"
)
WEB = Path(orchd.__file__).parent / "web"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """
    A daemon all of whose people are hostile.
    """
    made = Daemon(tmp_path_factory.mktemp("hostile"))
    made.flow(f"{NAME}.py", FLOW.format(name=NAME, text=TEXT))
    made.flow(f"broken{NAME}.py", f"raise ValueError({TEXT!r})")
    made.configure(SCHEDULES.format(name=json.dumps(NAME), text=json.dumps(TEXT)), daemon='listen = "127.0.0.1:0"\n')
    made.start()
    yield made
    made.close()


FLOW = """
    import logging
    from orchd import Flow, Parameter, task

    NAME = {name!r}
    TEXT = {text!r}

    @task(name=NAME, log_stdout=True)
    def hostile(value):
        print(TEXT)
        logging.getLogger("orchd").error(TEXT)
        raise ValueError(TEXT)

    @task(name=NAME + " mapped")
    def each(n):
        if n == 1:
            raise ValueError(TEXT)

    with Flow(NAME) as flow:
        hostile(Parameter(NAME, default={{NAME: TEXT}}))
        each.map([1, 2])
    """
SCHEDULES = """
    [schedules.{name}]
    flow = {name}
    cron = "0 2 * * *"
    parameters = {{ {name} = {text} }}
    """


def test_nothing_that_people_write_becomes_markup(house: House) -> None:
    """
    Chromium opens every page: no dialog, nothing asked of the canary, nothing for the policy to forbid, no error; and
    each page shows the text as it was written.
    """
    daemon = house.daemon
    started = daemon.client.post("/runs", {"flow": NAME, "name": NAME, "parameters": {NAME: TEXT}})["run"]["id"]
    subprocess.run([ORCHD, "pause", NAME, "--note", TEXT], env=daemon.env, check=True, capture_output=True)
    daemon.client.post("/projects", {"name": NAME})
    daemon.finished(started)
    flow, schedule = f"/flows/{quote(NAME)}", f"/schedules/{quote(NAME)}"
    good = [
        "/",
        "/flows",
        *(f"{flow}?tab={tab}" for tab in ("runs", "schedules", "schematic", "versions", "run")),
        f"{flow}?tab=run&from={started}",
        f"/runs?parameter={quote(TEXT)}",
        f"/runs/{started}",
        f"/runs/{started}?text={quote(CANARY)}&task={quote(NAME)}",
        f"/runs/{started}/tasks/{quote(NAME + '-1', safe='')}",
        f"/runs/{started}/tasks/{quote(NAME + ' mapped-1', safe='')}?index=1",
        f"/runs/{started}/schematic.svg",
        f"/runs/{started}/log.txt?plain",
        "/schedules",
        schedule,
        f"/slots?schedule={quote(NAME)}",
    ]
    bad = [
        f"{flow}x",
        f"/{quote(NAME)}",
        f"/runs/{quote(NAME)}",
        f"{flow}?tab={quote(TEXT)}",
        f"/slots?until={quote(TEXT)}",
        f"/runs/{started}/tasks/{quote(TEXT, safe='')}",
        f"/runs?until={quote(TEXT)}",
    ]
    with house.visit(expected=("the server responded with a status of 4",)) as person:
        for path in (*good, *bad):
            if "log.txt" in path:
                continue
            person.page.goto(path)
            if not path.endswith(".svg"):
                expect(person.page.locator("main")).to_be_visible()
                assert person.page.locator("img").evaluate_all("(all) => all.every((one) => one.alt)")
                assert person.page.locator("main script, main [onload], main [onerror]").count() == 0
        assert not [url for url in person.asked if re.search(rf"/{CANARY}$", url)]
        person.page.goto(f"/runs/{started}")
        expect(person.page.locator("#log-lines .text", has_text="{{7*7}}").first).to_contain_text(TEXT)
        expect(person.page.locator("#tasks")).to_contain_text(NAME)


def test_a_live_page_shows_lines_as_text(house: House) -> None:
    """
    What comes in while the page is open, and what is loaded by scrolling, is text as well.
    """
    with house.visit() as person:
        person.page.goto(f"/flows/{quote(NAME)}?tab=run")
        person.page.get_by_role("button", name="Run", exact=True).click()
        expect(person.page.locator("#facts .state").first).to_have_text("Failed")
        expect(person.page.locator("#log-lines .text", has_text="{{7*7}}").first).to_contain_text(TEXT)


def test_texts_are_given_as_texts(house: House) -> None:
    """
    A log is text/plain and never guessed at; a picture that is opened by itself may run nothing.
    """
    run = house.daemon.rows("SELECT id FROM flow_run LIMIT 1")[0]["id"]
    with house.visit() as person:
        log = person.page.request.get(f"/runs/{run}/log.txt")
        assert log.headers["content-type"] == "text/plain; charset=utf-8"
        assert log.headers["x-content-type-options"] == "nosniff"
        picture = person.page.request.get(f"/runs/{run}/schematic.svg")
        assert picture.headers["content-type"].startswith("image/svg+xml")
        assert "script-src 'self'" in picture.headers["content-security-policy"]


@pytest.mark.parametrize(
    "pattern",
    [
        "innerHTML|outerHTML|insertAdjacent|document\\.write|\\beval\\b|new Function",
        "\\| *safe\\b",
        "\\bstyle=",
        "\\bon[a-z]+=",
    ],
)
def test_no_source_of_a_page_makes_markup_of_text(pattern: str) -> None:
    """
    Neither templates nor script have a way to do it, nor styles and handlers that the policy would have to allow.
    """
    files = [*(WEB / "templates").iterdir(), *(WEB / "static").glob("*.js")]
    found = [
        f"{file.name}:{number}: {line.strip()}"
        for file in files
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if re.search(pattern, line) and not (file.suffix == ".js" and "on[a-z]" in pattern)
    ]

    assert len(files) > 5
    assert found == []
