"""
The service as a user installs it, by the very commands of systemd/README.md, in a booted systemd.
"""

import json
from collections.abc import Iterator

import pytest

from support.service import Service
from support.systemd import machine_with_orchd
from support.waiting import eventually

# Building the program needs the network of the machine, which may be slow.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """
    The shipped config and flows, started by the README's last step, which returns when the daemon says READY.
    """
    with machine_with_orchd(tmp_path_factory) as machine:
        service = Service(machine=machine)
        service.start_first()
        yield service


def test_the_installed_unit_has_nothing_to_complain_about(service: Service) -> None:
    """
    ``systemd-analyze verify`` is content with the unit where its programs are, and the exposure is as promised.
    """
    installed = "/etc/systemd/system/orchd.service"
    assert service.machine.shell(f"systemd-analyze --man=no verify {installed} 2>&1") == ""
    told = service.machine.shell(f"systemd-analyze security --offline=true --threshold=16 {installed}")
    assert "Overall exposure level" in told


def test_ready_is_said_by_the_daemon(service: Service) -> None:
    """
    The service is active with a daemon that answers, and tells systemd in a line how it is.
    """
    assert service.machine.show("ActiveState") == "active"
    assert service.machine.show("NRestarts") == "0"
    assert service.machine.show("StatusText")
    assert service.client().get("/status")["daemon"]["pid"] == service.main_pid()


def test_iris_runs_and_writes_its_results(service: Service) -> None:
    """
    data-engineer runs by its schedule, data-science after it, and their files lie in the folder of 10-paths.conf.
    """
    ended = eventually(
        lambda: service.client().get("/runs", flow="data-science", state="success")["runs"],
        within_s=150,
        every_s=0.5,
        what="data-science succeeds",
    )
    assert service.client().get("/runs", flow="data-engineer", state="success")["runs"]
    assert "Model accuracy on test set" in service.cli("logs", ended[0]["id"])
    results = service.machine.shell("find /srv/orchd/results -type f -user orchd").split()
    assert results


def test_the_command_line_finds_the_service(service: Service) -> None:
    """
    ``orchd status`` and ``orchd logs`` need no option to find the system's daemon.
    """
    assert json.loads(service.cli("status", "--json"))["daemon"]["state_dir"] == "/var/lib/orchd"
    assert "data-engineer" in service.cli("status")
    assert "accuracy" in service.cli("logs", "data-science")


def test_members_of_the_group_may_use_it_and_others_may_not(service: Service) -> None:
    """
    A person in group orchd gets an answer; one who is not gets none, and sees neither socket nor state.
    """
    service.machine.shell("useradd alice; useradd bob; usermod -aG orchd alice")
    assert "up" in service.machine.shell("runuser -u alice -- orchd status")
    refused = service.machine.run("runuser", "-u", "bob", "--", "orchd", "status", check=False)
    assert refused.returncode
    for place in ("/var/lib/orchd", "/run/orchd", "/var/cache/orchd", "/etc/orchd/flows.env"):
        assert service.machine.run("runuser", "-u", "bob", "--", "cat", place, check=False).returncode
        assert service.machine.run("runuser", "-u", "bob", "--", "ls", f"{place}/", check=False).returncode


def test_its_log_is_json_in_the_journal(service: Service) -> None:
    """
    Under journald each line of the daemon's own log is a JSON object.
    """
    told = service.machine.shell(
        "journalctl -u orchd _PID=$(systemctl show --value -p MainPID orchd) -o cat"
    ).splitlines()
    assert told
    assert all(isinstance(json.loads(line), dict) for line in told)


def test_reload_takes_a_changed_config(service: Service) -> None:
    """
    ``systemctl reload`` brings a new schedule in, without a new process.
    """
    before = service.main_pid()
    service.machine.write(
        "/etc/orchd/more.toml", '[schedules.rarely]\nflow = "data-engineer"\ncron = "0 0 29 2 *"\ntimezone = "UTC"\n'
    )
    service.machine.run("systemctl", "reload", "orchd")
    assert "rarely" in {schedule["name"] for schedule in service.client().get("/schedules")["schedules"]}
    assert service.machine.show("ActiveState") == "active"
    assert service.main_pid() == before


def test_reload_fails_on_a_broken_config_and_changes_nothing(service: Service) -> None:
    """
    ``systemctl reload`` fails, the sentence is in the journal, and the daemon goes on with what it had.
    """
    before = service.client().get("/schedules")["schedules"]
    service.machine.write("/etc/orchd/broken.toml", '[schedules.broken]\nflow = "data-engineer"\ncron = "61 * * * *"\n')
    failed = service.machine.run("systemctl", "reload", "orchd", check=False)
    service.machine.shell("rm /etc/orchd/broken.toml")
    assert failed.returncode
    assert "broken.toml" in service.machine.journal()
    assert service.machine.show("ActiveState") == "active"
    names = [schedule["name"] for schedule in service.client().get("/schedules")["schedules"]]
    assert names == [schedule["name"] for schedule in before]
    service.machine.run("systemctl", "reload", "orchd")


def test_a_broken_config_at_start_is_not_tried_again(service: Service) -> None:
    """
    With a config that cannot be meant the service fails once, with the sentence, instead of starting for ever.
    """
    service.machine.run("systemctl", "stop", "orchd")
    service.machine.write("/etc/orchd/broken.toml", "[daemon]\nmax_runs = 'many'\n")
    failed = service.machine.run("systemctl", "start", "orchd", check=False)
    service.machine.shell("rm /etc/orchd/broken.toml")
    assert failed.returncode
    assert service.machine.show("ActiveState") == "failed"
    assert service.machine.show("ExecMainStatus") == "78"
    service.machine.run("systemctl", "start", "orchd")
    service.machine.wait_until_active()
