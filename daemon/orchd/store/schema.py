"""
The tables of the run store, with the promises that the database itself keeps.

A change here needs a migration in ``migrations/versions`` and a new :data:`HEAD`; a test holds the three together.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from orchd.model.slots import Outcome
from orchd.model.states import FINAL_FLOW_RUN_STATES, FINAL_TASK_RUN_STATES, FlowRunState, TaskRunState

#: Revision of the newest migration; a store that says so is opened without importing alembic.
HEAD: Final = "0003"

metadata: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: SQLite makes a growing key only of the type INTEGER, which holds 64 bits there.
_BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, _BIG, primary_key=True, autoincrement=True)


def _number(name: str, *constraints: sa.ForeignKey, null: bool = False, default: int | None = None) -> sa.Column[int]:
    start = None if default is None else str(default)
    return sa.Column(name, sa.BigInteger, *constraints, nullable=null, server_default=start)


def _text(name: str, *, null: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null, server_default=default)


def _run(*, key: bool) -> sa.Column[int]:
    target = sa.ForeignKey("flow_run.number", ondelete="CASCADE")
    return sa.Column("run_number", sa.BigInteger, target, primary_key=key, autoincrement=False, nullable=False)


def _words(words: Iterable[StrEnum]) -> str:
    return ", ".join(f"'{word.value}'" for word in sorted(words))


def _known(column: str, words: type[StrEnum]) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({_words(words)})", name=f"{column}_known")


def _final_iff_ended(final: Iterable[StrEnum]) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"(state IN ({_words(final)})) = (ended_at_us IS NOT NULL)", name="final_iff_ended")


project: Final = sa.Table(
    "project", metadata, _key("id"), _text("name"), _number("created_at_us", default=0), sa.UniqueConstraint("name")
)

flow: Final = sa.Table(
    "flow",
    metadata,
    _key("id"),
    _number("project_id", sa.ForeignKey("project.id"), null=True),
    _text("name"),
    #: Those that it was registered with, as a JSON array of texts.
    _text("labels", default="[]"),
    sa.UniqueConstraint("name"),
)

#: Flows that were registered by name from flow files that may lie outside of ``[flows] paths``.
registered_flow: Final = sa.Table(
    "registered_flow",
    metadata,
    sa.Column("flow", sa.Text, primary_key=True),
    _text("file"),
    _text("who"),
    _number("at_us"),
)

flow_version: Final = sa.Table(
    "flow_version",
    metadata,
    _key("id"),
    _number("flow_id", sa.ForeignKey("flow.id")),
    _number("version"),
    _text("file"),
    _text("source_hash"),
    #: A whole :class:`~orchd.model.specs.FlowSpec` as JSON.
    _text("spec"),
    _number("created_at_us"),
    sa.UniqueConstraint("flow_id", "version"),
)

schedule: Final = sa.Table(
    "schedule",
    metadata,
    _key("id"),
    _text("name"),
    #: The version that counts now; None in no row that is read.
    _number("version"),
    _number("decided_until_us"),
    #: Newest fire time whose row was purged: decided_until never moves back before it.
    _number("purged_until_us", null=True),
    _number("removed_at_us", null=True),
    #: The last pause; it goes on while resumed_at_us is NULL.
    _text("pause_who", null=True),
    _number("pause_at_us", null=True),
    _text("pause_note", null=True),
    _number("resumed_at_us", null=True),
    sa.UniqueConstraint("name"),
)

schedule_version: Final = sa.Table(
    "schedule_version",
    metadata,
    _key("id"),
    _number("schedule_id", sa.ForeignKey("schedule.id")),
    _number("version"),
    _text("flow"),
    #: A whole :class:`~orchd.model.specs.ScheduleSpec` as JSON.
    _text("spec"),
    _number("created_at_us"),
    sa.UniqueConstraint("schedule_id", "version"),
)

slot: Final = sa.Table(
    "slot",
    metadata,
    sa.Column("schedule_id", sa.BigInteger, sa.ForeignKey("schedule.id"), primary_key=True, autoincrement=False),
    sa.Column("fire_time_us", sa.BigInteger, primary_key=True, autoincrement=False),
    _number("schedule_version_id", sa.ForeignKey("schedule_version.id")),
    #: Last fire time that this row stands for, when it stands for several.
    _number("until_us", null=True),
    _text("outcome"),
    _text("reason"),
    #: The fields of the reason's sentence as a JSON object.
    _text("fields", default="{}"),
    _text("run_id", null=True),
    _known("outcome", Outcome),
    sa.CheckConstraint(f"(outcome = '{Outcome.STARTED.value}') = (run_id IS NOT NULL)", name="started_iff_run"),
    sqlite_with_rowid=False,
)

flow_run: Final = sa.Table(
    "flow_run",
    metadata,
    _key("number"),
    _text("id"),
    _text("name"),
    _text("flow"),
    _number("flow_version_id", sa.ForeignKey("flow_version.id"), null=True),
    _text("source_hash"),
    _number("schedule_id", null=True),
    _number("fire_time_us", null=True),
    #: When the run may start.
    _number("wanted_at_us"),
    _number("attempt", default=1),
    _text("parameters", default="{}"),
    _text("state"),
    _text("host", null=True),
    #: "schedule", "after", "manual" or "parent".
    _text("trigger"),
    _text("created_by", default=""),
    _number("created_at_us"),
    _number("started_at_us", null=True),
    _number("ended_at_us", null=True),
    #: Flow name -> id of the run that this one waited for, as a JSON object.
    _text("upstream_runs", default="{}"),
    _text("idempotency_key", null=True),
    _text("parent_run_id", null=True),
    _text("resumed_from", null=True),
    _text("message", default=""),
    _number("exit_code", null=True),
    _number("signal", null=True),
    _number("peak_rss_kib", null=True),
    #: Bytes of the run's files that are ingested, the next seq of its log, the bytes of output kept.
    _number("journal_offset", default=0),
    _number("stdout_offset", default=0),
    _number("stderr_offset", default=0),
    _number("next_seq", default=0),
    _number("stored_bytes", default=0),
    sa.UniqueConstraint("id"),
    sa.UniqueConstraint("schedule_id", "fire_time_us", "attempt"),
    sa.ForeignKeyConstraint(["schedule_id", "fire_time_us"], ["slot.schedule_id", "slot.fire_time_us"]),
    _known("state", FlowRunState),
    _final_iff_ended(FINAL_FLOW_RUN_STATES),
    sqlite_autoincrement=True,
)

_has_key: Final = flow_run.c.idempotency_key.is_not(None)
sa.Index(
    "uq_flow_run_idempotency_key",
    flow_run.c.idempotency_key,
    unique=True,
    sqlite_where=_has_key,
    postgresql_where=_has_key,
)
_has_parent: Final = flow_run.c.parent_run_id.is_not(None)
sa.Index(
    "ix_flow_run_parent_run_id",
    flow_run.c.parent_run_id,
    flow_run.c.number,
    sqlite_where=_has_parent,
    postgresql_where=_has_parent,
)
sa.Index(None, flow_run.c.name)
sa.Index(None, flow_run.c.state, flow_run.c.number)
sa.Index(None, flow_run.c.flow, flow_run.c.number)
sa.Index(None, flow_run.c.flow, flow_run.c.state, flow_run.c.number)
sa.Index(None, flow_run.c.flow, flow_run.c.ended_at_us)
sa.Index(None, flow_run.c.created_at_us)
sa.Index(None, flow_run.c.ended_at_us, flow_run.c.state)
_without_run: Final = slot.c.run_id.is_(None)
sa.Index(None, slot.c.fire_time_us)
sa.Index(
    "ix_slot_outcome_without_run",
    slot.c.outcome,
    slot.c.fire_time_us,
    sqlite_where=_without_run,
    postgresql_where=_without_run,
)
sa.Index("ix_slot_without_run", slot.c.fire_time_us, sqlite_where=_without_run, postgresql_where=_without_run)

slot_upstream: Final = sa.Table(
    "slot_upstream",
    metadata,
    sa.Column("schedule_id", sa.BigInteger, sa.ForeignKey("schedule.id"), primary_key=True, autoincrement=False),
    _run(key=True),
    #: The slot that used this finish; it may be purged before its upstream run, so it is no foreign key.
    _number("fire_time_us"),
    sa.Index("ix_slot_upstream_run_number", "run_number"),
    sqlite_with_rowid=False,
)

task_run: Final = sa.Table(
    "task_run",
    metadata,
    _run(key=True),
    sa.Column("slug", sa.Text, primary_key=True),
    #: -1 when the task is not mapped.
    sa.Column("map_index", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("state"),
    _number("attempt", default=1),
    _number("started_at_us", null=True),
    _number("ended_at_us", null=True),
    _text("message", default=""),
    _text("location", null=True),
    _known("state", TaskRunState),
    _final_iff_ended(FINAL_TASK_RUN_STATES),
    sqlite_with_rowid=False,
)

event: Final = sa.Table(
    "event",
    metadata,
    _key("id"),
    _run(key=False),
    #: Both None for a move of the flow run itself.
    _text("slug", null=True),
    _number("map_index", null=True),
    _text("from_state", null=True),
    _text("to_state"),
    _number("at_us"),
    _text("message", default=""),
    sa.ForeignKeyConstraint(
        ["run_number", "slug", "map_index"],
        ["task_run.run_number", "task_run.slug", "task_run.map_index"],
        ondelete="CASCADE",
    ),
    sa.Index("ix_event_run_number", "run_number", "slug", "map_index"),
)

log: Final = sa.Table(
    "log",
    metadata,
    _run(key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    _number("at_us"),
    _number("level"),
    #: 0 logger, 1 stdout, 2 stderr.
    _number("stream"),
    _text("slug", null=True),
    _number("map_index", default=-1),
    _text("text"),
    sqlite_with_rowid=False,
)

#: Lines that a person looks for in a long log. It is written as a literal, because SQLite takes an index with a
#: condition only for a question that has the same words.
WORTH_A_LOOK: Final = log.c.level >= sa.literal_column("30")
sa.Index(
    "ix_log_warnings",
    log.c.run_number,
    log.c.seq,
    sqlite_where=WORTH_A_LOOK,
    postgresql_where=WORTH_A_LOOK,
)

daemon_state: Final = sa.Table(
    "daemon_state", metadata, sa.Column("key", sa.Text, primary_key=True), _text("value"), _number("at_us")
)

#: What lets somebody in over TCP. No secret is in it, only the SHA-256 (hex) of each.
access: Final = sa.Table(
    "access",
    metadata,
    sa.Column("secret_hash", sa.Text, primary_key=True),
    #: "link", "session" or "token".
    _text("kind"),
    #: Of a token: what it is called. Else empty.
    _text("name"),
    #: Who asked for it, and is the caller of what is done with it.
    _text("who"),
    #: 1 when nothing may be changed with it.
    _number("read_only"),
    _number("created_at_us"),
    _number("expires_at_us", null=True),
)
_is_token: Final = access.c.kind == "token"
sa.Index("uq_access_name", access.c.name, unique=True, sqlite_where=_is_token, postgresql_where=_is_token)

#: The table of alembic's own, written here too when a fresh store is made.
alembic_version: Final = sa.Table(
    "alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True, nullable=False)
)
