"""Indexes of rows that are asked for often and are few, and of documents by load and URL."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_INDEXES = {
    "documents_behind": (
        "documents",
        ("connection", "unit"),
        "chunks > 0 AND (status = 'deleted' OR status = 'skipped'"
        " OR hidden IS NOT NULL AND (indexed_readers IS NULL OR indexed_readers != '[]')"
        " OR hidden IS NULL AND readers IS NOT NULL AND documents.readers {differs} documents.indexed_readers)",
    ),
    "documents_closed": ("documents", ("indexed_readers",), "indexed_readers = '[]'"),
    "documents_indexed": ("documents", ("connection", "unit", "chunks", "updated_at", "changed_at"), "chunks > 0"),
    "documents_failed": ("documents", ("connection", "unit"), "status = 'failed'"),
    "documents_to_try": ("documents", ("connection", "unit"), "next_attempt IS NOT NULL"),
    "documents_hidden": ("documents", ("connection", "unit"), "hidden IS NOT NULL"),
    "documents_ending": ("documents", ("connection", "unit"), "readers_until IS NOT NULL"),
    "documents_with_old_title": ("documents", ("changed_at",), "status = 'deleted' AND title != ''"),
    "documents_by_load": ("documents", ("load",), None),
    "documents_by_url": ("documents", ("url",), None),
    "obsolete_rows_unseen": ("obsolete_rows", ("load",), "document = ''"),
    "events_pending": ("events", ("connection", "id"), "state = 'pending'"),
    "events_waiting": ("events", ("connection", "next_attempt"), "state = 'pending'"),
    "events_finished": ("events", ("finished_at",), "finished_at IS NOT NULL"),
}


_SORTED = ("behind", "failed", "to_try", "hidden", "ending", "closed")


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    differs = "IS NOT" if is_sqlite else "IS DISTINCT FROM"
    for name, (table, columns, condition) in _INDEXES.items():
        where = sa.text(condition.format(differs=differs)) if condition else None
        by_id = ("id",) if is_sqlite and name.removeprefix("documents_") in _SORTED else ()
        using = "hash" if name == "documents_by_url" else "btree"
        op.create_index(
            name,
            table,
            [*columns, *by_id],
            sqlite_where=where,
            postgresql_where=where,
            postgresql_using=using,
        )


def downgrade() -> None:
    for name, (table, _, _) in _INDEXES.items():
        op.drop_index(name, table)
