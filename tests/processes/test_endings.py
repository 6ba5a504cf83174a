"""
How runs end: whatever kills them, the monitor says how, and what they printed is in their files.
"""

import os
from pathlib import Path

import pytest

from orchd.model.records import FlowRecord, LogRecord, TaskRecord
from orchd.model.states import FlowRunState
from orchd.processes import fence
from orchd.processes.journal import last_word, read_records

from .conftest import House


def test_a_flow_that_succeeds_is_a_success(house: House) -> None:
    """
    The run is entered once, its tasks and its end are in the journal, and nothing holds the lock.
    """
    folder, finished = house.run("print('hello')")

    assert (finished.state, finished.exit_code, finished.signal) == ("success", 0, None)
    assert folder.stdout.read_bytes() == b"hello\n"
    assert folder.stderr.read_bytes() == b""
    assert house.said(folder, "entered") == [folder.read_spec().run_key]
    states = [r.state for r, _ in read_records(folder.journal, 0, 1 << 20).records if isinstance(r, TaskRecord)]
    assert states == ["running", "success"]
    assert isinstance(last_word(folder.journal), FlowRecord)
    assert fence.probe(folder) == fence.Probe(monitor_pid=None, run_pid=None)
    assert finished.peak_rss_kib is not None
    assert finished.peak_rss_kib > 5000


def test_a_flow_that_raises_has_failed(house: House) -> None:
    """
    An exception of user code is a failed run with exit code 1, not a crash.
    """
    _, finished = house.run("raise ValueError('no such thing')")

    assert (finished.state, finished.exit_code) == ("failed", 1)


@pytest.mark.parametrize(
    ("body", "state", "message"),
    [
        ("ctypes.string_at(0)", "crashed", "killed by SIGSEGV (segmentation fault)"),
        ("os.abort()", "crashed", "killed by SIGABRT (aborted)"),
        ("os._exit(7)", "crashed", "the process exited with code 7 before the flow was done"),
        ("os._exit(0)", "crashed", "the process exited with code 0 before the flow was done"),
        ("sys.exit(3)", "crashed", "the process exited with code 3 before the flow was done"),
        ("sys.exit('so long')", "crashed", "the process exited with code 1 before the flow was done"),
        ("sys.exit()", "crashed", "the process exited with code 0 before the flow was done"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "crashed", "killed by SIGKILL"),
        ("os.kill(os.getpid(), signal.SIGUSR2)", "crashed", "killed by SIGUSR2 (user defined signal 2)"),
    ],
)
def test_a_sudden_end_is_told_and_keeps_what_was_printed(house: House, body: str, state: str, message: str) -> None:
    """
    The state and the sentence are right, and lines and bytes that were written before the end are in the files.
    """
    printed = "print('line')\nos.write(1, b'bytes')\nos.write(2, b'err')\n"
    folder, finished = house.run(printed + body)

    assert finished.state == state
    assert finished.message.startswith(message)
    assert folder.stdout.read_bytes() == b"line\nbytes"
    assert folder.stderr.read_bytes().startswith(b"err")


def test_a_segfault_leaves_the_traceback_in_stderr(house: House) -> None:
    """
    The dying interpreter's words, which name the line, are kept.
    """
    folder, _ = house.run("ctypes.string_at(0)")

    assert b"Segmentation fault" in folder.stderr.read_bytes()
    assert b"flow_file.py" in folder.stderr.read_bytes()


def test_memory_that_is_refused_fails_the_run(house: House) -> None:
    """
    A MemoryError under RLIMIT_AS is an exception like others: failed, with what was printed before.
    """
    limit = "resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28))"
    folder, finished = house.run(f"print('before')\n{limit}\nbytearray(1 << 30)")

    assert finished.state == "failed"
    assert folder.stdout.read_bytes() == b"before\n"


def test_all_bytes_are_kept_as_they_are(house: House) -> None:
    """
    Invalid UTF-8, NUL, lone surrogates, a carriage return and a missing last newline are in the file, byte for byte.
    """
    folder, _ = house.run("""
        os.write(1, bytes(range(256)))
        print("\\udc80 \\0 \\r", end="")
        """)

    assert folder.stdout.read_bytes() == bytes(range(256)) + b"\\udc80 \0 \r"


def test_a_line_of_ten_megabytes_is_kept(house: House) -> None:
    """
    A very long line without a newline is whole.
    """
    folder, finished = house.run("sys.stdout.write('x' * 10_000_000)")

    assert finished.state == "success"
    assert folder.stdout.stat().st_size == 10_000_000


