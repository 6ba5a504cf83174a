"""
Each command as a program: what it asks, what it prints in a pipe, and its exit code.
"""

import json
import subprocess
from pathlib import Path

import pytest

from support.canned import a_detail, a_fire, a_line, a_run, a_status, a_task
from support.program import ENVIRONMENT, PROGRAM, Orchd
from support.unix_server import UnixServer

NAME = a_run()["name"]


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["status"], "GET /status"),
        (["flows"], "GET /flows"),
        (["schedules"], "GET /schedules"),
        (["runs"], "GET /runs"),
        (["show", NAME], f"GET /runs/{NAME}"),
        (["next"], "GET /next"),
        (["why", "n@2026-11-23T02:00"], "GET /why"),
        (["start", "data-engineer"], "POST /runs"),
        (["cancel", "x"], "POST /runs/x/cancel"),
        (["pause", "every-minute"], "POST /schedules/every-minute/pause"),
        (["unpause", "every-minute"], "POST /schedules/every-minute/unpause"),
        (["reload"], "POST /reload"),
        (["create", "project", "Iris Project"], "POST /projects"),
    ],
)
def test_json_is_the_answer_as_it_came(server: UnixServer, orchd: Orchd, words: list[str], asked: str) -> None:
    """
    --json prints the API's answer unchanged, and nothing else.
    """
    done = orchd(*words, "--json")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == server.answers[asked]


def test_a_pipe_gets_one_plain_row_for_each_thing(orchd: Orchd) -> None:
    """
    In a pipe there are no colours, nothing is cut, times are whole, with date and offset, and an empty cell is a dash.
    """
    done = orchd("runs")
    titles, row = (line.split() for line in done.stdout.splitlines())

    assert titles == ["RUN", "FLOW", "STATE", "BEGAN", "TOOK", "BY", "MESSAGE"]
    assert row == [NAME, "data-engineer", "Success", "2026-11-23", "17:06:00+00:00", "2.49", "s", "every-minute", "-"]


def test_runs_are_asked_for_as_wanted(server: UnixServer, orchd: Orchd) -> None:
    """
    The filters reach the daemon in its own words: TimedOut as timed_out, a time as UTC.
    """
    orchd("runs", "--flow", "f", "--state", "TimedOut", "--since", "2026-11-23T18:00+01:00", "--limit", "3")

    assert server.requests[-1][2] == {"flow": "f", "state": "timed_out", "since": "2026-11-23T17:00:00Z", "limit": "3"}


def test_a_long_list_is_fetched_in_pages(server: UnixServer, orchd: Orchd) -> None:
    """
    The API gives 500 runs at once; more are asked for until there are as many as wanted.
    """

    def page(query: dict[str, str], _: object) -> dict[str, object]:
        newest = int(query.get("before", 1201)) - 1
        return {"runs": [a_run(number) for number in range(newest, max(newest - int(query["limit"]), 0), -1)]}

    server.answers["GET /runs"] = page
    numbers = [run["number"] for run in json.loads(orchd("runs", "--limit", "1100", "--json").stdout)["runs"]]

    assert numbers == list(range(1200, 100, -1))


@pytest.mark.parametrize("words", [["flows"], ["schedules"], ["token", "list"]])
def test_lists_of_names_are_fetched_to_their_end(server: UnixServer, orchd: Orchd, words: list[str]) -> None:
    """
    Page by page: nobody loses the 501st.
    """
    noun = "tokens" if "token" in words else words[0]

    def page(query: dict[str, str], _: object) -> dict[str, object]:
        number = int(query.get("after", "0")) + 1
        return {noun: [{"name": f"{number}"}], "next": f"{number}" if number < 3 else None}

    server.answers[f"GET /{noun}"] = page

    assert ["1", "2", "3"] == [each["name"] for each in json.loads(orchd(*words, "--json").stdout)[noun]]


