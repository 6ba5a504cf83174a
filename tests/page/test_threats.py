"""
What somebody who is in, or wants to be, may try: paths, sizes, depths, words for a shell. Source: reliability.md, 3.2.
"""

import gzip
import re
from pathlib import Path

import pytest

from page.visiting import Answer, Visitor, link, visitor
from support.daemon import FINAL, Daemon

PAGES = [
    "/flows/{x}",
    "/flows/{x}/run",
    "/flows/{x}/schematic.svg",
    "/runs/{x}",
    "/runs/{x}/live",
    "/runs/{x}/log.txt",
    "/runs/{x}/first-error",
    "/runs/{x}/schematic.svg",
    "/runs/{x}/cancel",
    "/runs/{x}/resume",
    "/schedules/{x}",
    "/schedules/{x}/pause",
    "/schedules/{x}/unpause",
    "/static/{x}/orchd.css",
    "/static/x/{x}",
    "/flows/greet?from={x}",
    "/slots?schedule={x}",
    "/slots?after={x}",
    "/runs?before={x}",
    "/runs?parameter={x}",
]
_UPS = ["..", "../..", "../../../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "..%5c..%5cetc%5cpasswd"]
_ENCODED = ["%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%252e%252e%252fetc%252fpasswd", "%c0%ae%c0%ae%2fetc%2fpasswd"]
_ABSOLUTE = [
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "file:%2f%2f%2fetc%2fpasswd",
    "C:%5cWindows",
    "~",
    "~root",
    "%7e%2f.ssh",
]
_NUL = ["%00", "x%00", "x%00.css", "..%00", "%00%2fetc%2fpasswd", "%0a", "%0d%0aSet-Cookie:a=b", "%1b%5d52;c;x%07"]
_UNICODE = ["%ef%bc%8e%ef%bc%8e", "%e2%80%a5", "%e2%80%ae", "%ff", "%ed%a0%80", "%f0%9f%a6%a6", "%c3%28"]
_SHAPES = [".", "...", "a/../../b", "a%2f..%2f..%2fb", "a" * 4096, "-rf", "%27%20OR%201=1--", "%25", "*", "%5b%5d"]
PAYLOADS = [*_UPS, *_ENCODED, *_ABSOLUTE, *_NUL, *_UNICODE, *_SHAPES]


def _paths(daemon: Daemon) -> list[tuple[str, str]]:
    document = daemon.client.get("/openapi.json")["paths"]
    asked = [(method.upper(), path) for path, methods in document.items() for method in methods if "{" in path]
    pages = [("GET", path) for path in PAGES] + [("POST", path) for path in PAGES if path.count("/") > 2]
    return [(method, re.sub(r"\{\w+\}", "{x}", path)) for method, path in [*asked, *pages]]


def _tree(folder: Path) -> set[str]:
    found = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    return {path for path in found if "sqlite3" not in path and "pycache" not in path}


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_no_path_leads_to_a_file(daemon: Daemon, alice: Visitor, payload: str) -> None:
    """
    Whatever stands in place of a name, on every page and route: no file is read, none is made, and nothing breaks.
    """
    before = _tree(daemon.home)
    for method, path in _paths(daemon):
        asked = path.replace("{x}", payload)
        answer = _asked(alice, method, asked)
        assert answer.status < 500, (method, asked, answer.text)
        assert "root:" not in answer.text
        assert "set-cookie" not in answer.headers
    assert _tree(daemon.home) == before


def _asked(who: Visitor, method: str, path: str) -> Answer:
    if method == "GET":
        return who.get(path)
    return who.post_json(path, {}) if path.startswith("/api/") else who.post_form(path)


def test_there_are_forty_payloads() -> None:
    """
    As the threat table asks.
    """
    assert len(set(PAYLOADS)) >= 40


@pytest.mark.parametrize("listen", ["0.0.0.0:8420", "[::]:8420", "192.0.2.1:8420"])
def test_a_public_address_wants_a_proxy(daemon: Daemon, tmp_path: Path, listen: str) -> None:
    """
    Without ``behind_proxy = true`` neither ``check`` nor ``serve`` goes on: one sentence, exit code 78.
    """
    made = Daemon(tmp_path / "public")
    made.configure(daemon=f'listen = "{listen}"\n')
    for command in ("check", "serve"):
        said = made.cli(command, "--config", str(made.home / "config"), code=78)
        assert "behind_proxy = true" in said
        assert "Traceback" not in said


@pytest.mark.parametrize(
    "words", ["$(touch {canary})", "`touch {canary}`", "; touch {canary} #", "x\ny", "{{{{7*7}}}}", "%s%n"]
)
def test_parameters_are_data(daemon: Daemon, alice: Visitor, tmp_path: Path, words: str) -> None:
    """
    No shell and no template ever sees them, and they stand in the command line of no process.
    """
    canary = tmp_path / "canary-7319"
    value = words.format(canary=canary)
    started = alice.post_json("/api/v1/runs", {"flow": "greet", "parameters": {"name": value}})
    assert started.status == 201, started.text
    ref = started.json["run"]["id"]
    while daemon.run(ref)["state"] not in FINAL:
        lines = [_command(pid) for pid in daemon.processes()]
        assert not [line for line in lines if value.encode() in line]

    assert f"hello {value}" in "\n".join(line["text"] for line in daemon.lines(ref, stream=None))
    assert not canary.exists()


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1024 * 1023,
        b'{"flow": "greet", "parameters": {"name": ' + b"[" * 500 + b"]" * 500 + b"}}",
        b'{"flow": "greet", "parameters": {"name": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}}",
        b'{"flow": "greet", "parameters": {"name": ' + b"9" * 100_000 + b"}}",
        b'{"flow": "' + b"x" * 1024 * 1024 + b'"}',
    ],
    ids=["brackets", "deep list", "deep object", "long number", "too long"],
)
def test_a_strange_body_is_refused(daemon: Daemon, alice: Visitor, body: bytes) -> None:
    """
    Depth and length that nobody means are answered with a sentence, and the daemon goes on.
    """
    said = JSON | {"Origin": alice.address, "X-Orchd-Form-Key": alice.form_key}
    answer = alice.ask("POST", "/api/v1/runs", body, headers=said)

    assert answer.status in (400, 413, 422), answer.text[:300]
    assert answer.json["error"]["message"]
    assert alice.get("/health").status == 200


