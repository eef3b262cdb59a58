"""By which model each vector was made, and when that was last in use; of vectors that are there already, nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "embedding_models",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("dimensions", sa.Integer, nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("model", "dimensions"),
    )
    op.add_column("embeddings", sa.Column("model", sa.Integer))
    op.create_index("embeddings_by_model", "embeddings", ["model"])


def downgrade() -> None:
    op.drop_index("embeddings_by_model", "embeddings")
    op.drop_column("embeddings", "model")
    op.drop_table("embedding_models")
