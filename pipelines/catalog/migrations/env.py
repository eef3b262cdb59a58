"""Alembic's entry: runs the migrations on the connection that `pipelines.catalog.database` hands over."""

from alembic import context

from pipelines.catalog.revisions import VERSION_TABLE
from pipelines.catalog.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
