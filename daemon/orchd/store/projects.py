"""
Projects, the flows that were registered into them, and those that are known by registration alone.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import sqlalchemy as sa

from orchd.errors import NotFound
from orchd.store import bulk
from orchd.store.database import Connection
from orchd.store.schema import flow, project, registered_flow


def create(conn: Connection, name: str, *, at_us: int) -> bool:
    """
    Make a project, and tell whether it is new.
    """
    rows: list[bulk.Row] = [(name, at_us)]
    return bool(bulk.insert_new(conn, project, ("name", "created_at_us"), rows, returning=("name",)))


def put_flow(conn: Connection, name: str, *, into: str | None, labels: Sequence[str]) -> None:
    """
    Note with which labels the flow *name* was registered, and into which project; None leaves it where it is.

    Raises:
        NotFound: there is no such project.
    """
    values: dict[str, object] = {"labels": msgspec.json.encode(sorted(set(labels))).decode()}
    if into is not None:
        values["project_id"] = require(conn, into)
    conn.execute(flow.update().where(flow.c.name == name).values(values))


def require(conn: Connection, name: str) -> int:
    """
    Return the key of the project *name*.

    Raises:
        NotFound: there is none.
    """
    found: int | None = conn.execute(sa.select(project.c.id).where(project.c.name == name)).scalar()
    if found is None:
        raise NotFound(f"Project {name} not found. Run `orchd create project '{name}'` to create it.")

    return found


def registered_flows(conn: Connection) -> dict[Path, frozenset[str]]:
    """
    Return the flow files that no config names, each with the flows that were registered from it.
    """
    found: dict[Path, frozenset[str]] = {}
    for file, name in conn.execute(sa.select(registered_flow.c.file, registered_flow.c.flow)):
        found[Path(file)] = found.get(Path(file), frozenset()) | {name}
    return found


def keep_registered(conn: Connection, name: str, file: Path, *, who: str, at_us: int) -> None:
    """
    Note that *who* registered the flow *name* from *file*, which no config names.
    """
    rows: list[bulk.Row] = [(name, str(file), who, at_us)]
    columns = ("flow", "file", "who", "at_us")
    bulk.insert(conn, registered_flow, columns, rows, tail="ON CONFLICT (flow) DO UPDATE SET file = excluded.file")


def forget_registered(conn: Connection, name: str) -> None:
    """
    Forget from which file the flow *name* was registered: the config leads to it now.
    """
    conn.execute(registered_flow.delete().where(registered_flow.c.flow == name))
