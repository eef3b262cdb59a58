"""What people have granted to clients and to the page, and the clients that registered themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("client_name", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.Text, nullable=False),
        sa.Column("access_hash", sa.Text),
        sa.Column("access_until", sa.DateTime(timezone=True)),
        sa.Column("request", sa.JSON),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("grants_by_person", "grants", ["person"])
    op.create_index("grants_by_end", "grants", ["expires_at"])
    op.create_table(
        "oauth_clients",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("redirect_uris", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
    )
    op.create_index("oauth_clients_by_use", "oauth_clients", ["used_at", "created_at"])


def downgrade() -> None:
    op.drop_table("oauth_clients")
    op.drop_table("grants")
