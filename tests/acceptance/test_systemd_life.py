"""
What happens to runs when the daemon is killed, hung, restarted, stopped: tried on the service in a booted systemd.
"""

from collections.abc import Iterator

import pytest

from support.service import QUICK_STOP, QUICK_WATCHDOG, Service
from support.systemd import machine_with_orchd
from support.waiting import eventually

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """
    The installed service with no schedule, and the witness among its flows.
    """
    with machine_with_orchd(tmp_path_factory) as machine:
        service = Service(machine=machine)
        service.install_witness()
        machine.write("/etc/systemd/system/orchd.service.d/20-watchdog.conf", QUICK_WATCHDOG)
        machine.write("/etc/orchd/stop.toml", QUICK_STOP)
        service.start_first()
        yield service


@pytest.fixture(autouse=True)
def _active(service: Service) -> None:
    """
    Each test begins with a daemon that is up, whatever the last one did to it.
    """
    service.machine.run("systemctl", "start", "orchd")


def finishes_whole(service: Service, name: str, run: str) -> None:
    """
    Release the witness and check that it was one run from its first line to its last, and that its files were kept.
    """
    service.release(name)
    assert service.finished(run) == "success", service.run(run)["message"]
    assert service.moves(run).count("running") == 1
    *lines, tmp, var_tmp, shm, total = service.printed(run)
    assert lines == [f"line {number}" for number in range(1, len(lines) + 1)]
    assert [tmp, var_tmp, shm] == ["/tmp: still here", "/var/tmp: still here", "/dev/shm: still here"]
    assert total == f"{len(lines)} lines"


def counts_on(service: Service, run: str) -> None:
    """
    Wait until a run has printed more than it has now, as the daemon of now tells it.
    """
    before = len(service.printed(run))
    eventually(lambda: len(service.printed(run)) > before, what="the run counts on")


def of_the_run(service: Service, run: str) -> set[int]:
    """
    Return the processes that carry the id of this run in their environment.
    """
    told = service.machine.shell(f"grep -lsa ORCHD_RUN_ID={run} /proc/[0-9]*/environ || true")
    return {int(path.split("/")[2]) for path in told.split()}


def test_a_killed_daemon_is_restarted_and_adopts(service: Service) -> None:
    """
    After each of three kill -9 a new daemon follows, and the run goes on as the same run, no line lost or doubled.
    """
    run = service.begin("killed")
    for _ in range(3):
        before = service.main_pid()
        service.machine.run("kill", "-9", str(before))
        eventually(lambda: service.main_pid() not in {0, before}, what="a new daemon")  # noqa: B023
        service.machine.wait_until_active()
        assert service.state(run) == "running"
        counts_on(service, run)
    finishes_whole(service, "killed", run)


def test_a_restart_disturbs_no_run(service: Service) -> None:
    """
    ``systemctl restart`` gives a new daemon; a run that wrote to /tmp before it reads that after it.
    """
    run = service.begin("restarted")
    before = service.main_pid()
    service.machine.run("systemctl", "restart", "orchd")
    assert service.main_pid() != before
    assert service.state(run) == "running"
    counts_on(service, run)
    finishes_whole(service, "restarted", run)


def test_a_stop_lets_runs_finish(service: Service) -> None:
    """
    ``systemctl stop`` ends the daemon only; the run comes to its end without it, and the next start takes it all in.
    """
    run = service.begin("left")
    alive = service.machine.processes()
    service.machine.run("systemctl", "stop", "orchd")
    assert service.machine.show("ActiveState") == "inactive"
    assert 0 < len(service.machine.processes()) < len(alive)
    service.release("left")
    eventually(lambda: not service.machine.processes(), what="the run ends by itself")
    service.machine.run("systemctl", "start", "orchd")
    finishes_whole(service, "left", run)


def test_a_run_that_outlives_its_daemon_can_still_be_cancelled(service: Service) -> None:
    """
    The daemon that follows ends every process of a run that an earlier one started.
    """
    run = service.begin("adopted", child=True)
    assert len(of_the_run(service, run)) >= 2
    service.machine.run("systemctl", "restart", "orchd")
    service.client().post(f"/runs/{run}/cancel", {"reason": "enough"})
    assert service.finished(run) == "cancelled"
    assert not of_the_run(service, run)


def test_a_run_that_crashes_after_a_restart_leaves_nothing(service: Service) -> None:
    """
    The daemon that follows finds, by its environment, what the run of an earlier one left when its monitor was killed.
    """
    run = service.begin("crashed", child=True)
    service.machine.run("systemctl", "restart", "orchd")
    older = of_the_run(service, run)
    assert len(older) >= 2
    service.machine.shell(f"kill -9 $(awk '/^PPid/ {{ print $2 }}' /proc/{min(older)}/status)")
    assert service.finished(run) == "crashed"
    eventually(lambda: not of_the_run(service, run), what="nothing of the run is left")


def test_a_hung_daemon_is_restarted_by_the_watchdog(service: Service) -> None:
    """
    A daemon that is stopped in its tracks is replaced, and the run goes on.
    """
    run = service.begin("hung")
    before = service.main_pid()
    service.machine.run("kill", "-STOP", str(before))
    eventually(lambda: service.main_pid() not in {0, before}, what="a new daemon")
    service.machine.wait_until_active()
    assert "watchdog" in service.machine.journal().lower()
    counts_on(service, run)
    finishes_whole(service, "hung", run)


def test_stop_with_cancel_leaves_nothing(service: Service) -> None:
    """
    ``orchd stop --cancel`` ends all runs and the daemon, nothing is left alive, and systemd starts no new one.
    """
    runs = [service.begin("first"), service.begin("second")]
    service.cli("stop", "--cancel")
    eventually(lambda: service.machine.show("ActiveState") == "inactive", what="the service has ended")
    assert service.machine.processes() == []
    assert service.machine.show("Result") == "success"
    service.machine.run("systemctl", "start", "orchd")
    assert [service.state(run) for run in runs] == ["cancelled", "cancelled"]
