"""
What somebody who is in, or wants to be, may try: paths, sizes, depths, words for a shell. Source: reliability.md, 3.2.
"""

import gzip
import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from page.routes import PLACE, routes
from page.visiting import Answer, Visitor, link, neighbour, visitor
from support.daemon import Daemon

#: What takes a name, a number or a text behind the question mark.
QUERIES = [
    "/flows/greet?from={x}",
    "/flows/greet?tab={x}",
    "/slots?schedule={x}",
    "/slots?after={x}",
    "/slots?until={x}",
    "/runs?before={x}",
    "/runs?state={x}",
    "/runs?parameter={x}",
    "/api/v1/why?of={x}",
    "/api/v1/runs?flow={x}",
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


def _paths() -> list[tuple[str, str]]:
    named = [(method, PLACE.sub("{x}", path)) for method, path in routes() if "{" in path]
    return named + [("GET", path) for path in QUERIES]


def _tree(folder: Path) -> dict[str, bytes]:
    """
    Return each file but the store's and the log, with what is in it.
    """
    found = [path for path in folder.rglob("*") if "sqlite3" not in path.name and "pycache" not in str(path)]
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in found if path.name != "log"}


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_no_path_leads_to_a_file(daemon: Daemon, alice: Visitor, payload: str) -> None:
    """
    Whatever stands in place of a name, on every route, over TCP and on the Unix socket: no file is read, none is made
    or changed, and nothing breaks.
    """
    before = _tree(daemon.home)
    for who in (alice, neighbour(daemon)):
        for method, path in _paths():
            answer = _asked(who, method, path.replace("{x}", payload))
            assert answer.status < 500, (method, path, answer.text)
            assert "root:" not in answer.text
            assert "set-cookie" not in answer.headers
    assert _tree(daemon.home) == before


def _asked(who: Visitor, method: str, path: str) -> Answer:
    if method == "GET":
        return who.get(path)
    return who.post_json(path, {}) if path.startswith("/api/") else who.post_form(path)


def test_no_name_of_a_token_is_a_path(daemon: Daemon) -> None:
    """
    It is made of letters and digits, with dots between them.
    """
    asked = neighbour(daemon)
    names = [unquote(payload) + "/" for payload in PAYLOADS]

    assert {asked.post_json("/api/v1/tokens", {"name": name}).status for name in names} == {400}


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


@pytest.fixture(scope="module")
def mirror(daemon: Daemon) -> Daemon:
    """
    The daemon, with a flow that looks for its parameter in itself and in all processes above it.
    """
    daemon.flow(
        "mirror.py",
        """
        import json, os
        from pathlib import Path
        from orchd import Flow, Parameter, task

        def above(pid):
            while pid > 1:
                yield pid
                pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])

        @task
        def look(value):
            print(json.dumps(value))
            for pid in above(os.getpid()):
                for file in ("cmdline", "environ", "comm"):
                    if b"canary-7319" in Path(f"/proc/{pid}/{file}").read_bytes():
                        print(f"seen in {file} of {pid}")

        with Flow("mirror") as flow:
            look(Parameter("value"))
        """,
    )
    assert daemon.client.post("/reload")["ok"]
    return daemon


SHELL = [
    "$(touch {canary})",
    "`touch {canary}`",
    "; touch {canary} #",
    "| tee {canary}",
    "\nx",
    "{{{{7*7}}}}",
    "%s%n",
    "--",
]
#: What JSON and both databases can hold.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300)


@settings(max_examples=3, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
@given(texts=st.lists(ANY_TEXT, min_size=5, max_size=5))
def test_parameters_are_data(mirror: Daemon, tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    """
    Each comes to the task as it was sent, by JSON or by a form; no shell and no template sees it, and it stands in no
    command line and no environment of the run, its monitor, the spawner and the daemon.
    """
    who, canary = visitor(mirror), tmp_path_factory.mktemp("shell") / "touched"
    values = [f"canary-7319 {text}" for text in (*texts, *(words.format(canary=canary) for words in SHELL))]
    answers = [who.post_json("/api/v1/runs", {"flow": "mirror", "parameters": {"value": each}}) for each in values]
    answers += [who.post_form("/flows/mirror/run", [("p.value", json.dumps(each))]) for each in values]
    assert {answer.status for answer in answers} == {201, 303}
    mirror.settled()

    runs = mirror.rows("SELECT id, state FROM flow_run WHERE flow = 'mirror' ORDER BY number DESC LIMIT 26")
    assert {run["state"] for run in runs} == {"success"}
    assert [json.loads("".join(mirror.printed(run["id"]))) for run in reversed(runs)] == values * 2
    assert not canary.exists()


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


def test_no_number_is_without_a_bound(daemon: Daemon, alice: Visitor) -> None:
    """
    Whatever counts rows, seconds or lines has a largest value in the OpenAPI document, and one more is refused.
    """
    asked = [
        (path, each["name"], schema.get("maximum"))
        for path, methods in daemon.client.get("/openapi.json")["paths"].items()
        for each in methods.get("get", {}).get("parameters", [])
        for schema in (each["schema"], *each["schema"].get("anyOf", []))
        if each["in"] == "query" and schema.get("type") in ("integer", "number")
    ]
    assert {"limit", "tail", "n", "last", "wait_s"} <= {name for _, name, _ in asked}
    for path, name, most in asked:
        assert most is not None, (path, name)
        answer = alice.get(f"{PLACE.sub('greet', path)}?{name}={int(most) + 1}")
        assert (answer.status, answer.json["error"]["field"]) == (400, name)


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
