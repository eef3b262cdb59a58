"""What reads from the beginning have left uncompared."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("units", sa.Column("uncompared", sa.JSON))
    # Kept the last listing so far, and says from here on that one is under way.
    op.execute("UPDATE units SET listing = NULL")


def downgrade() -> None:
    op.drop_column("units", "uncompared")
