"""Cursors of units stand behind what else is known of them: SQLite reads all that stands before a column."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        order: list[tuple[str, ...]] = [("partition_key", "rights_cursor", "cursor")]
        with op.batch_alter_table("units", recreate="always", partial_reordering=order):
            pass


def downgrade() -> None:
    """Columns are known by their names."""
