"""What accounts are known by, so that one person is found by all of it."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_names",
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("connection", "account", "alias"),
    )
    op.create_index("account_names_by_alias", "account_names", ["alias"])


def downgrade() -> None:
    op.drop_table("account_names")
