"""
``orchd run -p FILE``: runs a flow file here and now.
"""

from pathlib import Path


def run_file(
    file: Path, *, flow_name: str | None, parameters: dict[str, object], quiet: bool = False, logs: bool = True
) -> int:
    """
    Run the flow *flow_name* of *file* (None when there is only one), and return the exit code: 0 success, 1 not.
    """
    raise NotImplementedError(file, flow_name, parameters, quiet, logs)
