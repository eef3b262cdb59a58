"""What people said of documents that they were answered with."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("rating", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("assistant", sa.Text, nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("request", "document"),
    )


def downgrade() -> None:
    op.drop_table("feedback")
