"""
``orchd run -p FILE``: runs a flow file here and now, and prints what the classic command printed.
"""

import logging
import sys
import traceback
from pathlib import Path
from typing import Final

from orchd.engine.faults import own_traceback
from orchd.engine.logs import RUN_FORMAT, RUN_TIME, only_to, terminal_handler
from orchd.engine.settings import checkpointing_wanted
from orchd.errors import FlowError, NotFound, OrchdError, UsageError
from orchd.flow.flow import Flow
from orchd.flow.loader import load_flows, user_traceback
from orchd.flow.running import NEEDS_RESULTS, parameter_values
from orchd.model.names import ESCAPES

#: A flow's name and parameters come from anybody: what a terminal would obey is shown as its escape.
_SHOWN: Final = {code: text for code, text in ESCAPES.items() if code != ord("\n")}


def run_file(
    file: Path,
    *,
    flow_name: str | None,
    parameters: dict[str, object],
    quiet: bool = False,
    logs: bool = True,
    resume: bool = False,
) -> int:
    """
    Run a flow of *file* and print how it goes.

    Args:
        flow_name: None when there is only one flow in the file.

        parameters: values by name, as parsed from the command line and its file.

        quiet: True leaves out the lines before and after those of the run.

        logs: False leaves out the lines of the run.

        resume: True goes on from the last run that did not succeed.

    Returns:
        The exit code: 0 success, 1 a run that failed; without a run 64 for wrong arguments, 65 for a flow file that
        does not load, 66 for a file or flow that is not there.
    """
    say = _ignore if quiet else _print
    say("Retrieving local flow...", end=" ")
    try:
        flow = _chosen(file, flow_name)
    except OrchdError as exc:
        say("Error")
        _print(str(exc))
        if isinstance(exc, FlowError) and (trace := user_traceback(exc)) is not None:
            _print("".join(traceback.format_tb(trace)), end="")

        return exc.exit_code

    say("Done")
    if parameters:
        say(f"Configured local flow run\n└── Parameters: {parameters}")

    say("Running flow locally...")
    handler = terminal_handler(line=RUN_FORMAT, time_format=RUN_TIME, is_utc=False) if logs else logging.NullHandler()
    with only_to(handler):
        code = _run(flow, parameters, resume=resume)

    say("Flow run failed!" if code else "Flow run succeeded!")
    return code


def _run(flow: Flow, parameters: dict[str, object], *, resume: bool) -> int:
    if resume and not checkpointing_wanted():
        _print(NEEDS_RESULTS)
        return UsageError.exit_code

    try:
        if not resume:
            parameter_values(flow, parameters)
    except ValueError as exc:
        names = ", ".join(sorted(parameter.name for parameter in flow.parameters())) or "none"
        _print(f"Flow runner encountered an exception!\n    The flow takes these parameters: {names}")
        _print(f"    ValueError: {exc}")
        return UsageError.exit_code

    try:
        state = flow.run(parameters=parameters, run_on_schedule=False, resume=resume)
    except (Exception, SystemExit) as exc:
        lines = traceback.format_exception(type(exc), exc, own_traceback(exc.__traceback__))
        _print("Flow runner encountered an exception!")
        _print("".join(f"    {line}\n" for part in lines for line in part.splitlines()), end="")
        return 1

    return 0 if state is not None and state.is_successful() else 1


def _chosen(file: Path, flow_name: str | None) -> Flow:
    flows = load_flows(file)
    names = ", ".join(f"'{name}'" for name in flows)
    if flow_name is not None:
        if flow_name not in flows:
            raise NotFound(f"Did not find '{flow_name}' in flows at {file}. Found {names}")

        return flows[flow_name]

    if len(flows) > 1:
        raise UsageError(f"Found multiple flows at '{file}': {names}\n\nSpecify a flow name to run.")

    return next(iter(flows.values()))


def _print(text: str, *, end: str = "\n") -> None:
    sys.stdout.write(text.translate(_SHOWN) + end)
    sys.stdout.flush()


def _ignore(text: str, *, end: str = "\n") -> None:
    pass
