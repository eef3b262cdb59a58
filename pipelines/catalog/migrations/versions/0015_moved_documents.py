"""Documents that have moved to another unit, before the index follows."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "moved_documents",
        sa.Column("document", sa.Text, primary_key=True),
        sa.Column("since", TIME, nullable=False),
        sa.Column("ends_at", TIME),
    )


def downgrade() -> None:
    op.drop_table("moved_documents")
