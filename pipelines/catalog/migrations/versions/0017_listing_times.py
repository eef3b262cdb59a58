"""Since when it is told what units are, and who reads them."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("units", sa.Column("listed_since", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("units", "listed_since")
