"""
What the sandbox of orchd.service costs a flow, tried behaviour by behaviour in a booted systemd.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.systemd import UNITS, Machine, booted

HERE = Path(__file__).parent

#: What a flow cannot do in the unit as shipped; systemd/README.md has the same list in words.
LOST = {
    "write results",
    "write /srv",
    "write a home",
    "see the machine's /tmp",
    "user namespace",
    "mount in a namespace",
    "PID namespace",
    "setuid program",
    "be traced",
    "see other users' processes",
    "open a GPU",
    "lend rights by mode",
    "change personality",
    "results that all can read",
    "realtime",
    "raw packets",
    "kernel settings",
}

GIVEN_BACK = {
    "10-paths.conf": {"write results"},
    "10-home.conf": {"write a home"},
    "10-gpu.conf": {"open a GPU"},
    "10-containers.conf": {"user namespace", "mount in a namespace", "PID namespace"},
    "10-sudo.conf": {
        "setuid program",
        "be traced",
        "see other users' processes",
        "lend rights by mode",
        "change personality",
        "user namespace",
        "mount in a namespace",
        "PID namespace",
        "open a GPU",
    },
}

PREPARE = """
systemd-sysusers /clone/systemd/orchd.sysusers.conf
install -m 0644 /clone/systemd/orchd.service /etc/systemd/system/
for group in video render; do getent group $group > /dev/null || groupadd --system $group; done
mkdir -p /home/alice /home/orchd-can /dev/dri /srv/orchd
echo data > /home/alice/data
echo secret > /tmp/of-the-machine
install -d -o orchd -g orchd /home/orchd-can /srv/orchd/results
install -m 4755 /usr/bin/id /usr/local/bin/setuid-id
mknod -m 666 /dev/dri/renderD128 c 226 128
"""

INSTEAD = """
[Service]
Type=oneshot
Restart=no
WatchdogSec=0
ExecStart=
ExecStart=/usr/bin/python3 /clone/tests/systemd/probe.py
StandardOutput=truncate:/run/probe.json
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """
    A machine with the unit installed, that starts the probe instead of the daemon.
    """
    with booted(tmp_path_factory, {"/clone": UNITS.parent}) as machine:
        machine.shell(PREPARE)
        yield machine


def probe(machine: Machine, *dropins: str) -> dict[str, str]:
    """
    Run the probe with exactly *dropins* installed, and return what failed and why.
    """
    machine.shell("rm -rf /etc/systemd/system/orchd.service.d /var/cache/orchd")
    machine.write("/etc/systemd/system/orchd.service.d/99-probe.conf", INSTEAD)
    for dropin in dropins:
        machine.shell(f"install -m 0644 /clone/systemd/{dropin} /etc/systemd/system/orchd.service.d/")
    machine.shell("systemctl daemon-reload; systemctl start orchd || (journalctl -u orchd --no-pager | tail; exit 1)")
    failed: dict[str, str] = json.loads(machine.shell("cat /run/probe.json"))
    return failed


def test_the_sandbox_costs_what_is_documented(machine: Machine) -> None:
    """
    In the unit as shipped exactly the listed behaviours fail, and all others work.
    """
    failed = probe(machine)
    assert set(failed) == LOST, failed


@pytest.mark.parametrize("dropin", GIVEN_BACK)
def test_a_dropin_gives_back_what_it_says(machine: Machine, dropin: str) -> None:
    """
    With one drop-in exactly its behaviours work again.
    """
    failed = probe(machine, dropin)
    assert set(failed) == LOST - GIVEN_BACK[dropin], failed


def test_all_dropins_together_start(machine: Machine) -> None:
    """
    The drop-ins do not stand in each other's way.
    """
    failed = probe(machine, *GIVEN_BACK)
    assert set(failed) == LOST - set().union(*GIVEN_BACK.values()), failed


def test_the_private_tmp_is_emptied_by_its_two_ways(machine: Machine) -> None:
    """
    What runs leave in /tmp lies in /var/cache/orchd, and goes at boot and by ``systemctl clean``.
    """
    probe(machine)
    left = "ls -A /var/cache/orchd"
    assert machine.shell(left)
    machine.shell("install -D -m 0644 systemd/orchd.tmpfiles.conf /etc/tmpfiles.d/orchd.conf")
    machine.shell("systemd-tmpfiles --create --remove --boot orchd.conf")
    assert not machine.shell(left)

    probe(machine)
    machine.shell("systemctl clean --what=cache orchd")
    assert not machine.shell("ls -d /var/cache/orchd 2>/dev/null || true")
