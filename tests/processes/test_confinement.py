"""
What a run is given: its folder, its environment, five descriptors, limits; and what it is not given.
"""

import json
import os
import resource
from pathlib import Path

import pytest

from orchd.processes import fence
from orchd.processes.launch import Spawner
from support.waiting import eventually

from .conftest import House


def test_a_run_has_five_descriptors(house: House) -> None:
    """
    Nothing of the daemon, the spawner or other runs leaks: 0, 1, 2, lock and journal; a program it starts has three.
    """
    other = house.folder("hang()")
    house.spawner.launch(other.path)
    eventually(lambda: house.said(other, "hangs"))
    folder, _ = house.run("""
        for fd in sorted(os.listdir("/proc/self/fd"), key=int):
            try:
                print(fd, os.path.basename(os.readlink("/proc/self/fd/" + fd)))
            except FileNotFoundError:
                pass
        sys.stdout.flush()
        subprocess.run(["ls", "/proc/self/fd"])
        """)
    monitor_pid = fence.probe(other).monitor_pid
    assert monitor_pid is not None
    other.write_cancel("enough")
    os.kill(monitor_pid, 15)
    house.ended(other)

    own, theirs = folder.stdout.read_text().split("journal.jsonl\n")
    assert [line.split()[1] for line in own.splitlines()[:4]] == ["null", "stdout", "stderr", "lock"]
    assert len(own.splitlines()[4:]) == 1
    assert len(theirs.split()) <= 4


def test_ps_shows_which_flow_a_process_runs(house: House) -> None:
    """
    Monitor and run say flow and run, in place of the spawner's command line that they were forked with; what the run
    starts says its own.
    """
    folder = house.folder(
        """
        print(open("/proc/self/cmdline").read().rstrip(chr(0)))
        print(open(f"/proc/{os.getppid()}/cmdline").read().rstrip(chr(0)))
        sys.stdout.flush()
        subprocess.run(["cat", "/proc/self/cmdline"])
        """,
        flow="f",
    )
    house.finish(folder)

    own, monitor, theirs = folder.stdout.read_text().splitlines()
    assert (own, monitor) == ("orchd: run f calm-otter", "orchd: monitor f calm-otter")
    assert theirs == "cat\0/proc/self/cmdline\0"


def test_a_name_that_does_not_fit_a_command_line_is_cut(house: House) -> None:
    """
    Bytes behind the spawner's own are not touched, and what a terminal would obey is not shown.
    """
    name = "x\n" + "y" * 5000
    text = f"""
    from orchd import Flow, task

    @task
    def work():
        data = open("/proc/self/cmdline", "rb").read()
        print(data[:18], len(data) < 1000, b"\\n" in data)

    with Flow({name!r}) as flow:
        work()
    """
    folder = house.folder("", flow_text=text, flow=name)
    house.finish(folder)

    assert folder.stdout.read_text() == "b'orchd: run x?yyyyy' True False\n"


def test_a_run_works_in_its_flow_files_folder(house: House) -> None:
    """
    Working directory, ``sys.path[0]`` and ``sys.argv`` are those of ``python flow_file.py`` in its folder.
    """
    folder, _ = house.run("print(os.getcwd())\nprint(sys.path[0])\nprint(*sys.argv)")

    place = Path(folder.read_spec().file)
    assert folder.stdout.read_text().splitlines() == [str(place.parent), str(place.parent), str(place)]


def test_a_run_sees_a_clean_environment_and_its_own_names(tmp_path: Path) -> None:
    """
    Of the daemon's environment only the harmless names come through, then the env_file, then the run's own names.
    """
    house = House(tmp_path, {"SECRET": "s", "LC_TIME": "C", "TZ": "Europe/Vienna"})
    env_file = tmp_path / "flows.env"
    env_file.write_text("MINE=1\nORCHD_RUN_ID=forged\nTZ=Asia/Tokyo\n")
    folder, _ = house.run(
        "import json, time\nprint(json.dumps(dict(os.environ)), time.tzname[0])", env_file=str(env_file)
    )
    house.close()

    text, zone = folder.stdout.read_text().rsplit(" ", 1)
    env = json.loads(text)
    spec = folder.read_spec()
    assert "SECRET" not in env
    assert (env["LC_TIME"], env["MINE"], zone) == ("C", "1", "JST\n")
    assert (env["ORCHD_RUN_ID"], env["ORCHD_RUN_KEY"], env["ORCHD_RUN_DIR"]) == (
        spec.run_id,
        spec.run_key,
        str(folder.path),
    )
    allowed = {
        "PATH",
        "HOME",
        "LANG",
        "LANGUAGE",
        "TZ",
        "USER",
        "LOGNAME",
        "SHELL",
        "TMPDIR",
        "MINE",
        "LC_CTYPE",
    }
    assert {name for name in env if name not in allowed} == {
        "LC_TIME",
        "ORCHD_RUN_ID",
        "ORCHD_RUN_KEY",
        "ORCHD_RUN_DIR",
    }


