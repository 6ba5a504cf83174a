"""
Many windows, windows that nobody sees, and people who hold on to something while a page changes.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from page.browsing import House, Person
from support.daemon import Daemon

#: More than the six connections that a browser has to one server.
WINDOWS = 9
#: What a browser does with a window behind others; a headless one has all of them in front.
HIDE = """(isHidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """
    A daemon with ``gated``, which goes on when a file is there, and ``tuned``, which takes something structured.
    """
    made = Daemon(tmp_path_factory.mktemp("windows"))
    made.flow("gated.py", GATED)
    made.configure(SCHEDULE, daemon='listen = "127.0.0.1:0"\n')
    made.start()
    yield made
    made.close()


SCHEDULE = """
    [schedules.yearly]
    flow = "gated"
    cron = "0 2 1 1 *"
    parameters = { gate = "/nowhere" }
    """
GATED = """
    import threading
    from pathlib import Path
    from orchd import Flow, Parameter, task

    @task(log_stdout=True)
    def wait(gate):
        print("waiting")
        while not Path(gate).exists():
            threading.Event().wait(0.02)

    with Flow("gated") as gated:
        wait(Parameter("gate"))

    @task
    def tune(options):
        return options

    with Flow("tuned") as tuned:
        tune(Parameter("options", default={}))
    """


@pytest.fixture
def person(house: House) -> Iterator[Person]:
    """
    Somebody who is logged in.
    """
    with house.visit() as made:
        yield made


def _begin(daemon: Daemon, name: str) -> str:
    return daemon.begin("gated", gate=str(daemon.home / name))


def _open(person: Person, path: str) -> Page:
    page = person.window()
    page.goto(path)
    return page


def test_windows_behind_others_hold_no_connection(person: Person) -> None:
    """
    A browser has six for all of them: with more windows than that the next page opens all the same.
    """
    for _ in range(WINDOWS):
        page = _open(person, "/")
        page.evaluate(HIDE, True)

    expect(_open(person, "/flows").get_by_role("heading", name="Flows")).to_be_visible()


def test_a_window_that_comes_to_the_front_shows_what_it_missed(person: Person, daemon: Daemon) -> None:
    """
    State and log are caught up without loading the page again.
    """
    run = _begin(daemon, "seen")
    person.page.goto(f"/runs/{run}")
    person.state("Running")
    person.mark()
    person.page.evaluate(HIDE, True)
    (daemon.home / "seen").touch()
    daemon.finished(run)

    person.page.evaluate(HIDE, False)

    person.state("Success")
    expect(person.page.locator("#log-lines")).to_contain_text("SUCCESS")
    assert person.is_marked()


def test_what_has_the_focus_changes_too_and_keeps_it(person: Person, daemon: Daemon) -> None:
    """
    Somebody who has just unfolded the parameters sees the state move, and where the keyboard is.
    """
    run = _begin(daemon, "held")
    person.page.goto(f"/runs/{run}")
    person.state("Running")
    person.page.locator("#parameters summary").click()

    (daemon.home / "held").touch()

    person.state("Success")
    expect(person.page.locator("#parameters summary")).to_be_focused()
    expect(person.page.locator("#parameters pre")).to_be_visible()


def test_two_clicks_start_one_run(person: Person, daemon: Daemon) -> None:
    """
    On the overview too, where many buttons stand.
    """
    person.page.goto("/")
    person.page.locator("#flows tr", has_text="tuned").get_by_role("button", name="Quick run").dblclick()
    person.page.wait_for_url("**/runs/*")

    assert daemon.rows("SELECT count(*) AS n FROM flow_run WHERE flow = 'tuned'") == [{"n": 1}]


def test_who_was_logged_out_elsewhere_is_told(house: House) -> None:
    """
    An open page does not take that for a daemon that is gone.
    """
    with house.visit(expected=("401",)) as person:
        other = _open(person, "/flows")
        other.get_by_role("button", name="Log out").click()

        person.page.evaluate(HIDE, True)
        person.page.evaluate(HIDE, False)

        expect(person.page.locator("#link-state")).to_contain_text("You are logged out")


def test_a_file_that_stops_to_load_appears_on_an_open_page(person: Person, daemon: Daemon) -> None:
    """
    A part that was not there when the page was made comes as well.
    """
    person.page.goto("/")
    person.mark()
    daemon.flow("broken.py", "raise ValueError('no such thing')")
    daemon.cli("reload", code=None)

    expect(person.page.locator("#broken")).to_contain_text("no such thing")
    assert person.is_marked()


def test_a_schedule_is_paused_where_its_flow_is(person: Person) -> None:
    """
    With a note, from the flow's own page.
    """
    person.page.goto("/flows/gated?tab=schedules")
    person.page.get_by_label("Note to yearly").fill("not this year")
    person.page.get_by_role("button", name="Pause").click()

    expect(person.page.locator("#facts")).to_contain_text("not this year")
    person.page.goto("/flows/gated?tab=schedules")
    person.page.get_by_role("button", name="Unpause").click()
    expect(person.page.locator("#facts .state")).to_have_text("on")
