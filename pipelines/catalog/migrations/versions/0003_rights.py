"""Readers of documents beside their content, and what takes rights away before the index follows."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("documents", sa.Column("readers", sa.Text))
    op.add_column("documents", sa.Column("readers_until", sa.JSON))
    op.add_column("documents", sa.Column("indexed_readers", sa.Text))
    op.add_column("documents", sa.Column("hidden", sa.Text))
    op.add_column("connections", sa.Column("unit_patterns", sa.Text))
    op.create_table(
        "revocations",
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("ends_at", TIME),
        sa.PrimaryKeyConstraint("connection", "unit", "document", "token"),
    )
    op.create_index("revocations_by_document", "revocations", ["document"])
    op.create_table(
        "stamps",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    for table in ("stamps", "revocations"):
        op.drop_table(table)
    op.drop_column("connections", "unit_patterns")
    for column in ("hidden", "indexed_readers", "readers_until", "readers"):
        op.drop_column("documents", column)
