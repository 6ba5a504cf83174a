"""
The log of a run over HTTP: page by page, waiting for what is new, and as a stream.
"""

import threading
from collections.abc import Iterable
from typing import Any

import pytest

from orchd.model.records import TaskRecord
from orchd.model.states import FlowRunState
from orchd.scheduler.board import LiveRun
from orchd.store import logs
from scheduler.rig import Rig, write_journal
from web.serving import Serving

S = FlowRunState
#: Lines that one answer looks at.
_LOOKED_AT = 50_000


def say(rig: Rig, run: LiveRun, texts: Iterable[str], *, begin: int = 0) -> None:
    """
    Store lines of a run, the first one with seq *begin*.
    """
    with rig.database.writing() as conn:
        logs.append(
            conn, [(run.row.number, seq, 0, 20, 0, None, -1, text) for seq, text in enumerate(texts, start=begin)]
        )


def texts(events: Iterable[dict[str, Any]]) -> list[str]:
    """
    Return the lines of a stream.
    """
    return [line["text"] for event in events if event["event"] == "lines" for line in event["data"]["lines"]]


def test_the_log_is_read_in_pages(api: Serving, rig: Rig) -> None:
    """
    `next` is where the next page begins; the last lines can be had alone.
    """
    run = rig.run()
    run.folder.stdout.write_bytes(b"".join(b"line %d\n" % number for number in range(10)))
    rig.ingest.step(run, None)
    first = api.get(f"/runs/{run.id}/logs", limit=4)
    second = api.get(f"/runs/{run.id}/logs", limit=4, after=first["next"])
    tail = api.get(f"/runs/{run.id}/logs", tail=2)
    nothing = api.get(f"/runs/{run.id}/logs", after=9)

    texts = [line["text"] for line in (*first["lines"], *second["lines"])]
    assert [f"line {number}" for number in range(8)] == texts
    assert ["line 8", "line 9"] == [line["text"] for line in tail["lines"]]
    assert (9, 9, []) == (tail["next"], nothing["next"], nothing["lines"])
    assert {"seq", "at", "level", "stream", "task", "map_index", "text"} == set(first["lines"][0])


def test_lines_are_chosen_by_task_level_and_time(api: Serving, rig: Rig) -> None:
    """
    All three together.
    """
    run = rig.run()
    run.folder.stdout.write_bytes(b"mine\nnobody's\n")
    write_journal(
        run.folder,
        TaskRecord(at=1, slug="t", state="running", stdout=0, stderr=0),
        TaskRecord(at=2, slug="t", state="success", stdout=5, stderr=0),
    )
    rig.ingest.step(run, None)

    def texts(**query: object) -> list[str]:
        return [line["text"] for line in api.get(f"/runs/{run.id}/logs", **query)["lines"]]

    assert ["mine"] == texts(task="t")
    assert [] == texts(level=30)
    assert ["nobody's"] == texts(level=20, since="2026-01-01T00:00:00Z")


def test_a_long_poll_of_the_log_returns_with_the_next_line(api: Serving, rig: Rig) -> None:
    """
    And not before.
    """
    run = rig.run()
    answers: list[Any] = []
    poll = threading.Thread(target=lambda: answers.append(api.get(f"/runs/{run.id}/logs", wait_s=20)))
    poll.start()
    assert api.daemon.waited.acquire(timeout=10)
    api.daemon.changes.notify()
    assert api.daemon.waited.acquire(timeout=10)
    run.folder.stdout.write_bytes(b"new\n")
    rig.ingest.step(run, None)
    api.daemon.changes.notify()
    poll.join(10)

    assert [["new"]] == [[line["text"] for line in answer["lines"]] for answer in answers]


def test_a_long_poll_of_a_final_run_does_not_wait(api: Serving, rig: Rig) -> None:
    """
    There will be no more lines.
    """
    run = rig.run()
    rig.move(run.id, S.SUCCESS)

    assert [] == api.get(f"/runs/{run.id}/logs", wait_s=30)["lines"]
    assert not api.daemon.waited.acquire(blocking=False)


