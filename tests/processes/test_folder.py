"""
The run folder: what is whole is read, what is torn is not there.
"""

from pathlib import Path

import pytest

from orchd.errors import NotFound, StateError
from orchd.model.records import Finished, RunSpec, Started, Void
from orchd.processes.folder import RunFolder

SPEC = RunSpec(run_id="r" * 36, run_name="n", run_key="k", flow="f", file="/f.py", source_hash="h", parameters={"a": 1})
STARTED = Started(at=1, host="h", boot_id="b", pid=2, start_time=3)
FINISHED = Finished(at=2, state="success", message="ok", exit_code=0)


def test_a_new_folder_is_private_and_holds_the_spec(tmp_path: Path) -> None:
    """
    The folder is readable by its owner alone, and run.json gives back what was written.
    """
    folder = RunFolder.create(tmp_path, SPEC)

    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.read_spec() == SPEC
    assert folder.lock.stat().st_size == 0


def test_creating_again_writes_the_spec_anew_and_keeps_the_lock(tmp_path: Path) -> None:
    """
    A relaunch replaces run.json and never the lock file, which others may hold.
    """
    inode = RunFolder.create(tmp_path, SPEC).lock.stat().st_ino
    folder = RunFolder.create(tmp_path, RunSpec(**{**_fields(SPEC), "grace_s": 5.0}))

    assert folder.read_spec().grace_s == 5.0
    assert folder.lock.stat().st_ino == inode


def test_a_folder_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    """
    Reading the spec of no run names the folder.
    """
    with pytest.raises(NotFound, match="no run folder"):
        RunFolder(tmp_path / "gone").read_spec()


@pytest.mark.parametrize("text", ["{", '{"version": 1}', "\0\0\0"])
def test_a_damaged_spec_is_a_state_error(tmp_path: Path, text: str) -> None:
    """
    A run.json that cannot be read is said to be so, with its path.
    """
    folder = RunFolder.create(tmp_path, SPEC)
    folder.spec.write_text(text)

    with pytest.raises(StateError, match=r"run\.json cannot be read"):
        folder.read_spec()


def test_a_spec_of_a_newer_orchd_is_refused(tmp_path: Path) -> None:
    """
    A format that this orchd does not know is not guessed at.
    """
    folder = RunFolder.create(tmp_path, RunSpec(**{**_fields(SPEC), "version": 99}))

    with pytest.raises(StateError, match="format 99"):
        folder.read_spec()


def test_records_come_back_in_order(tmp_path: Path) -> None:
    """
    What was begun and ended is read as it was written.
    """
    folder = RunFolder.create(tmp_path, SPEC)
    assert (folder.records(), folder.began(), folder.finished()) == ((), None, None)

    folder.begin(STARTED)
    folder.end(FINISHED)

    assert folder.records() == (STARTED, FINISHED)
    assert (folder.began(), folder.finished()) == (STARTED, FINISHED)


@pytest.mark.parametrize("torn", [b'{"kind":"started","ver', b"\0" * 100, b"\xff\xfe\n", b'{"kind":"later"}\n'])
def test_a_torn_start_counts_as_not_there_and_is_cut_away(tmp_path: Path, torn: bytes) -> None:
    """
    After a torn or strange first line the run has not begun, and beginning it leaves one whole record.
    """
    folder = RunFolder.create(tmp_path, SPEC)
    folder.monitor.write_bytes(torn)
    assert folder.began() is None

    folder.begin(Void(at=1, reason="no"))

    assert folder.records() == (Void(at=1, reason="no"),)


def test_an_end_after_a_torn_end_is_read(tmp_path: Path) -> None:
    """
    A monitor that could write only half of the end on a full disk writes it whole on a new line.
    """
    folder = RunFolder.create(tmp_path, SPEC)
    folder.begin(STARTED)
    with folder.monitor.open("ab") as file:
        file.write(b'{"kind":"finished","at":')

    folder.end(FINISHED, on_new_line=True)

    assert folder.finished() == FINISHED


def test_a_cancel_is_read_as_written_and_a_damaged_one_still_cancels(tmp_path: Path) -> None:
    """
    The wish to cancel is never lost for want of its reason.
    """
    folder = RunFolder.create(tmp_path, SPEC)
    assert folder.read_cancel() is None

    folder.write_cancel("because", grace_s=2.0)
    request = folder.read_cancel()
    assert request is not None
    assert (request.reason, request.grace_s) == ("because", 2.0)

    folder.cancel.write_text("x")
    request = folder.read_cancel()
    assert request is not None
    assert request.reason == "cancelled"


def _fields(spec: RunSpec) -> dict[str, object]:
    return {name: getattr(spec, name) for name in spec.__struct_fields__}
