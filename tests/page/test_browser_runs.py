"""
What people do with runs, in a real browser: start, watch, read the log, break, restart.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from page.browsing import House, Person
from support.daemon import Daemon

FLOWS = Path(__file__).parents[2] / "flows"
LINES = 20_000
#: Lines that a page may hold, and what may come on top of them before the oldest leave.
MOST_LINES = 2_000 + 500


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """
    A daemon with the iris flow; ``gated``, which goes on when a file is there; ``brittle``, which fails until one is;
    and ``chatty``.
    """
    made = Daemon(tmp_path_factory.mktemp("runs"))
    shutil.copy(FLOWS / "data_engineering.py", made.flows)
    shutil.copytree(FLOWS / "data", made.flows / "data", ignore=shutil.ignore_patterns("processed"))
    made.flow("gated.py", GATED.format(gate=made.home / "gate", mended=made.home / "mended"))
    made.configure(daemon='listen = "127.0.0.1:0"\n')
    made.start()
    yield made
    made.close()


GATED = """
    import logging
    import threading
    from datetime import timedelta
    from pathlib import Path
    from orchd import Flow, Parameter, task, unmapped

    @task(log_stdout=True)
    def wait(gate):
        print("waiting")
        while not Path(gate).exists():
            threading.Event().wait(0.02)
        print("the gate is open")

    with Flow("gated") as gated:
        wait(Parameter("gate", default="{gate}"))

    @task
    def good():
        return 1

    @task
    def fails_until_mended(x):
        logging.getLogger("orchd").warning("about to look")
        if not Path("{mended}").exists():
            raise ValueError("not mended yet")

    with Flow("brittle") as brittle:
        fails_until_mended(good())

    @task(log_stdout=True)
    def talk(n):
        for i in range(n):
            print(f"line {{i}} of many")

    with Flow("chatty") as chatty:
        talk(Parameter("n", default=10))

    @task(max_retries=1, retry_delay=timedelta(seconds=0), name="one/two")
    def second_time(tries=[]):
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("the first time never works")

    @task
    def odd(n):
        if n % 2 == 0:
            raise ValueError(f"{{n}} is even")

    with Flow("wide") as wide:
        odd.map(list(range(250)), upstream_tasks=[unmapped(second_time())])
    """


@pytest.fixture
def person(house: House) -> Iterator[Person]:
    """
    Somebody who is logged in.
    """
    with house.visit() as made:
        yield made


def test_a_link_of_orchd_open_logs_in(house: House) -> None:
    """
    A person opens what the command prints, clicks, and is on the overview.
    """
    url = house.daemon.cli("open").split()[-1]
    with house.visit(login=False) as person:
        person.page.goto(url)
        person.page.get_by_role("button", name="Log in").click()

        expect(person.page.get_by_role("heading", name="Running now")).to_be_visible()
        expect(person.page.get_by_role("link", name="data-engineer").first).to_be_visible()


def test_quick_run_of_iris(person: Person) -> None:
    """
    One click on the overview, and its run's page shows it to the end.
    """
    row = person.page.get_by_role("row", name="data-engineer")
    row.get_by_role("button", name="Quick run").click()

    person.page.wait_for_url("**/runs/*")
    person.state("Success")
    expect(person.page.locator("#tasks")).to_contain_text("split_data-1")
    expect(person.page.locator("#log-lines")).to_contain_text("120 flowers to train on, 30 to test with")


def test_iris_with_a_parameter(person: Person) -> None:
    """
    The form offers the defaults, what is typed goes to the run, and its log tells so.
    """
    person.page.goto("/flows/data-engineer?tab=run")
    field = person.page.get_by_label("test_data_ratio")
    expect(field).to_have_value("0.2")
    field.fill("0.3")
    person.page.get_by_role("button", name="Run", exact=True).click()

    person.page.wait_for_url("**/runs/*")
    person.state("Success")
    expect(person.page.locator("#log-lines")).to_contain_text("105 flowers to train on, 45 to test with")
    person.page.get_by_text("Parameters").click()
    expect(person.page.locator("#facts pre")).to_contain_text('"test_data_ratio": 0.3')


def test_a_wrong_value_is_said_beside_its_field(house: House) -> None:
    """
    What was typed stays, the reason stands below it and is tied to it; nothing is started.
    """
    before = house.daemon.rows("SELECT count(*) AS n FROM flow_run")
    with house.visit(expected=("422",)) as person:
        person.page.goto("/flows/data-engineer?tab=run")
        field = person.page.get_by_label("test_data_ratio")
        field.fill("a third")
        person.page.get_by_role("button", name="Run", exact=True).click()

        expect(person.page.get_by_text("'a third' is no number; write one such as 0.3")).to_be_visible()
        expect(field).to_have_value("a third")
        expect(field).to_have_accessible_description("'a third' is no number; write one such as 0.3")
    assert house.daemon.rows("SELECT count(*) AS n FROM flow_run") == before


def test_a_run_is_watched_live(house: House, person: Person, tmp_path: Path) -> None:
    """
    Its lines, its tasks and its end appear on the open page, which is not loaded again; a second window sees the same.
    """
    gate = tmp_path / "gate"
    run = house.daemon.begin("gated", gate=str(gate))
    other = person.window()
    for page in (person.page, other):
        page.goto(f"/runs/{run}")
    person.state("Running")
    expect(person.page.locator("#log-lines")).to_contain_text("waiting")
    person.mark()
    gate.touch()

    person.state("Success")
    for page in (person.page, other):
        expect(page.locator("#log-lines")).to_contain_text("the gate is open")
        expect(page.locator("#tasks .state").last).to_have_text("Success")
        expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    assert person.is_marked()


def test_nothing_jumps_while_it_is_live(house: House, person: Person, tmp_path: Path) -> None:
    """
    Chromium counts no layout shift on the overview, nor on the run's page, from a run's start to its end.
    """
    gate = tmp_path / "gate"
    count = """() => new PerformanceObserver((list) => {
        for (const shift of list.getEntries()) window.shifted = (window.shifted ?? 0) + shift.value;
    }).observe({ type: "layout-shift", buffered: true })"""
    watched = person.window()
    person.page.goto("/")
    person.page.evaluate(count)
    run = house.daemon.begin("gated", gate=str(gate))
    watched.goto(f"/runs/{run}")
    watched.evaluate(count)
    expect(person.page.locator("#running")).to_contain_text("gated")
    gate.touch()

    expect(watched.locator("#facts .state").first).to_have_text("Success")
    expect(person.page.locator("#running")).not_to_contain_text("gated")
    for page in (person.page, watched):
        # Source: Google's "good" is below 0.1.
        assert page.evaluate("window.shifted ?? 0") < 0.1


def test_a_run_is_cancelled(house: House, person: Person, tmp_path: Path) -> None:
    """
    One click, and the page says so.
    """
    run = house.daemon.begin("gated", gate=str(tmp_path / "never"))
    person.page.goto(f"/runs/{run}")
    person.state("Running")
    person.page.get_by_role("button", name="Cancel").click()

    person.state("Cancelled")


def test_a_broken_flow_is_restarted_from_its_failed_task(house: House, person: Person) -> None:
    """
    The failure is told, the cause is mended, one click goes on from it, and what was good is not done again.
    """
    (house.daemon.home / "mended").unlink(missing_ok=True)
    person.page.goto("/flows/brittle")
    person.page.get_by_role("button", name="Quick run").click()
    person.page.wait_for_url("**/runs/*")
    person.state("Failed")
    expect(person.page.locator("#tasks")).to_contain_text("not mended yet")
    failed = person.page.url
    (house.daemon.home / "mended").touch()
    person.page.get_by_role("button", name="Restart from failed").click()

    person.page.wait_for_url(lambda url: url != failed)
    person.state("Success")
    expect(person.page.locator("#facts")).to_contain_text("goes on from")
    person.page.goto(failed)
    expect(person.page.locator("#facts")).to_contain_text("goes on from it")


def test_a_task_run_tells_each_of_its_attempts(house: House, person: Person) -> None:
    """
    With every state, its message and where the result is; also of a task whose name is no part of an address.
    """
    run = house.daemon.begin("wide")
    house.daemon.finished(run)
    person.page.goto(f"/runs/{run}")
    person.page.get_by_role("link", name="one/two-1").click()

    expect(person.page.locator("#facts")).to_contain_text("attempt 2")
    expect(person.page.locator("#facts .path")).to_contain_text(".kept")
    states = person.page.locator("#attempts .state").all_inner_texts()
    assert ["Running", "Retrying", "Running", "Success"] == states
    assert ["1", "2"] == person.page.locator("#attempts tr:first-child td:first-child").all_inner_texts()


def test_children_are_filtered_and_turned_page_by_page(house: House, person: Person) -> None:
    """
    From the run, which lists those that failed first, to all 125 of them, and to one with its message.
    """
    run = house.daemon.begin("wide")
    house.daemon.finished(run)
    person.page.goto(f"/runs/{run}")
    expect(person.page.get_by_role("row", name="odd-1").locator(".state.bad").first).to_have_text("Mapped")
    person.page.get_by_text("250 mapped").click()
    person.page.get_by_role("link", name="all of them").click()
    person.page.locator("select[name=state]").select_option("failed")
    person.page.get_by_role("button", name="Filter").click()
    rows = person.page.locator("#children tbody tr")
    expect(rows).to_have_count(100)
    person.page.get_by_role("link", name="Further ones").click()
    expect(rows).to_have_count(25)
    expect(person.page.get_by_role("link", name="Further ones")).to_have_count(0)
    person.page.get_by_role("link", name="[248]").click()

    expect(person.page.locator("#facts")).to_contain_text("248 is even")


def test_a_run_again_begins_with_the_parameters_of_the_old_one(house: House, person: Person) -> None:
    """
    The form comes filled with what the old run had.
    """
    run = house.daemon.begin("chatty", n=7)
    house.daemon.finished(run)
    person.page.goto(f"/runs/{run}")
    person.page.get_by_role("link", name="Run again").click()

    expect(person.page.get_by_label("n", exact=True)).to_have_value("7")


def test_the_log_is_filtered(house: House, person: Person) -> None:
    """
    By task, by level and by text; and the first error is one click away.
    """
    (house.daemon.home / "mended").unlink(missing_ok=True)
    run = house.daemon.begin("brittle")
    house.daemon.finished(run)
    log = person.page.locator("#log-lines")
    person.page.goto(f"/runs/{run}")
    expect(log).to_contain_text("about to look")

    person.page.locator("select[name=task]").select_option("good-1")
    person.page.get_by_role("button", name="Filter").click()
    expect(log).not_to_contain_text("about to look")
    expect(log).to_contain_text("good")

    person.page.goto(f"/runs/{run}")
    person.page.locator("select[name=level]").select_option("warning")
    person.page.get_by_label("Text", exact=True).fill("LOOK")
    person.page.get_by_role("button", name="Filter").click()
    expect(log.locator(".line")).to_have_count(1)
    expect(log.locator(".line")).to_contain_text("about to look")

    person.page.get_by_role("link", name="First error").click()
    expect(log.locator(":target")).to_be_in_viewport()
    expect(log.locator(":target")).to_contain_text("not mended yet")


def test_a_long_log_stays_a_window(house: House, person: Person) -> None:
    """
    Of 20,000 lines the page holds a bounded part, up to the first line and down to the last; none is missing on the
    way, and what is seen stays where it is.
    """
    run = house.daemon.begin("chatty", n=LINES)
    house.daemon.finished(run, within_s=60)
    person.page.goto(f"/runs/{run}")
    log = person.page.locator("#log-lines")
    expect(log).to_contain_text(f"line {LINES - 1} of many")

    seen = person.page.evaluate(SCROLL, {"down": False, "until": "line 0 of many"})
    assert seen["most"] <= MOST_LINES
    assert seen["numbers"] == LINES
    seen = person.page.evaluate(SCROLL, {"down": True, "until": f"line {LINES - 1} of many"})
    assert seen["most"] <= MOST_LINES
    assert seen["numbers"] == LINES


#: Scrolls to one end of the log again and again until a text is there; counts the different lines that were in the
#: page, and the most that were at once.
SCROLL = """async ({ down, until }) => {
    const log = document.getElementById("log-lines");
    const numbers = new Set();
    let most = 0;
    const look = () => {
        most = Math.max(most, log.childElementCount);
        for (const line of log.querySelectorAll(".text")) {
            const found = /^line (\\d+) of many$/.exec(line.textContent);
            if (found) numbers.add(found[1]);
        }
        return log.textContent.includes(until);
    };
    while (!look()) {
        await new Promise((changed) => {
            const watch = new MutationObserver(() => { watch.disconnect(); changed(); });
            watch.observe(log, { childList: true });
            log.scrollTop = down ? log.scrollHeight : log.scrollTop === 0 ? 1 : 0;
        });
    }
    return { most, numbers: numbers.size };
}"""


def test_the_newest_lines_are_one_click_away(house: House, person: Person) -> None:
    """
    However far up somebody has read, and whatever has left the page meanwhile.
    """
    run = house.daemon.begin("chatty", n=6000)
    house.daemon.finished(run, within_s=60)
    person.page.goto(f"/runs/{run}")
    log = person.page.locator("#log-lines")
    person.page.evaluate(SCROLL, {"down": False, "until": "line 0 of many"})
    expect(log).not_to_contain_text("line 5999 of many")
    person.page.get_by_role("link", name="Newest").click()

    expect(log).to_contain_text("line 5999 of many")
    expect(log).not_to_contain_text("line 0 of many")
    assert log.evaluate("(log) => log.scrollHeight - log.scrollTop - log.clientHeight") < 2


def test_a_text_is_looked_for_further_back(house: House, person: Person) -> None:
    """
    One look goes through so many lines; what lies before them is a click away.
    """
    run = house.daemon.begin("chatty", n=60_000)
    house.daemon.finished(run, within_s=60)
    person.page.goto(f"/runs/{run}?text=line+3+of")
    expect(person.page.get_by_text("No line fits.")).to_be_visible()
    person.page.get_by_role("link", name="Look further back").click()

    expect(person.page.locator("#log-lines .line")).to_have_count(1)
    expect(person.page.locator("#log-lines .line")).to_contain_text("line 3 of many")
    expect(person.page.get_by_role("link", name="Look further back")).to_have_count(0)


def test_the_whole_log_is_downloaded(house: House, person: Person) -> None:
    """
    As a file of text, each line with its time, its level and its task.
    """
    run = house.daemon.begin("chatty", n=3)
    house.daemon.finished(run)
    person.page.goto(f"/runs/{run}")
    with person.page.expect_download() as download:
        person.page.get_by_role("link", name="Download").click()

    text = Path(download.value.path()).read_text()
    assert download.value.suggested_filename == f"{run}.log"
    assert [line.partition(" INFO talk-1 ")[2] for line in text.splitlines() if "of many" in line] == [
        f"line {n} of many" for n in range(3)
    ]


def test_the_schematic_is_drawn_and_zoomed(house: House, person: Person) -> None:
    """
    Of the flow, and of a run in the colours of its states; larger and smaller by buttons.
    """
    person.page.goto("/flows/data-engineer?tab=schematic")
    image = person.page.locator(".picture img")
    expect(image).to_have_js_property("complete", True)
    before = image.evaluate("(image) => image.getBoundingClientRect().width")
    assert before > 100
    person.page.get_by_role("button", name="Larger").click()
    assert image.evaluate("(image) => image.getBoundingClientRect().width") > before
    person.page.get_by_role("button", name="Fit").click()
    assert image.evaluate("(image) => image.getBoundingClientRect().width") == before

    run = house.daemon.begin("brittle")
    house.daemon.finished(run)
    person.page.goto(f"/runs/{run}")
    person.page.get_by_text("Schematic").click()
    expect(person.page.locator(".picture img")).to_be_visible()
    assert "#d3efdf" in person.page.request.get(f"/runs/{run}/schematic.svg").text()


def test_a_page_outlives_the_daemon(house: House, tmp_path: Path) -> None:
    """
    It says that the daemon is away, and is right again by itself when it is back; the run went on meanwhile.
    """
    gate = tmp_path / "gate"
    run = house.daemon.begin("gated", gate=str(gate))
    port = house.address().rpartition(":")[2]
    with house.visit(expected=("ERR_", "Failed to load resource")) as person:
        person.page.goto(f"/runs/{run}")
        person.state("Running")
        house.daemon.configure(daemon=f'listen = "127.0.0.1:{port}"\n')
        house.daemon.kill()
        expect(person.page.locator("#link-state")).to_contain_text("does not answer")
        gate.touch()
        house.daemon.start()

        person.state("Success")
        expect(person.page.locator("#link-state")).to_be_empty()
