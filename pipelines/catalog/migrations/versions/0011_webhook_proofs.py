"""Windows in which a provider may offer a webhook's secret, and what the signature of an event covers."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "verification_windows",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("secret", sa.Text),
    )
    op.add_column("events", sa.Column("signed_content", sa.Text))
    op.create_index("events_by_content", "events", ["connection", "signed_content"])


def downgrade() -> None:
    op.drop_index("events_by_content", "events")
    op.drop_column("events", "signed_content")
    op.drop_table("verification_windows")
