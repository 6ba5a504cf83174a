"""
Who may register which file, and what of it is written down.
"""

import os
from pathlib import Path

import pytest

from orchd.errors import FlowError, NotFound, UsageError
from orchd.model.registration import Registration
from orchd.model.specs import Description, FlowSpec
from orchd.scheduler.registering import check_description, has_moved, only, place_of

OWN = os.getuid()
STRANGER = OWN + 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A home with one folder of ``[flows] paths`` and one beside it.
    """
    for name in ("flows", "elsewhere"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own.py").touch()
    return tmp_path


def wish(file: Path, *, uid: int | None) -> Registration:
    """
    Return the wish of *uid* to register *file*.
    """
    return Registration(file=str(file), flow="own", project="p", who="ann", uid=uid)


@pytest.mark.parametrize("uid", [OWN, STRANGER, None])
def test_anybody_may_register_below_the_paths(folder: Path, uid: int | None) -> None:
    """
    Also by another name of the same file, which is known by the one that the config leads to.
    """
    file = folder / "flows" / "own.py"
    (folder / "link.py").symlink_to(file)

    assert place_of(wish(file, uid=uid), [folder / "flows"]) == (file, True)
    assert place_of(wish(folder / "link.py", uid=uid), [folder / "flows"]) == (file, True)


@pytest.mark.parametrize("uid", [STRANGER, None])
@pytest.mark.parametrize("file", ["elsewhere/own.py", "flows/../elsewhere/own.py", "flows/link.py"])
def test_other_files_are_the_daemons_own_users_to_register(folder: Path, uid: int | None, file: str) -> None:
    """
    Whatever way leads there: what counts is the file itself.
    """
    if file.endswith("link.py"):
        (folder / file).symlink_to(folder / "elsewhere" / "own.py")
        paths = [folder / "flows" / "own.py"]
    else:
        paths = [folder / "flows"]
    with pytest.raises(UsageError, match=r"ann may not register .*only the daemon's own user may register others"):
        place_of(wish(folder / file, uid=uid), paths)


def test_the_daemons_own_user_may_register_any_file(folder: Path) -> None:
    """
    It could do everything that the flow can, anyway.
    """
    file = folder / "elsewhere" / "own.py"

    assert place_of(wish(file, uid=OWN), [folder / "flows"]) == (file, False)


def test_a_file_that_the_search_passes_over_may_be_registered_by_anybody(folder: Path) -> None:
    """
    It lies below the paths, though no reload would find it by itself.
    """
    file = folder / "flows" / "_own.py"
    file.touch()

    assert place_of(wish(file, uid=STRANGER), [folder / "flows"]) == (file, False)


def test_a_file_that_is_not_there_is_told(folder: Path) -> None:
    """
    The daemon may see other files than the script does.
    """
    with pytest.raises(NotFound, match="that the daemon can see"):
        place_of(wish(folder / "nothing.py", uid=OWN), [])


def test_a_file_without_the_flow_is_refused() -> None:
    """
    As is one that does not load.
    """
    spec = FlowSpec(name="other", file="/f.py", source_hash="")
    check_description(Description(file="/f.py", flows=(spec,)), "other")
    with pytest.raises(FlowError, match=r"/f\.py has no flow 'own' at its top level, it has: other"):
        check_description(Description(file="/f.py", flows=(spec,)), "own")
    with pytest.raises(FlowError, match=r"/f\.py: line 1: it is broken"):
        check_description(Description(file="/f.py", error="line 1: it is broken"), "own")


def test_a_flow_whose_file_is_gone_may_be_registered_elsewhere(folder: Path) -> None:
    """
    One whose file is there may not.
    """
    spec = FlowSpec(name="own", file="f", source_hash="")

    assert has_moved(Description(file="/gone.py", flows=(spec,)), "own")
    assert not has_moved(Description(file=str(folder / "flows" / "own.py"), flows=(spec,)), "own")
    assert not has_moved(Description(file="/gone.py", flows=(spec,)), "other")


def test_of_a_file_outside_of_the_paths_only_what_was_registered_is_known() -> None:
    """
    A flow that its file has no more is told of, unless the whole file does not load.
    """
    own, other = (FlowSpec(name=name, file="/f.py", source_hash="") for name in ("own", "other"))
    whole = Description(file="/f.py", flows=(own, other), warnings=("a line",))
    broken = Description(file="/f.py", error="line 1: it is broken")

    assert only(whole, frozenset({"own"})) == Description(file="/f.py", flows=(own,), warnings=("a line",))
    assert only(whole, frozenset({"gone"})).warnings == (
        "a line",
        "/f.py has no flow 'gone' any more, which was registered from it",
    )
    assert only(broken, frozenset({"own"})) == broken
