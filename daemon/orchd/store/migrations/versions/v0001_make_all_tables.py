"""
Make all tables.
"""

import sqlalchemy as sa
from alembic import op


revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Make all tables.
    """
    op.create_table(
        "daemon_state",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_daemon_state")),
    )
    op.create_table(
        "project",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("name", name=op.f("uq_project_name")),
    )
    op.create_table(
        "schedule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("decided_until_us", sa.BigInteger(), nullable=False),
        sa.Column("purged_until_us", sa.BigInteger(), nullable=True),
        sa.Column("removed_at_us", sa.BigInteger(), nullable=True),
        sa.Column("pause_who", sa.Text(), nullable=True),
        sa.Column("pause_at_us", sa.BigInteger(), nullable=True),
        sa.Column("pause_note", sa.Text(), nullable=True),
        sa.Column("resumed_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
        sa.UniqueConstraint("name", name=op.f("uq_schedule_name")),
    )
    op.create_table(
        "flow",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_flow_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow")),
        sa.UniqueConstraint("name", name=op.f("uq_flow_name")),
    )
    op.create_table(
        "schedule_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("schedule_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name=op.f("fk_schedule_version_schedule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_version")),
        sa.UniqueConstraint("schedule_id", "version", name=op.f("uq_schedule_version_schedule_id_version")),
    )
    op.create_table(
        "flow_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("flow_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("source_hash", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["flow_id"], ["flow.id"], name=op.f("fk_flow_version_flow_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_version")),
        sa.UniqueConstraint("flow_id", "version", name=op.f("uq_flow_version_flow_id_version")),
    )
    op.create_table(
        "slot",
        sa.Column("schedule_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fire_time_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("schedule_version_id", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), server_default="{}", nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.CheckConstraint("(outcome = 'started') = (run_id IS NOT NULL)", name=op.f("ck_slot_started_iff_run")),
        sa.CheckConstraint("outcome IN ('missed', 'skipped', 'started')", name=op.f("ck_slot_outcome_known")),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name=op.f("fk_slot_schedule_id")),
        sa.ForeignKeyConstraint(
            ["schedule_version_id"], ["schedule_version.id"], name=op.f("fk_slot_schedule_version_id")
        ),
        sa.PrimaryKeyConstraint("schedule_id", "fire_time_us", name=op.f("pk_slot")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_slot_without_run",
        "slot",
        ["fire_time_us"],
        unique=False,
        sqlite_where=sa.text("run_id IS NULL"),
        postgresql_where=sa.text("run_id IS NULL"),
    )
    op.create_table(
        "flow_run",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("flow_version_id", sa.BigInteger(), nullable=True),
        sa.Column("source_hash", sa.Text(), nullable=False),
        sa.Column("schedule_id", sa.BigInteger(), nullable=True),
        sa.Column("fire_time_us", sa.BigInteger(), nullable=True),
        sa.Column("wanted_at_us", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("parameters", sa.Text(), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("started_at_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.Column("upstream_runs", sa.Text(), server_default="{}", nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("parent_run_id", sa.Text(), nullable=True),
        sa.Column("resumed_from", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("exit_code", sa.BigInteger(), nullable=True),
        sa.Column("signal", sa.BigInteger(), nullable=True),
        sa.Column("peak_rss_kib", sa.BigInteger(), nullable=True),
        sa.Column("journal_offset", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stdout_offset", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stderr_offset", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(state IN ('cancelled', 'crashed', 'failed', 'success', 'timed_out')) = (ended_at_us IS NOT NULL)",
            name=op.f("ck_flow_run_final_iff_ended"),
        ),
        sa.CheckConstraint(
            "state IN ('cancelled', 'cancelling', 'crashed', 'failed', 'pending', 'running', 'scheduled', 'success', 'timed_out', 'waiting')",
            name=op.f("ck_flow_run_state_known"),
        ),
        sa.ForeignKeyConstraint(["flow_version_id"], ["flow_version.id"], name=op.f("fk_flow_run_flow_version_id")),
        sa.ForeignKeyConstraint(
            ["schedule_id", "fire_time_us"],
            ["slot.schedule_id", "slot.fire_time_us"],
            name=op.f("fk_flow_run_schedule_id_fire_time_us"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_flow_run")),
        sa.UniqueConstraint("id", name=op.f("uq_flow_run_id")),
        sa.UniqueConstraint(
            "schedule_id", "fire_time_us", "attempt", name=op.f("uq_flow_run_schedule_id_fire_time_us_attempt")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_flow_run_created_at_us"), "flow_run", ["created_at_us"], unique=False)
    op.create_index(op.f("ix_flow_run_ended_at_us_state"), "flow_run", ["ended_at_us", "state"], unique=False)
    op.create_index(op.f("ix_flow_run_flow_ended_at_us"), "flow_run", ["flow", "ended_at_us"], unique=False)
    op.create_index(op.f("ix_flow_run_flow_number"), "flow_run", ["flow", "number"], unique=False)
    op.create_index(op.f("ix_flow_run_flow_state_number"), "flow_run", ["flow", "state", "number"], unique=False)
    op.create_index(op.f("ix_flow_run_name"), "flow_run", ["name"], unique=False)
    op.create_index(op.f("ix_flow_run_state_number"), "flow_run", ["state", "number"], unique=False)
    op.create_index(
        "uq_flow_run_idempotency_key",
        "flow_run",
        ["idempotency_key"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_table(
        "log",
        sa.Column("run_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("stream", sa.BigInteger(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=True),
        sa.Column("map_index", sa.BigInteger(), server_default="-1", nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_number"], ["flow_run.number"], name=op.f("fk_log_run_number"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_number", "seq", name=op.f("pk_log")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "slot_upstream",
        sa.Column("schedule_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fire_time_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_number"], ["flow_run.number"], name=op.f("fk_slot_upstream_run_number"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name=op.f("fk_slot_upstream_schedule_id")),
        sa.PrimaryKeyConstraint("schedule_id", "run_number", name=op.f("pk_slot_upstream")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_slot_upstream_run_number", "slot_upstream", ["run_number"], unique=False)
    op.create_table(
        "task_run",
        sa.Column("run_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("map_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("started_at_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("location", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('cached', 'cancelled', 'crashed', 'failed', 'mapped', 'skipped', 'success', 'timed_out', 'trigger_failed')) = (ended_at_us IS NOT NULL)",
            name=op.f("ck_task_run_final_iff_ended"),
        ),
        sa.CheckConstraint(
            "state IN ('cached', 'cancelled', 'crashed', 'failed', 'mapped', 'paused', 'pending', 'retrying', 'running', 'skipped', 'success', 'timed_out', 'trigger_failed')",
            name=op.f("ck_task_run_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["run_number"], ["flow_run.number"], name=op.f("fk_task_run_run_number"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_number", "slug", "map_index", name=op.f("pk_task_run")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("run_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slug", sa.Text(), nullable=True),
        sa.Column("map_index", sa.BigInteger(), nullable=True),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["run_number", "slug", "map_index"],
            ["task_run.run_number", "task_run.slug", "task_run.map_index"],
            name=op.f("fk_event_run_number_slug_map_index"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_number"], ["flow_run.number"], name=op.f("fk_event_run_number"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_run_number", "event", ["run_number", "slug", "map_index"], unique=False)
