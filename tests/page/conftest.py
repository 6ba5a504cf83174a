"""
A real daemon with a page on a free port, for all tests of a file.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from page.browsing import House, chromium
from page.visiting import Visitor, stranger, visitor
from support.daemon import Daemon
from support.postgres import postgres, postgres_url

__all__ = ["postgres", "postgres_url"]

PAGE = 'listen = "127.0.0.1:0"\n'


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """
    A daemon with the flow ``greet``, which takes ``name`` and ends at once.
    """
    made = Daemon(tmp_path_factory.mktemp("page"))
    made.flow(
        "greet.py",
        """
        from orchd import Flow, Parameter, task

        @task(log_stdout=True)
        def greet(name):
            print(f"hello {name}")

        with Flow("greet") as flow:
            greet(Parameter("name", default="world"))
        """,
    )
    made.configure(daemon=PAGE)
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """
    Chromium. Playwright keeps the loop of the thread it is started in, so it must not outlive the file.
    """
    with sync_playwright() as playwright:
        started = chromium(playwright.chromium)
        yield started
        started.close()


@pytest.fixture(scope="module")
def house(daemon: Daemon, browser: Browser) -> House:
    """
    The daemon of this file, and the browser.
    """
    return House(daemon=daemon, browser=browser)


@pytest.fixture
def alice(daemon: Daemon) -> Visitor:
    """
    Somebody who is logged in.
    """
    return visitor(daemon)


@pytest.fixture
def nobody(daemon: Daemon) -> Visitor:
    """
    Somebody who is not.
    """
    return stranger(daemon)
