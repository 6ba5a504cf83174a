"""
Registering flows with the daemon from a script that a person runs.
"""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from orchd.client import Client, configured, places, quote
from orchd.errors import FlowError, NotFound


class Registrable(Protocol):
    """
    A flow, as far as registering it needs to know it.
    """

    name: str
    schedule: Any
    #: File and line in which it was written.
    defined_at: tuple[str, int]

    def parameters(self) -> set[Any]:
        """
        Its parameters.
        """


def register(
    flow: Registrable, project_name: str | None, *, labels: Iterable[str], set_schedule_active: bool, no_url: bool
) -> str:
    """
    Have the daemon that the command line would find take up *flow* from its file, print what came of it, and return
    the flow's id.

    Raises:
        ValueError: no project is named, or there is none of that name; or the flow has a schedule that leaves required
            parameters open.

        OrchdError: no daemon answers, or it refuses the file; one sentence says why.
    """
    if not project_name:
        raise ValueError("'project_name' is a required field when registering a flow.")

    _check_schedule(flow)
    client = found_daemon()
    body = {
        "file": file_of(flow),
        "flow": flow.name,
        "project": project_name,
        "labels": sorted(labels),
        "set_schedule_active": set_schedule_active,
    }
    try:
        answer = client.post("/flows", body)
    except NotFound as error:
        raise ValueError(str(error)) from None

    if not no_url:
        _print(f"Flow URL: http+unix://{quote(client.path)}/api/v1/flows/{quote(flow.name)}")
    _print(f" └── ID: {answer['id']}")
    _print(f" └── Project: {answer['flow']['project']}")
    _print(f" └── Labels: {answer['flow']['labels']}")
    return str(answer["id"])


def found_daemon() -> Client:
    """
    Return the daemon that the command line would find.

    Raises:
        NotRunning: there is none.
    """
    return Client(places.find_socket(None, None, os.environ, configured=lambda: configured))


def say_who_is_the_agent() -> None:
    """
    Print that the daemon is the agent, and which one.

    Raises:
        NotRunning: none answers.
    """
    client = found_daemon()
    _print(places.AGENT.format(pid=client.get("/status")["daemon"]["pid"], socket=client.path))


def file_of(flow: Registrable) -> str:
    """
    Return the absolute path of the file in which the daemon finds *flow*: the script itself when the flow is at its top
    level, else the file in which it was written.

    Raises:
        FlowError: it is in no file.
    """
    main = sys.modules.get("__main__")
    here: Mapping[str, Any] = vars(main) if main is not None else {}
    script = here.get("__file__")
    file = script if script and any(value is flow for value in here.values()) else flow.defined_at[0]
    if not os.path.isfile(file):
        raise FlowError(
            f"flow '{flow.name}' is in no file ({file}), and the daemon takes flows from files: write it into one, and "
            "register it by `python FILE`"
        )

    return os.path.abspath(file)


def _check_schedule(flow: Registrable) -> None:
    required = {parameter.name for parameter in flow.parameters() if parameter.required}
    clocks: Sequence[Any] = getattr(flow.schedule, "clocks", ())
    if any(required - set(clock.parameter_defaults or ()) for clock in clocks):
        raise ValueError(
            "Flows with required parameters can not be scheduled automatically. "
            f"Give {', '.join(sorted(required))} a default, or each clock of the schedule parameter_defaults"
        )


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
