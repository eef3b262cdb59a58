"""When the members of each group were last read."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "groups",
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("group", sa.Text, nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True)),
        sa.Column("unreadable", sa.Text),
        sa.PrimaryKeyConstraint("connection", "group"),
    )
    # Until now all groups of a connection were read together. Where that time was never recorded, nothing says how old
    # the memberships are: they count again once they have been read.
    op.execute(
        'INSERT INTO "groups" (connection, "group", read_at) '
        'SELECT DISTINCT memberships.connection, memberships."group", connections.memberships_at FROM memberships '
        "LEFT JOIN connections ON connections.connection = memberships.connection"
    )


def downgrade() -> None:
    op.drop_table("groups")
