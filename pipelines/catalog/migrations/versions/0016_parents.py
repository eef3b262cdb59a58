"""What documents and their containers are in."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "parents",
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("parent", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("connection", "id"),
    )
    op.create_index("parents_by_parent", "parents", ["connection", "parent"])
    op.create_index("parents_by_unit", "parents", ["connection", "unit"])


def downgrade() -> None:
    op.drop_table("parents")
