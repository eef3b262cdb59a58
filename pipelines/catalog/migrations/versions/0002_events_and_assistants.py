"""Readers of units, marks of documents, connections, the inbox of events, and assistants made by command."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("units", sa.Column("readers", sa.JSON))
    op.add_column("documents", sa.Column("mark", sa.Text))
    op.create_table(
        "connections",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("memberships_at", TIME),
        sa.Column("last_event", TIME),
        sa.Column("channels", sa.JSON),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("delivery", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt", TIME),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("materializations", sa.JSON),
        sa.UniqueConstraint("connection", "delivery"),
    )
    op.create_index("events_by_state", "events", ["state", "id"])
    op.create_index("events_by_time", "events", ["connection", "received_at"])
    op.create_table(
        "assistants",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("key_hash", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("readers", sa.JSON, nullable=False),
        sa.Column("scope", sa.JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
    )


def downgrade() -> None:
    for table in ("assistants", "events", "connections"):
        op.drop_table(table)
    op.drop_column("documents", "mark")
    op.drop_column("units", "readers")
