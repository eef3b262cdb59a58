"""The filters of questions of which people said something."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feedback", sa.Column("filters", sa.Text, server_default="{}"))


def downgrade() -> None:
    op.drop_column("feedback", "filters")
