"""
Flows written for the classic tool mean the same here, but for the differences that the page lists.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "daemon" / "docs" / "differences.md"
PROBES = sorted(path.stem.removeprefix("probe_") for path in HERE.glob("probe_*.py"))
#: A row of the page: probe, case, reason.
ROW = re.compile(r"^\| (\w+) \| `(.+)` \| .+ \|$", re.MULTILINE)


def listed(probe):
    """
    Return the cases of *probe* that the page lists as different.
    """
    return sorted(case.replace("\\|", "|") for name, case in ROW.findall(PAGE.read_text()) if name == probe)


@pytest.mark.parametrize("probe", PROBES)
def test_each_difference_is_a_decision(probe):
    """
    A probe says what the classic tool says, in all cases but those of the page, and differently in each of those.
    """
    expected = json.loads((HERE / "expected" / f"{probe}.json").read_text())
    done = subprocess.run(
        [sys.executable, f"probe_{probe}.py"],
        cwd=HERE,
        env={**os.environ, "ORCH": "orchd"},
        capture_output=True,
        text=True,
        check=False,
    )
    # The tool's own name is no difference.
    answers = json.loads(re.sub(r"\borchd\b", "prefect", done.stdout)) if done.stdout else {}

    assert sorted(case for case in expected if answers.get(case) != expected[case]) == listed(probe), done.stderr
