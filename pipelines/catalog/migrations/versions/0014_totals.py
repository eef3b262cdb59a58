"""What is counted beyond the life of one process, what was published last and what the gate found, and each event's
trace."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "totals",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("name", "connection", "kind"),
    )
    op.create_table(
        "publications",
        sa.Column("collection", sa.Text, primary_key=True),
        sa.Column("documents", sa.Integer, nullable=False),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "gate_checks",
        sa.Column("collection", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("collection", "name"),
    )
    op.add_column("events", sa.Column("traceparent", sa.Text))


def downgrade() -> None:
    op.drop_column("events", "traceparent")
    for name in ("gate_checks", "publications", "totals"):
        op.drop_table(name)