def test_a_search_of_a_long_log_goes_on_from_where_it_came_to(api: Serving, rig: Rig) -> None:
    """
    One answer looks at 50,000 lines: an empty one with `more` is not the end, and does not wait for new lines.
    """
    run = rig.run()
    say(rig, run, ["first", *(["other"] * _LOOKED_AT), "last"])

    first = api.get(f"/runs/{run.id}/logs", text="LAST", wait_s=20)
    second = api.get(f"/runs/{run.id}/logs", text="LAST", after=first["next"])
    newest = api.get(f"/runs/{run.id}/logs", text="first", tail=10)
    oldest = api.get(f"/runs/{run.id}/logs", text="first", tail=10, before=newest["before"])

    assert ([], _LOOKED_AT - 1, True) == (first["lines"], first["next"], first["more"])
    assert (["last"], False) == ([line["text"] for line in second["lines"]], second["more"])
    assert ([], False, 2) == (newest["lines"], newest["more"], newest["before"])
    assert (["first"], None) == ([line["text"] for line in oldest["lines"]], oldest["before"])


def test_a_stream_gives_every_line_and_ends_with_the_run(api: Serving, rig: Rig) -> None:
    """
    However many there are, those that come meanwhile too; the state comes first and whenever it changes.
    """
    run = rig.run()
    say(rig, run, map(str, range(2500)))
    with api.stream(f"/runs/{run.id}/logs/stream") as events:
        found = [next(events) for _ in range(4)]
        say(rig, run, ["more"], begin=2500)
        api.daemon.changes.notify()
        found.append(next(events))
        rig.move(run.id, S.SUCCESS)
        api.daemon.changes.notify()
        found += events

    assert [*map(str, range(2500)), "more"] == texts(found)
    assert ["state", "lines", "lines", "lines", "lines", "state", "end"] == [event["event"] for event in found]
    assert ["running", "success", "success"] == [
        event["data"]["run"]["state"] for event in found if "run" in event["data"]
    ]


def test_a_stream_that_was_cut_goes_on_after_its_last_event(api: Serving, rig: Rig) -> None:
    """
    By the header that a browser sends, or by `after`; the header is the stronger one.
    """
    run = rig.run()
    say(rig, run, "abcdef")
    rig.move(run.id, S.SUCCESS)
    with api.stream(f"/runs/{run.id}/logs/stream?after=3") as events:
        _, lines, end = events
    with api.stream(f"/runs/{run.id}/logs/stream?after=0", headers={"Last-Event-ID": lines["id"]}) as events:
        again = list(events)
    with api.stream(f"/runs/{run.id}/logs/stream", headers={"Last-Event-ID": "4"}) as events:
        last = list(events)

    assert (["e", "f"], "5", "end") == (texts([lines]), lines["id"], end["event"])
    assert ["state", "end"] == [event["event"] for event in again]
    assert ["f"] == texts(last)


def test_a_stream_gives_the_lines_that_are_wanted(api: Serving, rig: Rig) -> None:
    """
    By the filters of the pages; one may lie so far that no single answer would find it.
    """
    run = rig.run()
    say(rig, run, [*(["other"] * (_LOOKED_AT + 1)), "wanted"])
    rig.move(run.id, S.SUCCESS)
    with api.stream(f"/runs/{run.id}/logs/stream?text=wanted") as events:
        assert ["wanted"] == texts(events)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/runs/nothing/logs/stream", 404),
        ("/runs/{id}/logs/stream?task=nosuch", 404),
        ("/runs/{id}/logs/stream?after=x", 400),
    ],
)
def test_what_is_wrong_is_said_before_a_stream_begins(api: Serving, rig: Rig, path: str, status: int) -> None:
    """
    In the one shape of errors.
    """
    run = rig.run()
    answered, body = api.ask("GET", f"/api/v1{path.format(id=run.id)}")

    assert (status, {"code", "message", "field"}) == (answered, set(body["error"]))


def test_streams_of_logs_are_counted_with_the_live_pages(
    api: Serving, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whoever asks for one too many is told.
    """
    run = rig.run()
    monkeypatch.setattr("orchd.web.pages.live.MAX_STREAMS", 0)

    assert 429 == api.ask("GET", f"/api/v1/runs/{run.id}/logs/stream")[0]


def test_the_document_says_what_a_stream_sends(api: Serving) -> None:
    """
    Its type is that of server-sent events.
    """
    status, document = api.ask("GET", "/api/v1/openapi.json")
    answer = document["paths"]["/api/v1/runs/{ref}/logs/stream"]["get"]["responses"]["200"]

    assert (200, ["text/event-stream"]) == (status, list(answer["content"]))