def a_large_map(server: UnixServer) -> None:
    """
    Have the run be one of a task that was mapped over 600, of which two failed; its answer holds the first 500.
    """
    children = [a_task("load", map_index=index) for index in range(600)]
    for index in (3, 599):
        children[index] |= {"state": "failed", "shown": "Failed", "message": "no such file"}
    every = [a_task("load", state="mapped", shown="Mapped"), *children]
    run = a_run()
    server.answers[f"GET /runs/{NAME}"] = a_detail(run, tasks=every[:500], tasks_next="load@498")
    rest = {"load@498": (every[500:550], "load@548"), "load@548": (every[550:], None)}
    server.answers[f"GET /runs/{run['id']}/tasks"] = lambda query, _: dict(
        zip(("tasks", "next"), rest[query["after"]], strict=True)
    )


def test_a_run_with_a_large_map_is_shown_whole_as_json(server: UnixServer, orchd: Orchd) -> None:
    """
    Every task run is in it, though the daemon gives 500 at once.
    """
    a_large_map(server)
    run = json.loads(orchd("show", NAME, "--json").stdout)

    assert [task["map_index"] for task in run["tasks"]] == list(range(-1, 600))
    assert run["tasks_next"] is None


def test_a_run_with_a_large_map_stays_readable(server: UnixServer, orchd: Orchd) -> None:
    """
    Of the children those that need a look are shown, below what became of all.
    """
    a_large_map(server)
    lines = orchd("show", NAME).stdout.splitlines()

    assert [line.split()[0] for line in lines if line.startswith("load")] == ["load", "load[3]", "load[599]"]
    assert any("600 task runs, 2 Failed, 598 Success" in line for line in lines)
    assert any("598 task runs of large maps left out here; --json has all" in line for line in lines)


def test_start_sends_parameters(server: UnixServer, orchd: Orchd, tmp_path: Path) -> None:
    """
    A value is JSON or else text, --param wins over the file, and every request has a key of its own.
    """
    file = tmp_path / "p.json"
    file.write_text('{"a": 1, "c": [1]}')
    orchd("start", "f", "--param", "a=0.3", "--param", "b=x=y", "--param-file", str(file), "--at", "2027-01-01T00:00Z")
    body = server.requests[-1][3]

    assert body["parameters"] == {"a": 0.3, "b": "x=y", "c": [1]}
    assert (body["flow"], body["at"]) == ("f", "2027-01-01T00:00:00Z")
    assert len(body["idempotency_key"]) == 36


@pytest.mark.parametrize(("state", "code"), [("success", 0), ("failed", 1), ("cancelled", 1)])
def test_start_waits_for_the_end(server: UnixServer, orchd: Orchd, state: str, code: int) -> None:
    """
    --wait ends with the run, and its exit code says how that ended.
    """
    run = a_run(2, state=state, shown=state.capitalize())
    server.answers[f"GET /runs/{run['id']}/logs"] = {"run": run, "lines": [], "next": -1, "more": False}
    server.answers[f"GET /runs/{run['id']}"] = run
    done = orchd("start", "data-engineer", "--wait")

    assert done.returncode == code
    assert f"is {state.capitalize()}" in done.stdout


def test_the_status_says_how_many_schedules_it_leaves_out(orchd: Orchd, server: UnixServer) -> None:
    """
    Below the next fire times, when there are more.
    """
    assert "more schedule" not in orchd("status").stdout
    server.answers["GET /status"] = a_status(next_more=3)

    assert "and 3 more schedules: `orchd schedules` lists all" in orchd("status").stdout


def test_next_explains_only_when_asked(orchd: Orchd) -> None:
    """
    Why a local time moved is shown with --explain.
    """
    assert "does not exist" not in orchd("next").stdout
    assert "does not exist" in orchd("next", "--explain").stdout


def test_a_reload_tells_of_broken_flow_files_and_succeeds(server: UnixServer, orchd: Orchd) -> None:
    """
    The rest of what was read counts; the sentence is on stderr.
    """
    server.answers["POST /reload"] = {
        "ok": True,
        "error": None,
        "changes": [],
        "broken": [{"file": "/f.py", "error": "line 3: no such name"}],
    }
    done = orchd("reload")

    assert (0, "orchd: /f.py does not load: line 3: no such name\n") == (done.returncode, done.stderr)
    assert done.stdout == "Read again; nothing has changed: what was broken is broken still.\n"