def test_the_kernel_shows_the_runs_id_without_exec(house: House) -> None:
    """
    ``/proc/PID/environ`` of a run, and of a child that it only forked, carries the run's id and no placeholder.
    """
    folder, _ = house.run("""
        def show():
            environ = open("/proc/self/environ", "rb").read().split(bytes(1))
            os.write(1, b" ".join(v for v in environ if v.startswith(b"ORCHD_RUN_ID=")) + b"\\n")
        show()
        if os.fork() == 0:
            show()
            os._exit(0)
        os.wait()
        """)

    assert folder.stdout.read_text() == f"ORCHD_RUN_ID={folder.read_spec().run_id}\n" * 2


def test_an_env_file_that_is_missing_fails_the_run(house: House) -> None:
    """
    A run without the environment that it was promised does not begin its flow.
    """
    folder, finished = house.run("pass", env_file="/none/flows.env")

    assert finished.state == "failed"
    assert "/none/flows.env" in finished.message
    assert house.said(folder, "entered") == []


@pytest.mark.parametrize(
    ("body", "printed"),
    [
        ("print(open('/proc/self/oom_score_adj').read().strip())", "500\n"),
        ("print(resource.getrlimit(resource.RLIMIT_CORE))", "(0, 0)\n"),
        ("print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))", "set()\n"),
        ("print(signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL)", "True\n"),
        ("import gc; print(gc.isenabled())", "True\n"),
        ("import threading; print(threading.active_count())", "1\n"),
        ("print(sys.stdout.encoding, sys.stdout.errors, sys.stdin.read())", "utf-8 backslashreplace \n"),
        ("print(os.getpgid(0) == os.getpid(), os.getsid(0) == os.getppid())", "True True\n"),
        ("print(open('/proc/self/comm').read().strip())", "orchd-run\n"),
    ],
)
def test_a_run_is_set_up(house: House, body: str, printed: str) -> None:
    """
    Limits, signals, streams and process group are as user code may expect them.
    """
    folder, _ = house.run(body)

    assert folder.stdout.read_text() == printed


def test_user_code_may_use_processes_of_its_own(house: House) -> None:
    """
    multiprocessing by fork and by spawn, and subprocesses, work in a run.
    """
    folder, finished = house.run("""
        import multiprocessing
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(pool.map(abs, [-1, -2]))
        print(subprocess.check_output(["echo", "hi"], text=True), end="")
        """)

    assert finished.state == "success"
    assert folder.stdout.read_text() == "[1, 2]\nhi\n"


def test_the_context_tells_the_run_who_it_is(house: House) -> None:
    """
    ``orchd.context`` has the run's id, name, fire time and the runs that it waited for.
    """
    folder, finished = house.run(
        "c = orchd.context\nprint(c.flow_run_id, c.flow_run_name, c.scheduled_start_time.timestamp(), c.upstream_runs)",
        fire_time_us=1_700_000_000_000_000,
        upstream_runs={"load": "abc"},
    )

    assert finished.state == "success"
    run_id = folder.read_spec().run_id
    assert folder.stdout.read_text() == f"{run_id} calm-otter 1700000000.0 {{'load': 'abc'}}\n"


def test_a_run_gets_the_descriptors_that_the_daemon_was_given(tmp_path: Path) -> None:
    """
    The daemon and its spawner have more, since each run costs them one.
    """
    house = House(tmp_path)
    house.spawner.close()
    house.spawner = Spawner(house.runs, house.env, file_limit=77)
    house.spawner.start()
    folder, _ = house.run("print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])")
    soft, _ = resource.prlimit(house.spawner.pid, resource.RLIMIT_NOFILE)
    house.close()

    assert folder.stdout.read_text() == "77\n"
    assert soft > 77
