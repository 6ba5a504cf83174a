"""
What people do with schedules and slots, and those who may only look, have no script, have no mouse, or are lost.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from page.browsing import House, Person, chromium
from support.daemon import Daemon
from support.waiting import eventually


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """
    A daemon with ``busy``, whose only run never ends, so that the fire times of its schedule are skipped; ``greet``
    with a parameter and a nightly schedule; ``brittle``, which fails.
    """
    made = Daemon(tmp_path_factory.mktemp("people"))
    made.flow("people.py", FLOWS)
    made.configure(SCHEDULES, daemon='listen = "127.0.0.1:0"\n')
    made.start()
    eventually(lambda: [slot for slot in made.slots("often") if slot["outcome"] == "skipped"], what="a skip")
    yield made
    made.close()


FLOWS = """
    import threading
    from orchd import Flow, Parameter, task

    @task
    def wait():
        threading.Event().wait()

    with Flow("busy") as busy:
        wait()

    @task(log_stdout=True)
    def greet(name, times):
        print(f"hello {name}" * times)

    with Flow("greet") as flow:
        greet(Parameter("name", default="world"), Parameter("times", default=1))

    @task
    def fail():
        raise ValueError("not today")

    with Flow("brittle") as brittle:
        fail()
    """
SCHEDULES = """
    [schedules.often]
    flow = "busy"
    every = "1s"
    overlap = "skip"

    [schedules.nightly]
    flow = "greet"
    cron = "0 2 * * *"
    """
PAGES = ("/", "/flows", "/flows/greet", "/runs", "/schedules", "/schedules/nightly", "/slots")


@pytest.fixture
def person(house: House) -> Iterator[Person]:
    """
    Somebody who is logged in.
    """
    with house.visit() as made:
        yield made


def test_a_schedule_is_paused_with_a_note(person: Person) -> None:
    """
    Who paused it and why is told to everybody, until it goes on.
    """
    other = person.window()
    other.goto("/schedules")
    person.page.goto("/schedules/nightly")
    person.page.get_by_placeholder("why, for the others").fill("the warehouse is being moved")
    person.page.get_by_role("button", name="Pause").click()

    expect(person.page.locator("#facts")).to_contain_text("the warehouse is being moved")
    expect(person.page.locator("#facts")).to_contain_text("paused by")
    expect(other.get_by_role("row", name="nightly")).to_contain_text("paused by")
    person.page.get_by_role("button", name="Unpause").click()
    expect(person.page.locator("#facts .state")).to_have_text("on")
    expect(other.get_by_role("row", name="nightly")).not_to_contain_text("paused by")


def test_slots_tell_why_a_fire_time_was_skipped(person: Person) -> None:
    """
    From the overview to the ledger, and there the reason in words.
    """
    person.page.get_by_role("link", name="All of them").click()
    expect(person.page.get_by_role("cell", name="skipped because run").first).to_be_visible()

    person.page.locator("select[name=schedule]").select_option("often")
    person.page.locator("select[name=outcome]").select_option("started")
    person.page.get_by_role("button", name="Filter").click()
    expect(person.page.get_by_role("cell", name="started on time").first).to_be_visible()
    expect(person.page.get_by_text("skipped because")).to_have_count(0)


def test_the_overview_lists_the_next_ten_fire_times(person: Person) -> None:
    """
    Of all schedules, in the viewer's zone and in UTC; a frequent one does not hide when the nightly comes.
    """
    rows = person.page.locator("#next tbody tr")
    expect(rows).to_have_count(10)
    zones = rows.first.locator("time").evaluate_all("(all) => all.map((one) => [one.dataset.show, one.dateTime])")
    assert ["full", "utc"] == [mode for mode, _ in zones]
    assert zones[0][1] == zones[1][1]
    expect(person.page.locator("#next p")).to_contain_text("nightly")


def test_a_flow_tells_when_each_of_its_schedules_fires(person: Person) -> None:
    """
    Ten fire times below each; none while it is paused.
    """
    person.page.goto("/flows/greet?tab=schedules")

    expect(person.page.locator("#schedules .under time")).to_have_count(10)


def test_slots_up_to_a_day(person: Person) -> None:
    """
    The day is in it, stays in the filter, and is the day of UTC.
    """
    person.page.goto("/slots?until=2020-02-29")
    expect(person.page.get_by_label("Up to (UTC)")).to_have_value("2020-02-29")
    expect(person.page.get_by_text("No fire time fits.")).to_be_visible()


def test_the_week_shows_the_rare_beside_the_frequent(person: Person) -> None:
    """
    A schedule of each second is one line; the nightly one stands on each day.
    """
    person.page.goto("/schedules")

    expect(person.page.locator(".often")).to_contain_text("often every second (every 1s, UTC)")
    assert person.page.locator(".day", has_text="nightly").count() == 7
    expect(person.page.locator(".day").nth(1)).to_contain_text("02:00 nightly")


@pytest.mark.parametrize("path", ["/runs/%00", "/runs?parameter=%00"])
def test_an_address_with_nul_gives_a_page(house: House, path: str) -> None:
    """
    As any other that cannot be meant.
    """
    with house.visit(expected=("400",)) as person:
        person.page.goto(path)

        expect(person.page.get_by_role("heading", name="This cannot be meant")).to_be_visible()


@pytest.mark.parametrize("path", ["/nowhere", "/flows/none", "/runs/none", "/schedules/none", "/flows/greet?tab=none"])
def test_a_wrong_address_gives_a_page(house: House, path: str) -> None:
    """
    With the menu, and a sentence that says what is wrong.
    """
    with house.visit(expected=("404",)) as person:
        answer = person.page.goto(path)

        assert answer is not None
        assert answer.status == 404
        expect(person.page.get_by_role("heading", name="Not found")).to_be_visible()
        expect(person.page.get_by_role("link", name="Flows")).to_be_visible()


def test_who_is_logged_out_is_told_how_to_get_in(house: House) -> None:
    """
    After the click on Log out, and in a browser that was never in.
    """
    with house.visit(expected=("401",)) as person:
        person.page.get_by_role("button", name="Log out").click()
        expect(person.page.get_by_text("You are logged out.")).to_be_visible()
        person.page.goto("/flows")
        expect(person.page.get_by_text("orchd open")).to_be_visible()
        assert "greet" not in person.page.content()


def test_who_may_only_look_is_offered_nothing_else(house: House) -> None:
    """
    Every page opens, and none has a button but the one that logs out and those that only show.
    """
    run = house.daemon.begin("brittle")
    house.daemon.finished(run)
    with house.visit(read_only=True) as guest:
        for path in (*PAGES, "/flows/greet?tab=run", f"/runs/{run}"):
            guest.page.goto(path)
            expect(guest.page.get_by_text("(read-only)")).to_be_visible()
            forms = guest.page.locator("form[method=post]")
            assert forms.evaluate_all("(forms) => forms.map((form) => new URL(form.action).pathname)") == ["/logout"]


def test_everything_works_without_a_script(house: House) -> None:
    """
    Start with a parameter, read, fail, restart, pause, unpause, cancel: forms and pages alone.
    """
    with house.visit(java_script_enabled=False) as person:
        page = person.page
        page.goto("/flows/greet?tab=run")
        page.get_by_label("times").fill("2")
        page.get_by_role("button", name="Run", exact=True).click()
        run = page.url.rpartition("/")[2]
        house.daemon.finished(run)
        page.reload()
        expect(page.locator("#log-lines")).to_contain_text("hello worldhello world")
        expect(page.locator("#facts time").first).to_contain_text("UTC")

        page.goto("/flows/brittle")
        page.get_by_role("button", name="Quick run").click()
        house.daemon.finished(page.url.rpartition("/")[2])
        page.reload()
        page.get_by_role("link", name="First error").click()
        expect(page.locator(":target")).to_contain_text("not today")
        page.get_by_role("button", name="Restart from failed").click()
        expect(page.locator("#facts")).to_contain_text("goes on from")

        page.goto("/schedules/nightly")
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#facts")).to_contain_text("paused by")
        page.get_by_role("button", name="Unpause").click()
        expect(page.locator("#facts")).not_to_contain_text("paused by")

        page.goto("/flows/busy")
        page.get_by_role("button", name="Quick run").click()
        page.get_by_role("button", name="Cancel").click()
        house.daemon.finished(page.url.rpartition("/")[2])
        page.reload()
        person.state("Cancelled")


def test_a_keyboard_is_enough(person: Person) -> None:
    """
    The first key skips the menu, each stop shows where it is, and a flow is started by Enter.
    """
    page = person.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()

    page.goto("/flows/greet?tab=run")
    stops: list[str] = []
    while stops[-2:] != ["times", "Run"]:
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        assert stop["outline"] != "none", stop
        stops.append(stop["text"])
    menu = ["Skip to content", "orchd", "Overview", "Flows", "Runs", "Schedules", "Slots", "Log out"]
    assert stops[: len(menu)] == menu
    assert stops[-3] == "name"
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")


#: What has the focus, and the line around it.
STOP = """() => {
    const stop = document.activeElement;
    const text = (stop.labels?.[0] ?? stop).textContent.trim();
    return { text, outline: getComputedStyle(stop).outlineStyle };
}"""


def test_a_machine_without_chromium_is_told_so(monkeypatch: pytest.MonkeyPatch, browser: Browser) -> None:
    """
    By a skip that is seen, or by a failure where nothing may be skipped.
    """
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises((pytest.skip.Exception, pytest.fail.Exception), match="apt-get install chromium"):
        chromium(browser.browser_type)


def test_an_open_page_costs_few_bytes(house: House) -> None:
    """
    The first page with style, script and icon is below 100 KiB when nothing is kept from before.
    """
    with house.visit() as person:
        person.page.goto("/")
        sizes = person.page.evaluate(SIZES)

        assert len(sizes) >= 3
        assert 0 < sum(sizes) <= 100 * 1024


#: Bytes of the page and of all that it brings, also of what the browser had already.
SIZES = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .map((each) => each.encodedBodySize)"""