def test_next_says_that_a_schedule_is_paused(server: UnixServer, orchd: Orchd) -> None:
    """
    Before its fire times, of which none starts meanwhile.
    """
    server.answers["GET /next"] = {
        "next": [a_fire()],
        "paused": {"who": "ann", "at": "2026-11-23T17:00:00Z", "note": "disk"},
    }
    first = orchd("next", "every-minute").stdout.splitlines()[0]

    assert first.startswith("paused by ann since 2026-11-23")
    assert first.endswith(": disk; none starts until it goes on")


def test_next_is_computed_without_a_daemon(orchd: Orchd, tmp_path: Path) -> None:
    """
    With a config and no daemon the fire times come from it and its flow files, and that is said.
    """
    (tmp_path / "bad.py").write_text("def broken(:\n")
    (tmp_path / "g.py").write_text(
        "from orchd import Flow, task\n"
        "from orchd.flow.classic_schedules import CronSchedule\n"
        "with Flow('g', CronSchedule('0 12 * * *')) as flow:\n"
        "    task(lambda: 1, name='t')()\n"
    )
    flows = f'[daemon]\nsocket = "none"\n[flows]\npaths = ["{tmp_path}"]\n'
    text = flows + '[schedules.n]\nflow = "f"\ncron = "0 2 * * *"\ntimezone = "Europe/Vienna"\n'
    (tmp_path / "orchd.toml").write_text(text)
    done = orchd("next", "n", "--config", str(tmp_path), "--from", "2026-11-23", "-n", "2", "--json")
    fires = [fire["fire_time"] for fire in json.loads(done.stdout)["next"]]

    assert fires == ["2026-11-23T01:00:00Z", "2026-11-24T01:00:00Z"]
    assert "no daemon is running" in done.stderr
    assert "bad.py: line 1" in done.stderr
    done = orchd("next", "--config", str(tmp_path), "--from", "2026-11-23", "-n", "2")
    assert [name in done.stdout for name in ("2026-11-23 02:00", "2026-11-23 12:00")] == [True, True]


def test_a_broken_reload_is_told(server: UnixServer, orchd: Orchd) -> None:
    """
    The daemon's sentence is shown, that it goes on is said, and the exit code is the config's.
    """
    server.answers["POST /reload"] = {"ok": False, "error": "a.toml, line 3: wrong", "changes": [], "broken": []}
    done = orchd("reload")

    assert done.returncode == 78
    assert done.stderr == "orchd: a.toml, line 3: wrong (the daemon goes on with the config it had)\n"


