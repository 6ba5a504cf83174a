"""
`orchd start --at`.
"""

import pytest

from support.program import Orchd
from support.unix_server import UnixServer


@pytest.mark.parametrize("text", ["2020-01-01", "2020-01-01T06:30Z"])
def test_a_time_that_is_past_is_refused(server: UnixServer, orchd: Orchd, text: str) -> None:
    """
    The daemon is not asked for what a person cannot mean.
    """
    done = orchd("start", "data-engineer", "--at", text)

    assert (done.returncode, done.stdout) == (64, "")
    assert f"--at {text} was " in done.stderr
    assert "ago; write a time that comes, or leave it out to start at once" in done.stderr
    assert not [request for request in server.requests if request.method == "POST"]
