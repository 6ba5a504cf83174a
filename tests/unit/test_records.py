"""
The lines of a run's folder: every record comes back as it went, and tomorrow's can be read today.
"""

import msgspec
import pytest

from orchd.model.records import (
    FORMAT_VERSION,
    Finished,
    FlowRecord,
    JournalRecord,
    LogRecord,
    MonitorRecord,
    RunSpec,
    SpanRecord,
    Started,
    TaskRecord,
    Void,
)

MONITOR = [
    Started(at=1, host="here", boot_id="b", pid=7, start_time=9),
    Finished(at=2, state="failed", message="1 task failed", exit_code=1),
    Finished(at=2, state="crashed", message="killed by SIGSEGV", signal=11, peak_rss_kib=4096),
    Void(at=3, reason="cancelled"),
]
JOURNAL = [
    TaskRecord(at=1, slug="load", state="running", stdout=0, stderr=0),
    TaskRecord(at=2, slug="load", state="success", map_index=3, attempt=2, message="ok", location="/r/1", stdout=5),
    LogRecord(at=3, level=20, logger="load", text="a\nb \u20ac \x00", slug="load", map_index=0),
    SpanRecord(stream="stderr", start=0, end=12, slug="load"),
    FlowRecord(at=4, state="success", message="all done"),
]
#: As version 1 wrote them. Never change a line here: files like these lie in people's state folders.
OLD_LINES = [
    ('{"kind":"started","version":1,"at":1,"host":"here","boot_id":"b","pid":7,"start_time":9}', MONITOR[0]),
    ('{"kind":"finished","at":2,"state":"failed","message":"1 task failed","exit_code":1}', MONITOR[1]),
    ('{"kind":"void","at":3,"reason":"cancelled"}', MONITOR[3]),
    ('{"kind":"task","at":1,"slug":"load","state":"running","stdout":0,"stderr":0}', JOURNAL[0]),
    ('{"kind":"span","stream":"stderr","start":0,"end":12,"slug":"load"}', JOURNAL[3]),
    ('{"kind":"flow","at":4,"state":"success","message":"all done"}', JOURNAL[4]),
]
ANY = MonitorRecord | JournalRecord


@pytest.mark.parametrize("record", [*MONITOR, *JOURNAL], ids=lambda record: type(record).__name__)
def test_a_record_comes_back_as_it_went(record: ANY) -> None:
    """
    One line each, with no newline inside.
    """
    line = msgspec.json.encode(record)

    assert b"\n" not in line
    assert record == msgspec.json.decode(line, type=ANY)


@pytest.mark.parametrize(("line", "record"), OLD_LINES)
def test_lines_of_version_1_stay_readable(line: str, record: ANY) -> None:
    """
    What was written before an upgrade is read after it.
    """
    assert record == msgspec.json.decode(line, type=ANY)


@pytest.mark.parametrize(("line", "record"), OLD_LINES)
def test_what_a_newer_orchd_adds_is_passed_over(line: str, record: ANY) -> None:
    """
    Unknown keys are no error.
    """
    newer = f'{line[:-1]},"tomorrow":{{"a":[1]}}}}'

    assert record == msgspec.json.decode(newer, type=ANY)


def test_a_spec_comes_back_as_it_went() -> None:
    """
    With everything set, and with nothing but what must be.
    """
    least = RunSpec(run_id="1", run_name="n", run_key="k", flow="f", file="/f.py", source_hash="aa")
    full = msgspec.structs.replace(
        least,
        parameters={"a": [1, None, {"b": "c"}]},
        attempt=2,
        schedule="nightly",
        fire_time_us=5,
        time_limit_s=1.5,
        grace_s=0.0,
        env_file="/e",
        upstream_runs={"load": "2"},
        nudge="/n",
    )

    assert [least, full] == [msgspec.json.decode(msgspec.json.encode(spec), type=RunSpec) for spec in (least, full)]
    assert FORMAT_VERSION == least.version
