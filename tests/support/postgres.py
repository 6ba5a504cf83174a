"""
A Postgres of the tests' own, on a Unix socket in a folder of its own; it needs no network, no rights and no set-up.
"""

import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import psycopg
import pytest

from support.waiting import eventually

#: Postgres refuses to run as root; this is ``nobody`` on every Linux.
_NOBODY = 65534
_SETTINGS = MappingProxyType(
    {
        "listen_addresses": "",
        "fsync": "off",
        "full_page_writes": "off",
        "shared_buffers": "32MB",
        "max_connections": "60",
    }
)


def binaries() -> Path | None:
    """
    Return the folder of ``initdb`` and ``postgres``: the machine's own, else those that the package pgserver brings.
    """
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: path.parts[-3].zfill(4))
    if installed:
        return installed[-1].parent

    on_path = shutil.which("postgres")
    if on_path is not None and shutil.which("initdb") is not None:
        return Path(on_path).resolve().parent

    brought = importlib.util.find_spec("pgserver")
    if brought is not None and brought.origin is not None:
        folder = Path(brought.origin).parent / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder

    return None


class Cluster:
    """
    One running Postgres server.
    """

    def __init__(self, bin_dir: Path) -> None:
        self._bin = bin_dir
        self._count = itertools.count(1)
        self.folder = Path(tempfile.mkdtemp(prefix="orchd-pg-"))
        self._as: dict[str, object] = {"env": {"PATH": str(bin_dir), "LC_ALL": "C"}, "cwd": self.folder}
        if os.geteuid() == 0:
            os.chown(self.folder, _NOBODY, _NOBODY)
            self._as |= {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        command = [bin_dir / "initdb", "-D", self.folder / "data", "-U", "orchd", "-A", "trust", "-E", "UTF8"]
        done = subprocess.run([*command, "--no-sync", "--locale=C"], capture_output=True, text=True, **self._as)
        assert done.returncode == 0, done.stderr
        self.start()

    def start(self) -> None:
        """
        Start the server and return when it answers.
        """
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [self._bin / "postgres", "-D", self.folder / "data", "-k", self.folder, *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._as,
            )
        eventually(self._answers, what="Postgres answers")

    def _answers(self) -> bool:
        assert self._server.poll() is None, (self.folder / "log").read_text()
        try:
            psycopg.connect(self.conninfo("postgres")).close()
        except psycopg.OperationalError:
            return False

        return True

    @property
    def is_running(self) -> bool:
        """
        True while the server's process is alive.
        """
        return self._server.poll() is None

    def stop(self, mode: str = "fast") -> None:
        """
        Stop the server: ``fast`` ends sessions and writes everything, ``immediate`` is a crash.
        """
        self._server.send_signal({"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])
        self._server.wait(timeout=60)

    def conninfo(self, database: str) -> str:
        """
        Return what psycopg itself needs to connect.
        """
        return f"host={self.folder} dbname={database} user=orchd"

    def new_database(self) -> str:
        """
        Make an empty database and return the ``store =`` URL of it.
        """
        name = f"store_{next(self._count)}"
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://orchd@/{name}?host={self.folder}"

    def close(self) -> None:
        """
        Stop the server and remove its folder.
        """
        if self.is_running:
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """
    One server for the whole session; skipped where there is none, except where nothing may be skipped.
    """
    bin_dir = binaries()
    if bin_dir is None:
        why = "no Postgres binaries here: install postgresql, or the package pgserver"
        if os.environ.get("CI") or os.environ.get("ORCHD_NOTHING_SKIPPED"):
            pytest.fail(why)
        pytest.skip(why)
    cluster = Cluster(bin_dir)
    yield cluster
    cluster.close()


@pytest.fixture
def postgres_url(postgres: Cluster) -> str:
    """
    URL of an empty database of this test's own.
    """
    return postgres.new_database()
