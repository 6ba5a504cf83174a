"""
Where the page is: behind a proxy, beside another daemon, on IPv6; and who is told of it.
"""

import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from page.visiting import Visitor, link, visitor
from support.daemon import ORCHD, Daemon
from support.waiting import eventually


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Daemon]:
    """
    A daemon that is not started yet.
    """
    made = Daemon(tmp_path / "home")
    yield made
    made.close()


def test_behind_a_proxy_with_tls(home: Daemon) -> None:
    """
    The link has the proxy's name, the cookie is for TLS only and bound to the host, and only https is our own origin.
    """
    home.configure(daemon='listen = "127.0.0.1:0"\nhosts = ["jobs.example.org"]\nbehind_proxy = true\n')
    home.start()
    url = link(home)
    assert url.startswith("https://jobs.example.org/login?key=")
    port = home.events("page_ready") and _port(home)
    proxy = Visitor(address=f"http://127.0.0.1:{port}")
    form = {"Content-Type": "application/x-www-form-urlencoded", "Host": "jobs.example.org"}
    body = b"key=" + url.partition("key=")[2].encode()

    plain = proxy.ask("POST", "/login", body, headers=form | {"Origin": "http://jobs.example.org"})
    assert plain.status == 403
    said = proxy.ask("POST", "/login", body, headers=form | {"Origin": "https://jobs.example.org"})
    cookie = said.headers["set-cookie"]
    assert cookie.startswith("__Host-orchd=")
    for word in ("Secure", "HttpOnly", "Path=/", "SameSite=strict"):
        assert word in cookie
    assert "domain" not in cookie.lower()
    seen = proxy.ask("GET", "/", headers={"Host": "jobs.example.org", "Cookie": cookie.partition(";")[0]})
    assert seen.status == 200


def _port(daemon: Daemon) -> int:
    assert daemon.process is not None
    listening = subprocess.run(["ss", "-ltnHp"], capture_output=True, text=True, check=True).stdout
    (own,) = [line.split()[3] for line in listening.splitlines() if f"pid={daemon.process.pid}," in line]
    return int(own.rpartition(":")[2])


def test_two_daemons_on_one_address(home: Daemon, tmp_path: Path) -> None:
    """
    The second starts runs without a page, says why there is none, and has it once the first is gone.
    """
    home.configure(daemon='listen = "127.0.0.1:0"\n')
    home.start()
    address = link(home).partition("/login")[0]
    second = Daemon(tmp_path / "second")
    second.configure(daemon=f'listen = "{address.removeprefix("http://")}"\n')
    second.start()
    try:
        page = eventually(lambda: second.status()["page"]["trouble"] and second.status()["page"], what="it is told")
        assert page["url"] is None
        assert "somebody else listens there" in page["trouble"]
        assert "somebody else listens there" in second.cli("status")
        assert "somebody else listens there" in second.cli("open", code=None)
        home.stop()
        eventually(lambda: second.status()["page"]["url"] == address, within_s=30, what="it takes the address")
        assert visitor(second).get("/").status == 200
    finally:
        second.close()


def test_two_daemons_on_one_machine(home: Daemon, tmp_path: Path) -> None:
    """
    A browser sends the cookies of all ports of a host to each of them: neither daemon's takes the place of the other's.
    """
    home.configure(daemon='listen = "127.0.0.1:0"\n')
    home.start()
    second = Daemon(tmp_path / "second")
    second.configure(daemon='listen = "127.0.0.1:0"\n')
    second.start()
    try:
        here, there = visitor(home), visitor(second)
        jar = dict(str(each.cookie).split("=") for each in (here, there))
        here.cookie = there.cookie = "; ".join(f"{name}={value}" for name, value in jar.items())

        assert here.get("/").status == 200
        assert there.get("/").status == 200
    finally:
        second.close()


def test_on_ipv6(home: Daemon) -> None:
    """
    Link, host and origin have the address in brackets.
    """
    home.configure(daemon='listen = "[::1]:0"\n')
    home.start()
    eve = visitor(home)

    assert eve.address.startswith("http://[::1]:")
    assert eve.get("/").status == 200
    assert eve.post_form("/logout").status == 200


def test_no_page_is_no_trouble(home: Daemon) -> None:
    """
    An empty address switches it off: status and `orchd open` say so.
    """
    home.configure(daemon='listen = ""\n')
    home.start()

    assert home.status()["page"] == {"url": None, "trouble": None}
    assert "switched off" in home.cli("status")
    assert "switched off" in home.cli("open", code=None)


def test_a_terminal_is_given_a_link(home: Daemon) -> None:
    """
    It logs in; a journal is told where the page is, and no secret.
    """
    home.configure(daemon='listen = "127.0.0.1:0"\n')
    ours, theirs = pty.openpty()
    command = [ORCHD, "serve", "--config", str(home.home / "config")]
    process = subprocess.Popen(command, env=home.env, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    heard = b""
    try:
        while b"key=" not in heard or not heard.rstrip(b" ").endswith(b"\n"):
            heard += os.read(ours, 10_000)
        url = re.search(r"http://\S+/login\?key=\S+", heard.decode())
        assert url
        assert Visitor(address=url[0].partition("/login")[0]).log_in(url[0]).status == 303
    finally:
        process.send_signal(signal.SIGTERM)
        while True:
            try:
                os.read(ours, 10_000)
            except OSError:
                break
        process.wait(30)
        os.close(ours)


def test_a_journal_is_given_none(home: Daemon) -> None:
    """
    Where it is and how to get a link, but none.
    """
    home.configure(daemon='listen = "127.0.0.1:0"\n')
    home.start()
    (told,) = eventually(lambda: home.events("page_ready"), what="it is up")

    assert told["url"].startswith("http://127.0.0.1:")
    assert "orchd open" in told["log_in"]
    assert "key=" not in home.log.read_text()


def test_another_address_needs_a_restart(home: Daemon) -> None:
    """
    A reload says so, and goes on where it was.
    """
    home.configure(daemon='listen = "127.0.0.1:0"\n')
    home.start()
    address = home.status()["page"]["url"]
    home.configure(daemon='listen = "127.0.0.1:1"\nhosts = ["jobs.example.org"]\n')
    said = home.cli("reload")

    assert "listen in [daemon] needs a restart: until then it is 127.0.0.1:0" in said
    assert "hosts in [daemon] needs a restart: until then it is empty" in said
    assert home.status()["page"]["url"] == address
