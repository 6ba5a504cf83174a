"""
Walks over every route: by strangers, from other sites, by other names. Source: reliability.md, 3.2, T3, T4 and T6.
"""

import sqlite3
from contextlib import closing

import pytest

from page.routes import PLACE, paths, routes
from page.visiting import Answer, Visitor
from support.daemon import Daemon

JSON = {"Content-Type": "application/json"}
OPEN = ("/health", "/login")
#: No method but these is one of a route, and each must be refused all the same.
METHODS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
#: What would be an open path, or the same path, to whoever compares it loosely.
AROUND = [
    "{}/",
    "{}//",
    "/{}",
    "//{}",
    "{}/health",
    "{}/ready",
    "{}/../health",
    "{}/..;/health",
    "{}/%2e",
    "{}/%2e%2e/health",
    "{}%2fhealth",
    "{};x",
    "{};/health",
    "{}?/health",
    "{}?x=/login",
    "{}%00",
    "{}%20",
    "{}%0a",
    "/.{}",
    "/%2e{}",
    "/health{}",
    "/health/..{}",
    "/health;{}",
    "/health/%2e%2e{}",
    "/health%2f..{}",
    "/health%00{}",
    "/login{}",
    "/login/..{}",
    "/LOGIN/..{}",
]
#: The open paths themselves, as they are not written.
DISGUISES = [
    "/health/",
    "//health",
    "/./health",
    "/Health",
    "/HEALTH",
    "/health;x",
    "/%2e/health",
    "/health%00",
    "/health%20",
    "/ready",
    "/login/",
    "//login",
    "/LOGIN",
    "/login;x",
    "/login%2f",
]


def asked(who: Visitor, method: str, path: str, **headers: str) -> Answer:
    """
    Ask as a script would.
    """
    return who.ask(method, path, None if method in ("GET", "HEAD") else b"{}", headers=JSON | headers)


def stored(daemon: Daemon) -> str:
    """
    Return all that the store holds.
    """
    daemon.settled()
    with closing(sqlite3.connect(f"file:{daemon.state}/orchd.sqlite3?mode=ro", uri=True)) as made:
        return "\n".join(made.iterdump())


def test_no_route_answers_to_a_stranger(nobody: Visitor) -> None:
    """
    Whatever is not open asks for a login: each route by each of its methods and by those that it has not.
    """
    for method, path in [*routes(), *((method, path) for path in paths() for method in METHODS)]:
        if path not in OPEN:
            answer = asked(nobody, method, PLACE.sub("x", path))
            assert answer.status == 401, (method, path, answer.text)
            assert "greet" not in answer.text


@pytest.mark.parametrize("around", AROUND)
def test_no_other_spelling_answers_to_a_stranger(nobody: Visitor, around: str) -> None:
    """
    Each route with what makes it look like an open path, or like another one.
    """
    for path in paths():
        if path not in OPEN:
            answer = nobody.get(around.format(path))
            assert answer.status == 401, (path, answer.text)
            assert "greet" not in answer.text


def test_no_upper_case_answers_to_a_stranger(nobody: Visitor) -> None:
    """
    No route, and none of the open ones, is known by it.
    """
    assert {nobody.get(path.upper()).status for path in paths()} == {401}


def test_only_the_open_paths_are_open(nobody: Visitor) -> None:
    """
    Not what looks like them.
    """
    assert {path: nobody.get(path).status for path in DISGUISES} == dict.fromkeys(DISGUISES, 401)


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "same-site"}])
def test_another_site_changes_nothing(daemon: Daemon, alice: Visitor, headers: dict[str, str]) -> None:
    """
    On no route, by no method, with a good cookie and a good key: 403, no leave to read the answer, and the store is as
    it was.
    """
    before = stored(daemon)
    for path in paths():
        for method in METHODS:
            answer = asked(alice, method, path, **{"X-Orchd-Form-Key": alice.form_key}, **headers)
            assert answer.status == 403, (method, path, answer.text)
            assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert stored(daemon) == before
    assert alice.get("/").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://localhost"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_whatever_a_browser_says_of_another_site_counts(alice: Visitor, headers: dict[str, str]) -> None:
    """
    One good word does not outweigh a bad one.
    """
    for path in ("/api/v1/runs", "/flows/greet/run", "/logout", "/login"):
        assert asked(alice, "POST", path, **{"X-Orchd-Form-Key": alice.form_key}, **headers).status == 403


def test_another_site_sends_no_form(daemon: Daemon, alice: Visitor) -> None:
    """
    Though it knew the key of our forms.
    """
    before = stored(daemon)
    for path in paths():
        assert alice.post_form(path, [("p.name", "x")], origin="http://evil.example").status == 403
    assert stored(daemon) == before


@pytest.mark.parametrize("host", ["evil.example", "", "localhost.evil.example:80"])
@pytest.mark.parametrize("upgrade", [{}, {"Connection": "Upgrade", "Upgrade": "websocket"}], ids=["http", "websocket"])
def test_another_host_is_refused_everywhere(alice: Visitor, host: str, upgrade: dict[str, str]) -> None:
    """
    Pages, API, pictures, streams and the open paths: a name that somebody else's DNS leads here is none of ours.
    """
    for path in paths():
        answer = asked(alice, "GET", path, Host=host, **upgrade)
        assert answer.status in (400, 421), (path, answer.text)
        assert "greet" not in answer.text


@pytest.mark.parametrize("path", ["/", "/health", "/login", "/live", "/api/v1/status"])
def test_a_whole_url_is_refused(alice: Visitor, path: str) -> None:
    """
    In place of a path it names a host of its own, which could be another one than ``Host``.
    """
    for host in ("evil.example", alice.host):
        assert asked(alice, "GET", f"http://{host}{path}").status == 421
