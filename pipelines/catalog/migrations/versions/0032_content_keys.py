"""What is known of documents' contents without reading them; of those that are there already, nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("content_key", sa.Text))


def downgrade() -> None:
    op.drop_column("documents", "content_key")
