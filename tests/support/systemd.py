"""
A real systemd, booted in namespaces of its own over a throw-away copy of this machine's root, with orchd
installed in it by the very commands of ``systemd/README.md``.
"""

import fcntl
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from support.needs import cannot_run
from support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "systemd"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#: Where the machine sees the clone that is installed, and the program that was built from it.
CLONE = "/clone"
PROGRAM = "/opt/orchd"

_BOOT = Path(__file__).with_name("boot-systemd.sh")
_NEEDED = "unshare nsenter setpriv ip mount".split()
_PYTHON = Path("/usr/bin/python3")

# Only in a mount namespace of its own: the machine's /opt stays readable below, and gets nothing.
_BUILD = """
set -eu
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay -o "lowerdir=/opt,upperdir=$1/upper,workdir=$1/work" overlay /opt
mkdir -p /opt/orchd
mount --bind "$2" /opt/orchd
cd "$3"
eval "$4"
"""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """
    A booted systemd; everything written in it, except to a bound folder, dies with it.
    """

    folder: Path

    def boot(self, binds: Mapping[str, Path]) -> None:
        """
        Boot, with each folder of *binds* seen at its key.
        """
        bound = " ".join(f"{outside}:{inside}" for inside, outside in binds.items())
        subprocess.run(
            [_BOOT, "up"], env=self._env() | {"SDBIND": bound}, check=True, timeout=60, stdout=subprocess.DEVNULL
        )

    def halt(self) -> None:
        """
        Shut down; nothing of the machine is left.
        """
        subprocess.run([_BOOT, "down"], env=self._env(), check=True, timeout=60, stdout=subprocess.DEVNULL)

    def run(self, *command: str, check: bool = True, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """
        Run *command* as root inside; with *check*, a failure fails the test with what the command printed.
        """
        done = subprocess.run(
            [_BOOT, "exec", *command],
            env=self._env(),
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout_s,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{command} exited with {done.returncode}:\n{done.stdout}{done.stderr}")

        return done

    def shell(self, script: str, *, check: bool = True, timeout_s: float = 60) -> str:
        """
        Run *script* in a shell inside, in the clone if there is one, and return what it printed.
        """
        cd = f"cd {CLONE} 2>/dev/null || cd /; set -e;"
        return self.run("bash", "-c", f"{cd} {script}", check=check, timeout_s=timeout_s).stdout

    def write(self, path: str, text: str) -> None:
        """
        Write *text* into the file *path* inside, making its folder.
        """
        self.run("bash", "-c", 'mkdir -p "$(dirname "$1")" && printf %s "$2" > "$1"', "-", path, text)

    def show(self, what: str) -> str:
        """
        Return the property *what* of orchd.service, as systemd shows it.
        """
        return self.run("systemctl", "show", "--value", "-p", what, "orchd").stdout.strip()

    def processes(self) -> list[int]:
        """
        List the processes that systemd counts to orchd.service: daemon, spawner, monitors, runs and what these left.
        """
        told = self.shell("cat /sys/fs/cgroup/system.slice/orchd.service/cgroup.procs", check=False)
        return [int(pid) for pid in told.split()]

    def journal(self) -> str:
        """
        Return what orchd.service has logged, and systemd about it.
        """
        return self.run("journalctl", "-u", "orchd", "--no-pager", "-o", "short-precise").stdout

    def wait_until_active(self) -> None:
        """
        Wait until systemd calls the service active; on failure show its log.
        """
        try:
            eventually(lambda: self.show("ActiveState") == "active", within_s=30, every_s=0.1)
        except AssertionError:
            raise AssertionError(f"orchd.service is not active:\n{self.journal()}") from None

    def _env(self) -> dict[str, str]:
        return {"PATH": PATH, "SDROOT": str(self.folder)}


def readme_steps(title: str) -> str:
    """
    Return the shell commands under the heading *title* of ``systemd/README.md``.
    """
    text = (UNITS / "README.md").read_text()
    section = re.search(rf"^### {re.escape(title)}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"systemd/README.md has no section {title!r}"
    blocks: list[str] = re.findall(r"^```sh\n(.*?)^```", section[1], re.MULTILINE | re.DOTALL)
    return "".join(blocks)


def copy_of_clone(target: Path) -> Path:
    """
    Copy what a clone holds to *target*, so that building in it leaves nothing in this one.
    """
    ignored = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build", "dist")
    shutil.copytree(ROOT, target, ignore=ignored, dirs_exist_ok=True)
    return target


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Return the temporary folder of the whole test session, which all of its parallel workers share.
    """
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


def built_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Install orchd with Debian's own Python by step 1 of ``systemd/README.md``, once in a test session, and return the
    folder that is to be ``/opt/orchd``; its neighbour ``clone`` is the clone it was built from.
    """
    folder = shared_folder(tmp_path_factory) / "orchd-for-systemd"
    program, clone, done = folder / "program", folder / "clone", folder / "done"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists():
            return program

        (folder / "mnt").mkdir(exist_ok=True)
        program.mkdir(exist_ok=True)
        copy_of_clone(clone)
        script = ["bash", "-c", _BUILD, "-", folder / "mnt", program, clone, readme_steps("1. The program")]
        env = {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "PYTHONPATH"}}
        built = subprocess.run(
            ["unshare", "--mount", *script],
            env=env | {"PATH": PATH},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert built.returncode == 0, built.stdout
        done.touch()

    return program


def missing() -> str | None:
    """
    Say why no systemd can be booted here, or None when it can.
    """
    if os.geteuid() != 0:
        return "booting a systemd needs root"

    lacks = [tool for tool in _NEEDED if shutil.which(tool, path=PATH) is None]
    lacks += [str(path) for path in (Path("/lib/systemd/systemd"), _PYTHON) if not path.exists()]
    return f"booting a systemd needs {', '.join(lacks)}" if lacks else None


@contextmanager
def booted(tmp_path_factory: pytest.TempPathFactory, binds: Mapping[str, Path]) -> Iterator[Machine]:
    """
    Boot a machine with each folder of *binds* seen at its key, and halt it at the end, whatever happens.
    """
    if reason := missing():
        cannot_run(reason)

    # Its cgroup is named after the folder, so the name must be free on the whole host.
    machine = Machine(folder=tmp_path_factory.mktemp("systemd") / secrets.token_hex(4))
    try:
        machine.boot(binds)
        yield machine
    finally:
        machine.halt()


@contextmanager
def machine_with_orchd(
    tmp_path_factory: pytest.TempPathFactory, binds: Mapping[str, Path] = MappingProxyType({})
) -> Iterator[Machine]:
    """
    Boot a machine, with each folder of *binds* seen at its key too, on which orchd is installed by
    ``systemd/README.md`` up to, and without, its last step: start it.
    """
    if reason := missing():
        cannot_run(reason)

    program = built_program(tmp_path_factory)
    binds = {PROGRAM: program, CLONE: program.with_name("clone"), **binds}
    with booted(tmp_path_factory, binds) as machine:
        machine.shell(readme_steps("2. The user, the config, the flows"))
        yield machine
