"""Rows of the landing that nothing needs any more, and vectors that can be found by their text."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Which rows of the loads before are obsolete stands in their files alone: such a load is looked through once.
LOADS_WITH_OBSOLETE_ROWS = """
    INSERT INTO obsolete_rows (load, document, deleted, since)
    SELECT loads.id, '', :deleted, CURRENT_TIMESTAMP
    FROM loads LEFT JOIN (SELECT load, count(*) AS needed FROM documents GROUP BY load) AS newest
    ON newest.load = loads.id WHERE loads.documents > coalesce(newest.needed, 0)
"""


def upgrade() -> None:
    op.add_column("embeddings", sa.Column("text", sa.LargeBinary(16)))
    op.create_index("embeddings_by_text", "embeddings", ["text"])
    op.create_table(
        "obsolete_rows",
        sa.Column("load", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("load", "document"),
    )
    op.create_index("obsolete_rows_by_time", "obsolete_rows", ["deleted", "since"])
    op.get_bind().execute(sa.text(LOADS_WITH_OBSOLETE_ROWS), {"deleted": True})


def downgrade() -> None:
    op.drop_table("obsolete_rows")
    op.drop_index("embeddings_by_text", "embeddings")
    op.drop_column("embeddings", "text")
