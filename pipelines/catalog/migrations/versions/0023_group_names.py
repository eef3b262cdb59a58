"""What people call each group."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("groups", sa.Column("name", sa.Text))


def downgrade() -> None:
    op.drop_column("groups", "name")