def test_what_others_print_lands_in_the_files(house: House) -> None:
    """
    A subprocess, the C library and a thread write where the task prints, in the order in which they did.
    """
    folder, _ = house.run("""
        print("python")
        subprocess.run(["sh", "-c", "echo child; echo oops >&2"])
        ctypes.CDLL(None).puts(b"libc")
        ctypes.CDLL(None).fflush(None)
        print("end")
        """)

    assert folder.stdout.read_bytes() == b"python\nchild\nlibc\nend\n"
    assert folder.stderr.read_bytes() == b"oops\n"


def test_exit_handlers_and_threads_come_before_the_end(house: House) -> None:
    """
    As with ``python flow.py``: other threads are waited for and exit handlers run; then the flow has the last word.
    """
    folder, finished = house.run("""
        import atexit, threading
        go = threading.Event()
        threading.Thread(target=lambda: (go.wait(), print("thread"))).start()
        atexit.register(lambda: print("exit"))
        threading.Timer(0.05, go.set).start()
        """)

    assert finished.state == "success"
    assert folder.stdout.read_bytes() == b"thread\nexit\n"
    assert isinstance(last_word(folder.journal), FlowRecord)


def test_a_pool_that_nobody_shut_down_keeps_no_run(house: House) -> None:
    """
    Its threads wait for work for ever; they are told to end, and what they were given is done.
    """
    folder, finished = house.run("""
        from concurrent.futures import ThreadPoolExecutor
        global pool
        pool = ThreadPoolExecutor(2)
        pool.submit(print, "done")
        """)

    assert finished.state == "success"
    assert folder.stdout.read_bytes() == b"done\n"


def test_a_file_that_cannot_be_imported_fails_with_the_reason(house: House) -> None:
    """
    The import error is the message and a log line, its traceback is in stderr, and the run has failed.
    """
    folder = house.folder("", flow_text="import sys\n\nimport there_is_none\n")
    finished = house.finish(folder)

    assert finished.state == "failed"
    assert "there_is_none" in finished.message
    assert b"there_is_none" in folder.stderr.read_bytes()
    logs = [r.text for r, _ in read_records(folder.journal, 0, 1 << 20).records if isinstance(r, LogRecord)]
    assert finished.message in logs


def test_a_flow_that_is_not_in_the_file_fails(house: House) -> None:
    """
    The message names what is there.
    """
    _, finished = house.run("pass", flow="g")

    assert finished.state == FlowRunState.FAILED
    assert "no flow 'g', it has 'f'" in finished.message


def test_a_file_that_is_gone_fails(house: House) -> None:
    """
    A flow file that was removed is a failed run that says so.
    """
    folder = house.folder("pass")
    Path(folder.read_spec().file).unlink()

    assert house.finish(folder).state == "failed"


def test_a_changed_file_runs_and_says_so(house: House) -> None:
    """
    A run whose file is no longer the described one uses it and logs a warning.
    """
    folder, finished = house.run("pass", source_hash="0" * 64)

    assert finished.state == "success"
    logs = [r for r, _ in read_records(folder.journal, 0, 1 << 20).records if isinstance(r, LogRecord)]
    assert [record.level for record in logs if "has changed" in record.text] == [30]


def test_a_wrong_parameter_fails(house: House) -> None:
    """
    A parameter that the flow does not have is the person's mistake, not a crash.
    """
    _, finished = house.run("pass", parameters={"nope": 1})

    assert finished.state == "failed"
    assert "nope" in finished.message


def test_a_child_that_goes_on_alone_is_gone_at_the_end(house: House) -> None:
    """
    When a run has ended by itself, nothing that it left behind is alive.
    """
    folder, finished = house.run("""
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                hang()
            os._exit(0)
        os.wait()
        while not os.path.exists(os.path.join(HERE, "hangs")):
            pass
        """)

    assert finished.state == "success"
    (pid,) = house.said(folder, "hangs")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_a_child_that_logs_after_the_end_makes_no_crash_of_a_success(house: House) -> None:
    """
    What it logs comes after the flow's last word, which still counts.
    """
    folder, finished = house.run("""
        parent = os.getpid()
        if os.fork() == 0:
            while os.getppid() == parent:
                pass
            orchd.context.logger.info("late")
            os._exit(0)
        """)

    records = [record for record, _ in read_records(folder.journal, 0, 1 << 20).records]
    assert isinstance(records[-1], LogRecord)
    assert (finished.state, finished.message) == ("success", records[-2].message)


def test_a_folder_in_the_place_of_the_monitors_file_does_not_hold_it(house: House) -> None:
    """
    It cannot say how the run ended, and ends.
    """
    folder = house.folder("""
        path = os.path.join(os.environ["ORCHD_RUN_DIR"], "monitor.jsonl")
        os.unlink(path)
        os.mkdir(path)
        """)
    house.spawner.launch(folder.path)

    assert house.ended(folder).status == 0
