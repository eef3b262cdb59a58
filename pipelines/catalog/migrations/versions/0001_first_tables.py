"""First tables: units, documents, loads, embeddings, memberships, leases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "units",
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("cursor", sa.JSON),
        sa.Column("listing", sa.Text),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("last_sync", TIME),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("connection", "unit"),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("version", sa.Text),
        sa.Column("load", sa.Integer),
        sa.Column("listing", sa.Text),
        sa.Column("indexed_version", sa.Text),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt", TIME),
        sa.Column("updated_at", TIME),
        sa.Column("changed_at", TIME, nullable=False),
    )
    op.create_index("documents_by_unit", "documents", ["connection", "unit", "status"])
    op.create_table(
        "loads",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("documents_path", sa.Text, nullable=False),
        sa.Column("chunks_path", sa.Text),
        sa.Column("documents", sa.Integer, nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("landed_at", TIME, nullable=False),
    )
    op.create_index("loads_by_unit", "loads", ["connection", "unit", "state"])
    op.create_table(
        "embeddings",
        sa.Column("key", sa.LargeBinary(16), primary_key=True),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "memberships",
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("group", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("connection", "group", "email"),
    )
    op.create_index("memberships_by_email", "memberships", ["email"])
    op.create_table(
        "leases",
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("connection", "unit"),
    )


def downgrade() -> None:
    for table in ("leases", "memberships", "embeddings", "loads", "documents", "units"):
        op.drop_table(table)
