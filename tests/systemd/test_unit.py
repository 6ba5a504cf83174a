"""
What can be said of the unit and its drop-ins without starting them.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.needs import cannot_run
from support.systemd import UNITS

DROPINS = sorted(path.name for path in UNITS.glob("10-*.conf"))

#: Exposure by ``systemd-analyze security``: what is promised, and what each drop-in makes of it at most.
EXPOSURE = {
    "": 1.6,
    "10-containers.conf": 3.1,
    "10-gpu.conf": 1.7,
    "10-home.conf": 1.6,
    "10-paths.conf": 1.6,
    "10-sudo.conf": 8.2,
}


def analyze(*arguments: str | Path) -> str:
    """
    Run systemd-analyze, which must succeed, and return everything that it printed.
    """
    if shutil.which("systemd-analyze") is None:
        cannot_run("judging the unit needs systemd-analyze")

    done = subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def with_dropin(folder: Path, dropin: str) -> Path:
    """
    Copy the unit and one drop-in, as they would be installed, with programs that exist on every machine.
    """
    unit = folder / "orchd.service"
    unit.write_text(re.sub(r"^(Exec\w+)=.*", r"\1=/bin/true", (UNITS / unit.name).read_text(), flags=re.MULTILINE))
    if dropin:
        (folder / "orchd.service.d").mkdir()
        shutil.copy(UNITS / dropin, folder / "orchd.service.d")

    return unit


def settings(path: Path) -> Iterator[tuple[str, list[str]]]:
    """
    Yield each run of settings that stand together, with the comment lines right above them.
    """
    for block in re.split(r"\n(?=#)|\n\n", path.read_text()):
        lines = [line for line in block.splitlines() if line and not line.startswith("[")]
        for line in lines:
            if not line.startswith("#"):
                yield line, [above for above in lines if above.startswith("#")]


def test_every_dropin_is_judged() -> None:
    """
    No drop-in is shipped without a bound on its exposure.
    """
    assert DROPINS == sorted(name for name in EXPOSURE if name)


@pytest.mark.parametrize("dropin", EXPOSURE)
def test_systemd_finds_nothing_to_complain_about(tmp_path: Path, dropin: str) -> None:
    """
    ``systemd-analyze verify`` prints not one line about the unit, alone and with each drop-in.
    """
    assert analyze("--man=no", "verify", with_dropin(tmp_path, dropin)) == ""


@pytest.mark.parametrize("dropin", EXPOSURE)
def test_the_exposure_is_as_promised(tmp_path: Path, dropin: str) -> None:
    """
    The exposure is at most 1.6, and a drop-in costs no more than its own line of the table.
    """
    told = analyze("security", "--offline=true", with_dropin(tmp_path, dropin))
    found = re.search(r"Overall exposure level for orchd.service: ([0-9.]+)", told)
    assert found, told
    assert float(found[1]) <= EXPOSURE[dropin]


def test_user_and_temporary_files_are_understood(tmp_path: Path) -> None:
    """
    systemd's own tools read the files that make the user, and empty the folder of temporary files.
    """
    etc = tmp_path / "etc"
    etc.mkdir()
    for name in ("passwd", "group"):
        shutil.copy(f"/etc/{name}", etc)
    for tool, arguments, name in (
        ("systemd-sysusers", [f"--root={tmp_path}"], "orchd.sysusers.conf"),
        ("systemd-tmpfiles", ["--remove", "--prefix=/nowhere"], "orchd.tmpfiles.conf"),
    ):
        if shutil.which(tool) is None:
            cannot_run(f"reading {name} needs {tool}")

        done = subprocess.run([tool, *arguments, UNITS / name], text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", [UNITS / "orchd.service", *(UNITS / name for name in DROPINS)], ids=lambda p: p.name)
def test_every_setting_has_its_reason(path: Path) -> None:
    """
    Above each setting, or the group that it opens, stands a comment; only what needs no reason has none.
    """
    plain = "Description Documentation ExecStart SyslogIdentifier WantedBy".split()
    bare = [line for line, reason in settings(path) if not reason and line.partition("=")[0] not in plain]
    assert not bare
