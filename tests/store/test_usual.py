"""
How long runs usually take, by the store of a daemon that may be running.
"""

from pathlib import Path

from orchd.store.database import Database
from orchd.store.schema import flow_run
from orchd.store.usual import usual_s


def test_a_store_that_is_not_there_knows_nothing(tmp_path: Path) -> None:
    """
    And asking makes none.
    """
    assert usual_s("sqlite", state_dir=tmp_path, flows=["load"]) == {}
    assert list(tmp_path.iterdir()) == []
    assert usual_s("mysql://x", state_dir=tmp_path, flows=["load"]) == {}


def test_a_file_that_is_no_store_knows_nothing(tmp_path: Path) -> None:
    """
    What is wrong with it is the daemon's to say.
    """
    (tmp_path / "orchd.sqlite3").write_text("no store")

    assert usual_s("sqlite", state_dir=tmp_path, flows=["load"]) == {}


def test_what_is_usual_is_the_median_of_the_latest_successes(own_store: Database, url: str, tmp_path: Path) -> None:
    """
    On either store, while its daemon has it open and after that; two runs are too few.
    """
    took_s = {"load": [500.0] * 30 + [3.0] * 15 + [4.0] * 5, "report": [1.0, 1.0], "wrong": []}
    with own_store.writing() as conn:
        for flow, lengths in took_s.items():
            for number, length in enumerate([*lengths, None]):
                conn.execute(flow_run.insert().values(_run(flow, number, length)))
    flows = [*took_s, "unknown"]

    assert usual_s(url, state_dir=tmp_path, flows=flows) == {"load": 3.0}
    own_store.checkpoint()
    own_store.close()
    assert usual_s(url, state_dir=tmp_path, flows=flows) == {"load": 3.0}


def _run(flow: str, number: int, took_s: float | None) -> dict[str, object]:
    return {
        "id": f"{flow}{number}",
        "name": f"{flow}-{number}",
        "flow": flow,
        "source_hash": "aa",
        "wanted_at_us": 0,
        "state": "failed" if took_s is None else "success",
        "trigger": "manual",
        "created_at_us": 0,
        "started_at_us": 0,
        "ended_at_us": int((took_s or 900.0) * 1_000_000),
    }
