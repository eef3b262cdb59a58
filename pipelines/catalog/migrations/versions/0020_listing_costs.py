"""When a source was last asked for all units of a connection, and what that took."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connections", sa.Column("listed_at", sa.DateTime(timezone=True)))
    op.add_column("connections", sa.Column("listing_requests", sa.Integer))


def downgrade() -> None:
    op.drop_column("connections", "listing_requests")
    op.drop_column("connections", "listed_at")
