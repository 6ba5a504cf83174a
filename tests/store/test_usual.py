"""
How long runs usually take, by the store of a daemon that may be running.
"""

from pathlib import Path

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
