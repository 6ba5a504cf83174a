"""
How long runs usually take, asked of a store that may belong to a running daemon: nothing is opened for writing.
"""

from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from orchd.errors import StoreError
from orchd.model.states import FlowRunState
from orchd.store import engines
from orchd.store.schema import flow_run

#: The latest runs of a flow that say what is usual, and how many there must be.
_LATEST: Final = 20
_FEWEST: Final = 3


def usual_s(url: str, *, state_dir: Path, flows: Iterable[str]) -> dict[str, float]:
    """
    Return flow name -> the median seconds of its latest successful runs, for those of *flows* that have some.

    A store that is not there, or cannot be read, knows of none.
    """
    try:
        engine = _reader(url, state_dir)
    except StoreError:
        return {}

    if engine is None:
        return {}

    try:
        with engine.connect() as conn:
            found = {flow: lengths_s(conn, flow) for flow in dict.fromkeys(flows)}
    except SQLAlchemyError:
        return {}
    finally:
        engine.dispose()

    return {flow: median(lengths) for flow, lengths in found.items() if len(lengths) >= _FEWEST}


def _reader(url: str, state_dir: Path) -> sa.Engine | None:
    if url != "sqlite":
        return sa.create_engine(engines.postgres_url(url), connect_args={"connect_timeout": 5})

    path = engines.state_file(state_dir)
    if not path.exists():
        return None

    # Without a WAL file nobody has it open, and SQLite could not make one.
    query = {"mode": "ro", "uri": "true"} | ({} if Path(f"{path}-wal").exists() else {"immutable": "1"})
    return sa.create_engine(sa.URL.create("sqlite+pysqlite", database=f"file:{path}", query=query))


def lengths_s(conn: sa.Connection, flow: str) -> list[float]:
    """
    Return how many seconds the latest successful runs of *flow* took.
    """
    took = flow_run.c.ended_at_us - flow_run.c.started_at_us
    asked = (
        sa.select(took)
        .where(flow_run.c.flow == flow, flow_run.c.state == FlowRunState.SUCCESS.value, took.is_not(None))
        .order_by(flow_run.c.number.desc())
        .limit(_LATEST)
    )
    return [microseconds / 1_000_000 for (microseconds,) in conn.execute(asked)]
