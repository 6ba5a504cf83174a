"""
People at a browser: Debian's Chromium, on a real daemon's page.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, expect

from support.daemon import Daemon
from support.needs import cannot_run

#: Milliseconds that anything on a page may take on a machine with much else to do.
PATIENCE_MS = 20_000
#: Nothing that Chromium asks of the network by itself, and no sandbox for root.
_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]
#: Tells of what the policy forbade, in the console like everything else.
_TELL_OF_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`the policy forbade ${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""

expect.set_options(timeout=PATIENCE_MS)


def chromium(kind: BrowserType) -> Browser:
    """
    Start Debian's Chromium; where there is none, the test is skipped, or fails where nothing may be skipped.
    """
    path = shutil.which("chromium")
    if path is None:
        cannot_run("no chromium: apt-get install chromium")

    return kind.launch(executable_path=path, args=_FLAGS)


@dataclass(kw_only=True)
class House:
    """
    One daemon with its page, and one browser to visit it with.
    """

    daemon: Daemon
    browser: Browser

    def address(self) -> str:
        """
        Return what comes before the path of each page.
        """
        return str(self.link().partition("/login")[0])

    def link(self, *, read_only: bool = False) -> str:
        """
        Return a link that logs in, as ``orchd open`` gives it.
        """
        return str(self.daemon.client.post("/links", {"read_only": read_only})["url"])

    @contextmanager
    def visit(
        self, *, login: bool = True, read_only: bool = False, expected: tuple[str, ...] = (), **options: Any
    ) -> Iterator["Person"]:
        """
        Give somebody at a browser window of their own. At the end nothing may have gone wrong in it: no error in the
        console, no dialog, nothing that the policy forbade, nothing asked of anybody but the daemon.

        Args:
            login: log in first.

            expected: parts of what the console may say.

            options: of Playwright's ``new_context``.
        """
        context = self.browser.new_context(base_url=self.address(), **options)
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(_TELL_OF_VIOLATIONS)
        person = Person(house=self, context=context, expected=expected)
        try:
            person.page = person.window()
            if login:
                person.log_in(read_only=read_only)
            yield person
            complaints = person.complaints()
            assert not complaints, complaints
        finally:
            context.close()


@dataclass(kw_only=True)
class Person:
    """
    Somebody at a browser window.
    """

    house: House
    context: BrowserContext
    expected: tuple[str, ...]
    #: All that was asked for.
    asked: list[str] = field(default_factory=list)
    _said: list[str] = field(default_factory=list)
    page: Page = field(init=False)

    def window(self) -> Page:
        """
        Open one more window.
        """
        page = self.context.new_page()
        page.on("console", lambda said: self._said.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self._said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

        def refuse(dialog: Any) -> None:
            self._said.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("dialog", refuse)
        return page

    def log_in(self, *, read_only: bool = False) -> None:
        """
        Open a link and click.
        """
        self.page.goto(self.house.link(read_only=read_only))
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url("**/")

    def complaints(self) -> list[str]:
        """
        Return what went wrong in any of the windows.
        """
        foreign = [url for url in self.asked if not url.startswith(self.house.address())]
        said = [text for text in self._said if not any(part in text for part in self.expected)]
        return said + [f"asked for {url}" for url in foreign]

    def mark(self) -> None:
        """
        Put a mark into the page, which is gone when the page is loaded again.
        """
        self.page.evaluate("window.isMarked = true")

    def is_marked(self) -> bool:
        """
        Tell whether it is still the same page.
        """
        return bool(self.page.evaluate("window.isMarked === true"))

    def state(self, word: str) -> None:
        """
        Wait until the run on this page is in the state *word*.
        """
        facts = self.page.locator("#facts")
        expect(facts, facts.text_content()).to_have_text(re.compile(rf"^\s*{word}\b"))
