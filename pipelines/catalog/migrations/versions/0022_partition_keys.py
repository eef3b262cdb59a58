"""The key under which each unit is shown as a partition."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("units", sa.Column("partition_key", sa.Text))


def downgrade() -> None:
    op.drop_column("units", "partition_key")
