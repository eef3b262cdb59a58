"""What fails at present and since when, the gate while it is shut, and what events wait for and have been through."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("units", sa.Column("failure_cause", sa.Text))
    op.add_column("units", sa.Column("failing_since", sa.DateTime(timezone=True)))
    op.add_column("units", sa.Column("failed_syncs", sa.Integer))
    op.create_table(
        "failures",
        sa.Column("activity", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("activity", "connection", "unit"),
    )
    op.create_table(
        "gates",
        sa.Column("collection", sa.Text, primary_key=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("waiting", sa.Text, nullable=False),
    )
    op.add_column("events", sa.Column("waiting_for", sa.Text))
    op.add_column("events", sa.Column("waiting_since", sa.DateTime(timezone=True)))
    op.create_table(
        "event_attempts",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("event", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
    )
    op.create_index("event_attempts_by_event", "event_attempts", ["event"])


def downgrade() -> None:
    op.drop_table("event_attempts")
    op.drop_column("events", "waiting_since")
    op.drop_column("events", "waiting_for")
    op.drop_table("gates")
    op.drop_table("failures")
    for name in ("failed_syncs", "failing_since", "failure_cause"):
        op.drop_column("units", name)
