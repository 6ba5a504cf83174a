"""
Who comes in over TCP, and what they may do.
"""

import socket
import subprocess

import pytest

from page.visiting import Visitor, link, visitor
from support.daemon import Daemon
from support.waiting import eventually

JSON = {"Content-Type": "application/json"}


def test_health_and_login_are_open(nobody: Visitor) -> None:
    """
    The one says that the daemon is up and no more, the other how to get in.
    """
    assert nobody.get("/health").json == {"up": True}
    assert "orchd open" in nobody.get("/login").text


@pytest.mark.parametrize("host", ["evil.example", "", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:80"])
def test_another_host_is_refused(alice: Visitor, host: str) -> None:
    """
    A name that somebody else's DNS leads here is none of ours, whoever is logged in.
    """
    answer = alice.ask("GET", "/", headers={"Host": host})

    assert answer.status in (400, 421)
    assert "greet" not in answer.text


def test_two_hosts_are_refused(alice: Visitor) -> None:
    """
    Nobody may name a good host and mean a bad one.
    """
    name, _, port = alice.host.partition(":")
    with socket.create_connection((name, int(port)), timeout=10) as made:
        made.sendall(f"GET / HTTP/1.1\r\nHost: {alice.host}\r\nHost: evil.example\r\n\r\n".encode())
        assert made.recv(100).split()[1] in (b"400", b"421")


def test_a_link_works_once(daemon: Daemon, nobody: Visitor) -> None:
    """
    Looking at it uses nothing up; the click does.
    """
    url = link(daemon)

    assert "Log in" in nobody.get(url.removeprefix(nobody.address)).text
    assert nobody.log_in(url).status == 303
    again = Visitor(address=nobody.address).log_in(url)
    assert again.status == 403
    assert "set-cookie" not in again.headers


def test_the_cookie_is_for_our_pages_only(daemon: Daemon, nobody: Visitor) -> None:
    """
    No script reads it, no other site has it sent.
    """
    said = nobody.log_in(link(daemon)).headers["set-cookie"].lower()

    assert "httponly" in said
    assert "samesite=strict" in said
    assert "path=/" in said


def test_log_out_ends_the_session(daemon: Daemon) -> None:
    """
    The cookie is good for nothing afterwards, whoever kept it.
    """
    made = visitor(daemon)

    assert made.post_form("/logout").status == 200
    assert made.get("/").status == 401


def test_who_may_only_look_may_log_out(daemon: Daemon) -> None:
    """
    It is the own session that ends; nothing else changes.
    """
    guest = visitor(daemon, "--read-only")

    assert guest.post_form("/flows/greet/run").status == 403
    assert guest.post_form("/logout").status == 200
    assert guest.get("/").status == 401


def test_a_change_without_the_key_of_our_pages_is_refused(daemon: Daemon, alice: Visitor) -> None:
    """
    Also when a browser tells nothing of where it comes from.
    """
    assert alice.ask("POST", "/api/v1/runs", b'{"flow": "greet"}', headers=JSON).status == 403
    body = b"form_key=0123"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert alice.ask("POST", "/logout", body, headers=form).status == 403
    assert alice.ask("POST", "/api/v1/reload", b"", headers={"Sec-Fetch-Site": "cross-site"}).status == 403


def test_a_run_is_started_by_who_is_logged_in(daemon: Daemon, alice: Visitor) -> None:
    """
    Its row names the person, as on the Unix socket.
    """
    answer = alice.post_json("/api/v1/runs", {"flow": "greet"})

    assert answer.status == 201
    run = daemon.run(answer.json["run"]["id"])
    assert run["created_by"] == daemon.run(daemon.begin("greet"))["created_by"]


def test_a_token_is_for_scripts(daemon: Daemon, nobody: Visitor) -> None:
    """
    It needs no key of a form, its name stands in what it starts, and revoked it is good for nothing.
    """
    nobody.token = daemon.cli("token", "create", "ci").split()[-1]

    started = nobody.ask("POST", "/api/v1/runs", b'{"flow": "greet"}', headers=JSON)
    assert started.status == 201
    assert daemon.run(started.json["run"]["id"])["created_by"] == "token ci"
    daemon.cli("token", "revoke", "ci")
    assert nobody.get("/api/v1/status").status == 401


def test_read_only_may_look(daemon: Daemon) -> None:
    """
    At everything, and change nothing: by a token and by a link.
    """
    script = Visitor(address=link(daemon).partition("/login")[0])
    script.token = daemon.cli("token", "create", "grafana", "--read-only").split()[-1]
    guest = visitor(daemon, "--read-only")

    assert script.get("/api/v1/status").status == 200
    assert "(read-only)" in guest.get("/").text
    assert script.ask("POST", "/api/v1/runs", b'{"flow": "greet"}', headers=JSON).status == 403
    assert guest.post_json("/api/v1/runs", {"flow": "greet"}).status == 403


def test_nobody_who_is_in_lets_others_in(daemon: Daemon, alice: Visitor) -> None:
    """
    Links and tokens are made on the Unix socket alone.
    """
    assert alice.post_json("/api/v1/links", {}).status == 403
    assert alice.post_json("/api/v1/tokens", {"name": "mine"}).status == 403
    assert alice.get("/api/v1/tokens").status == 403


def test_no_secret_is_in_the_store(daemon: Daemon, alice: Visitor) -> None:
    """
    Only hashes are: neither the cookie nor a token is found in any of its files.
    """
    token = daemon.cli("token", "create", "kept").split()[-1]
    assert alice.cookie is not None
    secret = alice.cookie.partition("=")[2]

    kept = b"".join(file.read_bytes() for file in daemon.state.glob("orchd.sqlite3*"))
    assert secret.encode() not in kept
    assert token.encode() not in kept
    assert secret not in daemon.log.read_text()


def test_wrong_logins_are_slowed_down(nobody: Visitor, alice: Visitor) -> None:
    """
    After five in a second a sixth is not even looked up; who is in goes on.
    """
    nobody.token = "orchd_wrong"

    eventually(lambda: nobody.get("/").status == 429, every_s=0.001, what="too many")
    assert alice.get("/").status == 200


def test_answers_say_what_browsers_may_do(alice: Visitor, nobody: Visitor) -> None:
    """
    No script but ours, no frame, no guessing of types, nothing kept: pages, API, refusals.
    """
    for answer in (alice.get("/"), alice.get("/api/v1/status"), nobody.get("/"), nobody.get("/health")):
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


def test_a_silent_client_keeps_nobody_waiting(alice: Visitor) -> None:
    """
    A hundred connections that never finish their request take nothing from the others.
    """
    name, _, port = alice.host.partition(":")
    silent = [socket.create_connection((name, int(port)), timeout=10) for _ in range(100)]
    try:
        for made in silent:
            made.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert alice.get("/health").status == 200
    finally:
        for made in silent:
            made.close()


def test_a_head_without_end_is_refused(nobody: Visitor) -> None:
    """
    After 16 KiB.
    """
    name, _, port = nobody.host.partition(":")
    with socket.create_connection((name, int(port)), timeout=10) as made:
        made.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000)
        assert made.recv(100).split()[1] == b"400"


def test_only_loopback_is_listened_on(daemon: Daemon, alice: Visitor) -> None:
    """
    Nobody else reaches it by default.
    """
    assert daemon.process is not None
    listening = subprocess.run(["ss", "-ltnHp"], capture_output=True, text=True, check=True).stdout
    own = [line.split()[3] for line in listening.splitlines() if f"pid={daemon.process.pid}," in line]

    assert own == [alice.host]
