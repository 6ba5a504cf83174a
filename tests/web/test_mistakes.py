"""
What cannot be meant gets one sentence in the one shape, and changes nothing.
"""

from typing import Any

import pytest
from structlog.testing import capture_logs

from orchd.errors import StaleRun, StoreError
from scheduler.rig import Rig, every_minute
from web.serving import Serving

HUGE = 2**63
BAD_QUERIES = [
    ("/runs?limit=0", "limit"),
    ("/runs?limit=501", "limit"),
    ("/runs?limit=many", "limit"),
    (f"/runs?limit={10**30}", "limit"),
    (f"/runs?before={HUGE}", "before"),
    ("/runs?after=-1", "after"),
    (f"/runs?after={HUGE}", "after"),
    ("/runs?state=sleeping", "state.0"),
    ("/runs?since=yesterday", "since"),
    ("/runs?since=2026-06-01T10:00:00", "since"),
    ("/runs?wait_s=31", "wait_s"),
    ("/runs?wait_s=-1", "wait_s"),
    ("/runs?wait_s=nan", "wait_s"),
    ("/runs/x/logs?limit=10001", "limit"),
    ("/runs/x/logs?tail=-1", "tail"),
    ("/runs/x/logs?level=1000", "level"),
    (f"/runs/x/logs?after={HUGE}", "after"),
    ("/next?n=0", "n"),
    ("/next?n=1001", "n"),
    ("/next?from=2026-06-01", "from"),
    ("/why", "of"),
]
BAD_BODIES: list[tuple[str, Any, str | None]] = [
    ("/runs", None, None),
    ("/runs", [], None),
    ("/runs", "load", None),
    ("/runs", {}, "flow"),
    ("/runs", {"flow": 1}, "flow"),
    ("/runs", {"flow": "load", "parameters": []}, "parameters"),
    ("/runs", {"flow": "load", "at": "soon"}, "at"),
    ("/runs", {"flow": "load", "at": "2026-06-01T10:00:00"}, "at"),
    ("/runs", {"flow": "load", "idempotency_key": "x" * 201}, "idempotency_key"),
    ("/runs", {"flow": "load", "flw": 1}, "flw"),
    ("/runs/x/cancel", {"reason": "x" * 1001}, "reason"),
    ("/runs/x/cancel", {"why": "x"}, "why"),
    ("/runs/x/cancel", {"reason": "x\0"}, "reason"),
    ("/schedules/a/pause", {"note": "\0"}, "note"),
    ("/runs", {"flow": "load", "idempotency_key": "\0"}, "idempotency_key"),
    ("/schedules/a/pause", {"note": 1}, "note"),
    ("/schedules/a/pause", {"note": "x" * 1001}, "note"),
    ("/stop", {"cancel": "perhaps"}, "cancel"),
    ("/stop", {"now": True}, "now"),
]


def refused(answer: tuple[int, Any], *, status: int, code: str, field: str | None = None) -> str:
    """
    Check the one shape of an error, and return its sentence.
    """
    assert (status, {"error"}) == (answer[0], set(answer[1])), answer
    error = answer[1]["error"]
    assert {"code", "message", "field"} == set(error)
    assert (code, field) == (error["code"], error["field"]), error
    assert error["message"]
    message: str = error["message"]
    return message


@pytest.mark.parametrize(("path", "field"), BAD_QUERIES)
def test_a_query_that_cannot_be_meant(shared_api: Serving, path: str, field: str) -> None:
    """
    The answer names the parameter.
    """
    sentence = refused(shared_api.ask("GET", f"/api/v1{path}"), status=400, code="usage_error", field=field)

    assert sentence.startswith(f"{field.removesuffix('.0')}: ")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/runs?limit=0", "limit: '0' is too small; write 1 or more"),
        ("/runs?limit=many", "limit: 'many' is no whole number"),
        ("/next?n=1001", "n: '1001' is too large; write 1000 or less"),
        ("/runs?since=soon", "since: 'soon' is no time with its zone; write one such as 2026-03-29T02:30:00Z"),
        ("/why", "of: is missing"),
    ],
)
def test_a_query_is_refused_in_plain_words(shared_api: Serving, path: str, sentence: str) -> None:
    """
    Not in those of a library.
    """
    field = sentence.partition(":")[0]

    assert sentence == refused(shared_api.ask("GET", f"/api/v1{path}"), status=400, code="usage_error", field=field)


