"""
What the API tells of flows, slots and the daemon's own work; starting once by a key.
"""

import re

import pytest

from orchd.web.limits import is_deeper
from web.serving import Serving


def test_versions_and_summary_of_a_flow(api: Serving) -> None:
    """
    The newest version first, and figures of its runs.
    """
    api.post("/runs", {"flow": "load"})
    versions = api.get("/flows/load/versions")
    summary = api.get("/flows/load/summary")

    assert [each["version"] for each in versions["versions"]] == [1]
    assert versions["versions"][0]["changes"] == []
    assert versions["next"] is None
    assert summary["summary"] | {"counts": summary["summary"]["counts"]} == {
        "runs": 1,
        "counts": {"scheduled": 1},
        "success_rate": None,
        "median_s": None,
        "p95_s": None,
    }
    assert api.get("/flows/load/versions", before=1) == {"versions": [], "next": None}


@pytest.mark.parametrize("path", ["/flows/x/versions", "/flows/x/summary", "/slots?schedule=x"])
def test_what_is_not_there(api: Serving, path: str) -> None:
    """
    Is said, not shown as empty.
    """
    status, body = api.ask("GET", f"/api/v1{path}")

    assert (status, body["error"]["code"]) == (404, "not_found")


def test_the_ledger_is_empty_at_first(api: Serving) -> None:
    """
    And a page has no next one then.
    """
    assert api.get("/slots") == {"slots": [], "next": None}


@pytest.mark.parametrize(
    "query", ["after=x", "after=2026-11-23T02:00:00@a", "limit=501", "limit=0", "outcome=x", "until=x"]
)
def test_questions_about_slots_that_cannot_be_meant(api: Serving, query: str) -> None:
    """
    Each gets one sentence.
    """
    status, body = api.ask("GET", f"/api/v1/slots?{query}")

    assert status == 400
    assert body["error"]["message"]


def _start(api: Serving, header: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
    return api.ask("POST", "/api/v1/runs", body, headers={"Idempotency-Key": header})


def test_a_key_in_the_header_starts_once(api: Serving) -> None:
    """
    As one in the body does, and the same one in both.
    """
    first = _start(api, "k1", {"flow": "load"})
    again = _start(api, "k1", {"flow": "load", "idempotency_key": "k1"})

    assert first[0] == 201
    assert first[1] == again[1]
    assert len(api.get("/runs")["runs"]) == 1


def test_two_keys_that_differ_are_refused(api: Serving) -> None:
    """
    Nobody can tell which one is meant.
    """
    status, body = _start(api, "k1", {"flow": "load", "idempotency_key": "k2"})

    assert status == 400
    assert "the header Idempotency-Key says" in str(body)
    assert api.get("/runs")["runs"] == []


def test_metrics_are_what_prometheus_reads(api: Serving) -> None:
    """
    Each family has its kind, the histogram adds up, and live runs are counted by state.
    """
    api.post("/runs", {"flow": "load"})
    status, text = api.ask_text("/metrics")
    samples = dict(re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE))

    assert status == 200
    assert samples['orchd_runs{state="scheduled"}'] == "1"
    assert samples["orchd_held_runs"] == "1"
    assert samples['orchd_start_lateness_seconds_bucket{le="0.1"}'] == "3"
    assert samples['orchd_start_lateness_seconds_bucket{le="1.0"}'] == "5"
    assert samples['orchd_start_lateness_seconds_bucket{le="+Inf"}'] == "6"
    assert samples["orchd_start_lateness_seconds_count"] == "6"
    assert samples['orchd_runs_ended_total{state="success"}'] == "4"
    assert samples["orchd_tick_age_seconds"] == "0.25"
    assert int(samples["orchd_store_bytes"]) > 0
    families = set(re.findall(r"^# TYPE (\w+) (?:gauge|counter|histogram)$", text, re.MULTILINE))
    assert {re.sub(r"(_bucket|_sum|_count)?(\{.*)?$", "", name) for name in samples} == families


def test_the_document_says_who_may_come_in(api: Serving) -> None:
    """
    Everything asks for a token or a session, but health.
    """
    document = api.get("/openapi.json")

    assert set(document["components"]["securitySchemes"]) == {"token", "session"}
    assert document["security"] == [{"token": []}, {"session": []}]
    assert document["paths"]["/health"]["get"]["security"] == []


@pytest.mark.parametrize(
    ("value", "levels", "deeper"), [(1, 0, False), ([], 0, False), ([[1]], 1, True), ({"a": [1]}, 2, False)]
)
def test_depth(value: object, levels: int, deeper: bool) -> None:
    """
    Objects and lists count, what stands in the innermost does not.
    """
    assert is_deeper(value, levels) is deeper
