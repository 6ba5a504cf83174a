"""
Let runs be found by their parent, and keep what is said of projects and of registered flows.
"""

import sqlalchemy as sa
from alembic import op


revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Add the columns, the index and the table.
    """
    op.add_column("project", sa.Column("created_at_us", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("flow", sa.Column("labels", sa.Text(), server_default="[]", nullable=False))
    op.create_table(
        "registered_flow",
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("flow", name=op.f("pk_registered_flow")),
    )
    op.create_index(
        "ix_flow_run_parent_run_id",
        "flow_run",
        ["parent_run_id", "number"],
        unique=False,
        sqlite_where=sa.text("parent_run_id IS NOT NULL"),
        postgresql_where=sa.text("parent_run_id IS NOT NULL"),
    )