def test_stop_waits_until_the_daemon_has_ended(server: UnixServer, orchd: Orchd) -> None:
    """
    The command comes back only when nobody answers any more, or another daemon does.
    """
    pids = iter([1, 1, 1, 2])
    server.answers["GET /status"] = lambda query, body: {"daemon": {"pid": next(pids)}}
    server.answers["POST /stop"] = {"stopping": True}
    done = orchd("stop", "--cancel")

    assert (done.returncode, done.stdout) == (0, "")
    assert [request[3] for request in server.requests if request[1] == "/stop"] == [{"cancel": True}]
    assert next(pids, None) is None


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["statsu"], 64, "there is no command 'statsu'; did you mean `orchd status`?"),
        (["--socket", "x", "status"], 64, "write the command first"),
        (["runs", "--limit", "many"], 64, "`orchd runs --help` shows what it takes"),
        (["runs", "--since", "yesterday"], 64, "'yesterday' is no time; write one such as"),
        (["runs", "--limit", "0"], 64, "argument --limit: '0' is no count: write a whole number of 1 or more"),
        (["next", "-n", "x"], 64, "argument -n: 'x' is no count: write a whole number of 1 or more"),
        (["show"], 64, "RUN"),
        (["show", "nope"], 66, "there is no /runs/nope"),
        (["logs", "nope"], 66, "there is no /runs/nope/logs"),
        (["logs", "x", "--level", "loud"], 64, "--level loud is no level; write one of debug, info"),
        (["start", "f", "--param", "x"], 64, "--param 'x' has no name and value"),
        (["start", "f", "--param", 'p={"a":'], 64, """begins like JSON and is none (Expecting value: line 1"""),
        (["start", "f", "--param", "p= [1"], 64, """correct it, or for text write 'p=" [1"'"""),
        (["run", "-p", __file__, "--param", 'p="x'], 64, "--param 'p=\"x' begins like JSON and is none"),
        (["start", "f", "--param-file", "/nope"], 64, "--param-file /nope cannot be read: No such file"),
        (["run", "-p", "/nope.py"], 66, "there is no flow file /nope.py"),
        (["serve", "--config", "/nope"], 78, "there is no config file or folder /nope"),
        (["status", "--socket", "/nope"], 3, "no daemon answers at /nope"),
        (["completion", "ksh"], 64, "invalid choice: 'ksh'"),
    ],
)
def test_a_mistake_is_one_sentence(orchd: Orchd, words: list[str], code: int, says: str) -> None:
    """
    A person's mistake gives one line on stderr, no traceback, and the exit code of the error tree.
    """
    done = orchd(*words)

    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("orchd: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_overview_names_every_command(orchd: Orchd) -> None:
    """
    `orchd` and `orchd --help` list all commands and the first steps.
    """
    text = orchd("--help").stdout

    assert orchd().stdout == text
    for name in ("init", "serve", "status", "logs", "why", "completion"):
        assert f"\n  {name} " in text
    assert "first steps:" in text


def test_completion_knows_the_commands(orchd: Orchd) -> None:
    """
    The script offers the commands and their options.
    """
    script = orchd("completion", "bash").stdout

    assert "unpause" in script
    assert "--explain" in script


@pytest.mark.parametrize("words", [["status"], ["status", "--json"], ["runs"], ["logs", NAME], ["logs", "--raw", NAME]])
def test_a_full_disk_is_one_sentence(server: UnixServer, words: list[str]) -> None:
    """
    What cannot be written is said, and the exit code is not that of success.
    """
    pages = [[], [a_line(1, "hello")]]
    server.answers[f"GET /runs/{NAME}/logs"] = lambda *_: {"run": a_run(), "lines": pages.pop(), "next": 1}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [PROGRAM, *words],
            env=ENVIRONMENT | {"ORCHD_SOCKET": str(server.path)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )

    assert (done.returncode, done.stderr.count("\n")) == (74, 1)
    assert "the output cannot be written: No space left on device" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["show", ""], 64, "the name of the run is empty; `orchd runs` lists those that there are"),
        (["show", "/"], 66, "there is no run '/': `orchd runs` lists those that there are"),
        (["logs", "a/b"], 66, "there is no run 'a/b': `orchd runs` lists those that there are"),
        (["why", ""], 64, "the name of the run is empty; `orchd runs` lists those that there are"),
        (["cancel", "/"], 66, "there is no run '/': `orchd runs` lists those that there are"),
        (["pause", "/"], 66, "there is no schedule '/': `orchd schedules` lists those that there are"),
        (["next", ""], 64, "the name of the schedule is empty; `orchd schedules` lists those that there are"),
        (["start", "f" * 201], 64, f"'{'f' * 80} ...' is no flow: a name has at most 200 characters"),
    ],
)
def test_what_can_be_no_name_is_not_asked_for(
    server: UnixServer, orchd: Orchd, words: list[str], code: int, sentence: str
) -> None:
    """
    One sentence, with no more of the name than its beginning.
    """
    done = orchd(*words)

    assert (code, f"orchd: {sentence}\n", []) == (done.returncode, done.stderr, server.requests)


def test_the_status_tells_what_cannot_be_launched(server: UnixServer, orchd: Orchd) -> None:
    """
    With the reason, where a person looks first.
    """
    server.answers["GET /status"] = a_status(put_off=[{"run": NAME, "flow": "f", "reason": "the disk is full"}])

    assert f"{NAME} of f does not begin, its launch is put off: the disk is full" in orchd("status").stdout
