"""What each connection has cost by day, and loads that wait for a budget."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spending",
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("source_requests", sa.BigInteger, nullable=False),
        sa.Column("embedding_requests", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("unanswered_tokens", sa.BigInteger, nullable=False),
        sa.Column("cost_usd", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("day", "connection"),
    )
    held = sa.text("state = 'held'")
    op.create_index("loads_held", "loads", ["connection", "unit"], sqlite_where=held, postgresql_where=held)


def downgrade() -> None:
    # Releases before know no load that waits for a budget, and would pass it over for good.
    op.execute(sa.text("UPDATE loads SET state = 'chunked' WHERE state = 'held'"))
    op.drop_index("loads_held", "loads")
    op.drop_table("spending")
