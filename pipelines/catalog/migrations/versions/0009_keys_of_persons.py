"""Whose an assistant's key is, and when it was used last."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("assistants", sa.Column("person", sa.Text))
    op.add_column("assistants", sa.Column("last_used_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    # An earlier release would take the key of a person for one that may name anybody.
    op.execute("DELETE FROM assistants WHERE person IS NOT NULL")
    op.drop_column("assistants", "last_used_at")
    op.drop_column("assistants", "person")
