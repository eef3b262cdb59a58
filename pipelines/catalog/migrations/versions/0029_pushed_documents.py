"""Documents that were pushed, the units they are in, and the bodies that nothing needs any more."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pushed_documents",
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("connection", "name"),
    )
    op.create_index("pushed_documents_by_number", "pushed_documents", ["connection", "unit", "number"])
    op.create_table(
        "pushed_units",
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("connection", "unit"),
    )
    op.create_table(
        "obsolete_bodies",
        sa.Column("body", sa.Text, primary_key=True),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("obsolete_bodies_by_age", "obsolete_bodies", ["since"])


def downgrade() -> None:
    for table in ("obsolete_bodies", "pushed_units", "pushed_documents"):
        op.drop_table(table)
