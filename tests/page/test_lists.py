"""
Lists on pages that have more rows than one page shows.
"""

import re
from collections.abc import Iterator
from html import unescape

import pytest

from page.visiting import Visitor
from support.daemon import Daemon

NAMES = [f"nightly-{n:03}" for n in range(120)]
SCHEDULES = "".join(f'[schedules.{name}]\nflow = "greet"\ncron = "0 2 * * *"\n' for name in NAMES)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """
    A daemon with one flow and many schedules of it.
    """
    made = Daemon(tmp_path_factory.mktemp("lists"))
    made.flow("greet.py", "from orchd import Flow\n\nwith Flow('greet') as flow:\n    pass\n")
    made.configure(SCHEDULES, daemon='listen = "127.0.0.1:0"\n')
    made.start()
    yield made
    made.close()


def test_every_schedule_stands_on_one_page(alice: Visitor) -> None:
    """
    In order, from link to link; the week is on the first page alone.
    """
    path: str | None = "/schedules"
    found: list[str] = []
    weeks = 0
    while path is not None:
        text = alice.get(path).text
        found += re.findall(r'<th scope="row" class="name"><a href="/schedules/([^"]+)"', text)
        weeks += 'id="week"' in text
        more = re.search(r'href="(/schedules\?after=[^"]+)"', text)
        path = unescape(more[1]) if more else None

    assert NAMES == found
    assert weeks == 1


def test_a_flow_of_many_schedules_tells_the_next_fire_times_of_some(alice: Visitor) -> None:
    """
    All of them are listed; a page must not compute a thousand fire times.
    """
    text = alice.get("/flows/greet?tab=schedules").text

    assert 120 == text.count('<tr><td class="name"><a href="/schedules/')
    assert 20 == text.count("<span>next</span>")
