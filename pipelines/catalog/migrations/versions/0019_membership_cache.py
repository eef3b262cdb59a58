"""What connectors keep of each group from one reading of its members to the next."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "membership_cache",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("group", sa.Text, primary_key=True),
        sa.Column("kept", sa.JSON, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("membership_cache")