def test_no_body_is_unpacked(alice: Visitor) -> None:
    """
    A small body that says it is packed stays the bytes that it is.
    """
    body = gzip.compress(b'{"flow": "greet"}' + b" " * 1_000_000)
    said = JSON | {"Origin": alice.address, "X-Orchd-Form-Key": alice.form_key, "Content-Encoding": "gzip"}

    assert alice.ask("POST", "/api/v1/runs", body, headers=said).status == 400


def test_a_form_of_many_fields_is_refused(alice: Visitor) -> None:
    """
    And one that is too long, before anybody reads it.
    """
    assert alice.post_form("/flows/greet/run", [(f"f{n}", "") for n in range(2000)]).status == 413
    assert alice.post_form("/flows/greet/run", [("p.name", "x" * 300_000)]).status == 413
    assert alice.post_form("/flows/greet/run", [("p.name", "\0")]).status == 400


@pytest.mark.parametrize(
    "path",
    ["runs?limit=501", "slots?limit=501", "flows/greet/versions?limit=501", "next?n=1001", "runs/x/logs?limit=10001"],
)
def test_no_page_is_endless(alice: Visitor, path: str) -> None:
    """
    More rows than a page may have are refused, not given.
    """
    assert alice.get(f"/api/v1/{path}").status == 400


def test_a_login_is_not_shut_out_by_wrong_ones(daemon: Daemon, nobody: Visitor) -> None:
    """
    Whoever tries wrong keys without end slows down nobody but themselves.
    """
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": nobody.address}
    wrong = [nobody.ask("POST", "/login", b"key=orchd_wrong", headers=form).status for _ in range(30)]

    assert 429 in wrong
    assert set(wrong) <= {403, 429}
    assert nobody.log_in(link(daemon)).status == 303


def test_metrics_want_a_login_that_may_look(daemon: Daemon, nobody: Visitor) -> None:
    """
    A read-only token is enough; without one there is nothing to see.
    """
    assert nobody.get("/metrics").status == 401
    nobody.token = daemon.cli("token", "create", "prometheus", "--read-only").split()[-1]
    answer = nobody.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "orchd_up 1\n" in answer.text
    assert re.search(r"^orchd_store_bytes [1-9]\d*$", answer.text, re.MULTILINE)


def test_secrets_are_on_no_page(tmp_path: Path) -> None:
    """
    A secret that a run prints, raises and has in its result is in no page, no route, no log and not in the store.
    """
    canary = "canary-5f2c81-kept"
    made = Daemon(tmp_path / "secret")
    made.flow(
        "leak.py",
        """
        from orchd import Flow, task
        from orchd.tasks.secrets import EnvVarSecret

        @task(log_stdout=True)
        def leak(value):
            print("the secret is", value)
            raise ValueError(f"cannot log in with {value}")

        with Flow("leak") as flow:
            leak(EnvVarSecret("LEAK_SECRET"))
        """,
    )
    made.env["LEAK_SECRET"] = canary
    made.configure(daemon='listen = "127.0.0.1:0"\n')
    made.start()
    try:
        ref = made.begin("leak")
        assert made.finished(ref)["state"] == "failed"
        eve = visitor(made)
        for path in ("/", "/runs", f"/runs/{ref}", f"/runs/{ref}/log.txt", "/flows/leak", f"/api/v1/runs/{ref}"):
            answer = eve.get(path)
            assert answer.status == 200
            assert canary not in answer.text, path
        assert canary not in eve.get(f"/api/v1/runs/{ref}/logs").text
        kept = b"".join(file.read_bytes() for file in made.state.rglob("*") if file.is_file())
        assert canary.encode() not in kept
        assert canary not in made.log.read_text()
    finally:
        made.close()
