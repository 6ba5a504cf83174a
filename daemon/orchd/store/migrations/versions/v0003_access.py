"""
Keep what lets somebody in over TCP (links, sessions and tokens), and find quickly what a person looks
for: slots of all schedules by their fire time or outcome, and the warnings and errors in a long log.
"""

import sqlalchemy as sa
from alembic import op


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Add the table and the indexes.
    """
    op.create_table(
        "access",
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("read_only", sa.BigInteger(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_access")),
    )
    op.create_index(
        "uq_access_name",
        "access",
        ["name"],
        unique=True,
        sqlite_where=sa.text("kind = 'token'"),
        postgresql_where=sa.text("kind = 'token'"),
    )
    op.create_index("ix_slot_fire_time_us", "slot", ["fire_time_us"], unique=False)
    op.create_index(
        "ix_slot_outcome_without_run",
        "slot",
        ["outcome", "fire_time_us"],
        unique=False,
        sqlite_where=sa.text("run_id IS NULL"),
        postgresql_where=sa.text("run_id IS NULL"),
    )
    op.create_index(
        "ix_log_warnings",
        "log",
        ["run_number", "seq"],
        unique=False,
        sqlite_where=sa.text("level >= 30"),
        postgresql_where=sa.text("level >= 30"),
    )
