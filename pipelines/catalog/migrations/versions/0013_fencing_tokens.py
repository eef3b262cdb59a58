"""Leases: who holds one, by an id of its own and on which machine, since when, and its fencing token."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# With defaults, since processes of the release before go on writing rows that have none of these.
ADDED = (
    sa.Column("process", sa.Text, nullable=False, server_default=""),
    sa.Column("machine", sa.Text, nullable=False, server_default=""),
    sa.Column("token", sa.Integer, nullable=False, server_default="0"),
    sa.Column("since", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    for column in ADDED:
        op.add_column("leases", column)


def downgrade() -> None:
    for column in reversed(ADDED):
        op.drop_column("leases", column.name)