def test_a_state_that_is_none_is_told_all_there_are(shared_api: Serving) -> None:
    """
    By the names that the API has for them.
    """
    answer = shared_api.ask("GET", "/api/v1/runs?state=bogus")
    sentence = refused(answer, status=400, code="usage_error", field="state.0")

    assert sentence.startswith("state: 'bogus' is none of 'scheduled', 'pending'")


def test_a_flow_or_task_that_is_none_is_not_found(api: Serving, rig: Rig) -> None:
    """
    An empty list would be taken for one that never ran.
    """
    run = rig.run()
    message = refused(api.ask("GET", "/api/v1/runs?flow=nosuch"), status=404, code="not_found")
    assert "there is no flow 'nosuch': `orchd flows` lists those that there are" == message
    assert [] == api.get("/runs", flow="report")["runs"]

    message = refused(api.ask("GET", f"/api/v1/runs/{run.id}/logs?task=nosuch"), status=404, code="not_found")
    assert "flow load has no task 'nosuch'; there are: none" == message


@pytest.mark.parametrize(("path", "body", "field"), BAD_BODIES)
def test_a_body_that_cannot_be_meant(shared_api: Serving, path: str, body: object, field: str | None) -> None:
    """
    The answer names the field, and nothing is asked of the daemon.
    """
    refused(shared_api.ask("POST", f"/api/v1{path}", body), status=400, code="usage_error", field=field)

    assert [] == shared_api.daemon.asked


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"null", b'{"flow": "load"', b"[" * 100_000])
def test_a_body_that_is_no_json(shared_api: Serving, raw: bytes) -> None:
    """
    It hurts nobody.
    """
    status, answer = shared_api.ask("POST", "/api/v1/runs", raw=raw)

    assert (400, "usage_error") == (status, answer["error"]["code"])


def test_a_body_that_is_too_long(shared_api: Serving) -> None:
    """
    More than 1 MiB is not kept, and who sent it hears why.
    """
    raw = b'{"flow": "load", "parameters": {"x": "' + b"x" * 20_000_000 + b'"}}'
    sentence = refused(shared_api.ask("POST", "/api/v1/runs", raw=raw), status=413, code="usage_error")

    assert "1048576 bytes" in sentence
    assert [] == shared_api.daemon.asked


@pytest.mark.parametrize(
    "parameters", ['{"x": "\\ud800"}', '{"x": ' + "9" * 5000 + "}", '{"\\ud800": 1}', '{"x": NaN}']
)
def test_parameters_that_no_store_can_hold(shared_api: Serving, parameters: str) -> None:
    """
    Half a character, a number of five thousand digits, or one that is none is refused with a sentence.
    """
    raw = f'{{"flow": "load", "parameters": {parameters}}}'.encode()
    status, answer = shared_api.ask("POST", "/api/v1/runs", raw=raw)

    assert (400, "usage_error") == (status, answer["error"]["code"])
    assert [] == shared_api.get("/runs")["runs"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"parameters": {"y": 1}}, "flow 'load' has no parameter 'y': it takes x"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "0001-01-01T00:00:00+14:00 is in no calendar"),
    ],
)
def test_wishes_that_the_daemon_refuses(shared_api: Serving, body: dict[str, object], message: str) -> None:
    """
    The sentence says what can be asked for.
    """
    answer = shared_api.ask("POST", "/api/v1/runs", {"flow": "load"} | body)

    assert message in refused(answer, status=400, code="usage_error")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/runs/nothing"),
        ("GET", "/runs/nothing/logs"),
        ("GET", f"/runs/{'x' * 5000}"),
        ("POST", "/runs/nothing/cancel"),
        ("GET", "/why?of=nothing"),
        ("GET", "/why?of=a@b@c"),
        ("GET", "/next?schedule=nothing"),
        ("POST", "/schedules/nothing/pause"),
        ("POST", "/schedules/nothing/unpause"),
    ],
)
def test_what_is_not_there_is_not_found(shared_api: Serving, method: str, path: str) -> None:
    """
    The sentence says what to look at.
    """
    body = {} if method == "POST" else None

    refused(shared_api.ask(method, f"/api/v1{path}", body), status=404, code="not_found")


