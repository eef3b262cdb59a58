"""What units are and were called."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    names = op.create_table(
        "unit_names",
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("connection", "unit", "name"),
    )
    op.create_index("unit_names_by_name", "unit_names", ["name"])
    known = op.get_bind().execute(sa.text("SELECT connection, unit, name, url FROM units"))
    rows = {(one.connection, one.unit, name.lower()) for one in known for name in (one.name, one.url) if name}
    op.bulk_insert(names, [dict(zip(("connection", "unit", "name"), row, strict=True)) for row in sorted(rows)])


def downgrade() -> None:
    op.drop_table("unit_names")
