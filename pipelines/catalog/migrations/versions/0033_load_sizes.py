"""How large loads are, where that was looked at: what is small may be united."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("loads", sa.Column("bytes", sa.BigInteger))
    small = sa.text("state = 'indexed' AND documents < 1000 AND (bytes IS NULL OR bytes < 8000000)")
    also = ["state", "documents", "bytes"] if op.get_bind().dialect.name == "sqlite" else []
    op.create_index("loads_small", "loads", ["connection", "unit", *also], sqlite_where=small, postgresql_where=small)


def downgrade() -> None:
    op.drop_index("loads_small", "loads")
    op.drop_column("loads", "bytes")
