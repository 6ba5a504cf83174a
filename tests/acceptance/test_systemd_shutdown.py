"""
A machine that shuts down and comes back, with a run in progress.
"""

import pytest

from support.service import Service
from support.systemd import machine_with_orchd

pytestmark = pytest.mark.timeout(600)


def test_a_shutdown_cancels_runs_and_the_next_boot_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    """
    The daemon ends first; then the run's monitor is told to end, cancels its run, and what both wrote is there at boot.
    """
    disk = {"/var/lib/orchd": tmp_path_factory.mktemp("disk")}
    with machine_with_orchd(tmp_path_factory, disk) as machine:
        service = Service(machine=machine)
        service.install_witness()
        service.start_first()
        run = service.begin("shut-down", child=True)

    with machine_with_orchd(tmp_path_factory, disk) as machine:
        service = Service(machine=machine)
        service.install_witness()
        service.start_first()
        assert service.finished(run) == "cancelled"
        assert "shuts down" in service.run(run)["message"]
        assert "line 1" in service.printed(run)
