"""
Taking up a flow file because somebody registered a flow of it by name.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from orchd import clock
from orchd.config import flow_files
from orchd.errors import FlowError, NotFound, UsageError
from orchd.model.instants import to_us
from orchd.model.registration import Registration
from orchd.model.specs import Description
from orchd.store import projects, schedules
from orchd.store.database import Connection


def place_of(wish: Registration, paths: Sequence[Path]) -> tuple[Path, bool]:
    """
    Return the file that *wish* means, by the name under which the daemon knows it, and whether *paths* lead to it.

    Raises:
        NotFound: there is no such file.

        UsageError: it lies outside of *paths*, and somebody else than the daemon's own user asks.
    """
    real = os.path.realpath(wish.file)
    if not os.path.isfile(real):
        raise NotFound(f"there is no flow file {wish.file} that the daemon can see")

    for listed in flow_files(paths):
        if os.path.realpath(listed) == real:
            return listed, True

    is_under = any(os.path.realpath(path) in (real, *map(str, Path(real).parents)) for path in paths)
    if not is_under and wish.uid != os.getuid():
        raise UsageError(
            f"{wish.who} may not register {wish.file}: it lies under none of [flows] paths "
            f"({', '.join(map(str, paths)) or 'which are empty'}), and only the daemon's own user may register others; "
            "put it there"
        )

    return Path(real), False


def check_description(described: Description, flow: str) -> None:
    """
    Refuse a file that does not load, or has no flow of that name where it can be found.

    Raises:
        FlowError: one sentence says why.
    """
    if described.error is not None:
        raise FlowError(f"{described.file}: {described.error}")

    names = [spec.name for spec in described.flows]
    if flow not in names:
        raise FlowError(
            f"{described.file} has no flow '{flow}' at its top level, it has: {', '.join(names)}; a flow that is made "
            'inside of a function, or under `if __name__ == "__main__":`, is not found there'
        )


def only(described: Description, names: frozenset[str]) -> Description:
    """
    Return *described* with those of its flows that were registered, and a warning of each that its file lost.
    """
    lost = sorted(names - {spec.name for spec in described.flows}) if described.error is None else ()
    words = tuple(f"{described.file} has no flow '{name}' any more, which was registered from it" for name in lost)
    return msgspec.structs.replace(
        described,
        flows=tuple(spec for spec in described.flows if spec.name in names),
        warnings=(*described.warnings, *words),
    )


def has_moved(described: Description, flow: str) -> bool:
    """
    Tell whether *described* is that of a file which is gone and in which *flow* was: it may be registered elsewhere.
    """
    return any(spec.name == flow for spec in described.flows) and not os.path.exists(described.file)


def write(conn: Connection, wish: Registration, described: Description, *, is_listed: bool) -> None:
    """
    Note what *wish* says of the flow, in the transaction that takes its file up.

    Raises:
        NotFound: there is no such project.
    """
    at_us = to_us(clock.now())
    projects.put_flow(conn, wish.flow, into=wish.project, labels=wish.labels)
    if is_listed:
        projects.forget_registered(conn, wish.flow)
    else:
        projects.keep_registered(conn, wish.flow, Path(described.file), who=wish.who, at_us=at_us)
    if not wish.set_schedule_active:
        known = {row.spec.name for row in schedules.load(conn) if row.paused is None}
        names = {schedule.name for flow in described.flows if flow.name == wish.flow for schedule in flow.schedules}
        for name in sorted(known & names):
            schedules.pause(conn, name, who=wish.who, note="registered with set_schedule_active=False", at_us=at_us)