def test_several_runs_that_fit_are_refused(api: Serving, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    With their names.
    """
    ids = iter(["aaaa0000-0000-4000-8000-000000000001", "aaaa0000-0000-4000-8000-000000000002"])
    monkeypatch.setattr("scheduler.rig.uuid4", lambda: next(ids))
    names = [rig.run().row.name for _ in range(2)]
    message = refused(api.ask("GET", "/api/v1/runs/aaaa"), status=409, code="ambiguous")

    assert all(name in message for name in names)


@pytest.mark.parametrize("path", ["/runs/{}", "/runs/{}/logs", "/why?of={}"])
def test_a_beginning_that_is_too_short(shared_api: Serving, path: str) -> None:
    """
    Of an id there must be four characters; what is no beginning of one is not there at all, and not repeated whole.
    """
    message = refused(shared_api.ask("GET", f"/api/v1{path.format('0')}"), status=400, code="usage_error")
    assert "'0' is too short: write at least 4 characters of the id" == message

    message = refused(shared_api.ask("GET", f"/api/v1{path.format('x' * 81)}"), status=404, code="not_found")
    assert f"'{'x' * 80} ...': `orchd runs`" in message


@pytest.mark.parametrize("time", ["soon", "2026-13-01T00:00:00Z", ""])
def test_why_of_no_time(api: Serving, rig: Rig, time: str) -> None:
    """
    The sentence shows how a time is written.
    """
    rig.use(every_minute("a"))
    answer = api.ask("GET", f"/api/v1/why?of=a@{time}")

    assert "write it like 2026-03-29T02:30:00Z" in refused(answer, status=400, code="usage_error")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Vienna", "America/New_York"])
@pytest.mark.parametrize("path", ["/why?of=a@{}", "/next?from={}&schedule=a", "/next?from={}", "/runs?since={}"])
def test_the_ends_of_the_calendar_are_no_crash(api: Serving, rig: Rig, zone: str, path: str) -> None:
    """
    Whatever the zone: near them there is nothing, and beyond the years that every zone has is a mistake.
    """
    rig.use(every_minute("a", timezone=zone, rule="0 0 31 12 *"))
    asked = {year: api.ask("GET", f"/api/v1{path.format(f'{year}-12-31T23:59:59Z')}")[0] for year in ("0001", "9999")}

    assert 200 == api.ask("GET", f"/api/v1{path.format('9998-12-31T23:59:59Z')}")[0]
    assert set(asked.values()) <= ({200} if path.startswith("/runs") else {400})


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59.999999Z", "9999-01-01T00:00:00Z", "0001-12-31T00:00:00Z"])
def test_a_run_wanted_beyond_the_calendar_is_refused(api: Serving, at: str) -> None:
    """
    It could be shown in no zone but that of UTC.
    """
    answer = api.ask("POST", "/api/v1/runs", {"flow": "load", "at": at})

    assert "is in no calendar: write a time of the years 2 to 9998" in refused(answer, status=400, code="usage_error")


@pytest.mark.parametrize(
    "path", ["/api/v1/runs/%00", "/api/v1/flows/a%00", "/api/v1/slots?schedule=%00", "/api/v1/why?of=%00"]
)
def test_nul_in_an_address(shared_api: Serving, path: str) -> None:
    """
    Postgres holds no NUL in a text, so it is refused before anybody asks a store for it.
    """
    status, body = shared_api.ask("GET", path)

    assert (status, body["error"]["code"]) == (400, "usage_error")


def test_an_unknown_path_names_the_document_of_all(shared_api: Serving) -> None:
    """
    A wrong method too has the one shape.
    """
    assert "openapi.json" in refused(shared_api.ask("GET", "/api/v1/nothing"), status=404, code="not_found")
    refused(shared_api.ask("DELETE", "/api/v1/runs"), status=405, code="http_error")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(StaleRun("it is over"), 409, "stale_run"), (StoreError("the disk is full"), 503, "store_error")],
)
def test_what_the_daemon_cannot_do_is_told(api: Serving, error: Exception, status: int, code: str) -> None:
    """
    Its own sentence, with the status of its kind.
    """
    api.daemon.fails = error

    assert str(error) == refused(api.ask("POST", "/api/v1/reload"), status=status, code=code)


def test_a_bug_of_ours_does_not_end_the_daemon(api: Serving) -> None:
    """
    The caller is told to look at the log; nothing of the inside is shown.
    """
    api.daemon.fails = ZeroDivisionError("secret")
    with capture_logs() as logs:
        message = refused(api.ask("POST", "/api/v1/reload"), status=500, code="internal_error")

    assert "orchd itself failed (ZeroDivisionError); its log says more" == message
    assert ["request_failed"] == [entry["event"] for entry in logs]
    api.daemon.fails = None
    assert 200 == api.ask("GET", "/health")[0]
