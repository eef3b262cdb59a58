"""Documents of connections that the settings do not name: nobody finds them, and they are still here."""

from __future__ import annotations

from collections import Counter

from pipelines.services import Holdings


def count_unknown(services: Holdings) -> dict[str, int]:
    """How many documents there are, by connection that the settings do not name."""
    named = {one.id for one in services.settings.connections}
    counts: Counter[str] = Counter()
    for (connection, _), statuses in services.catalog.documents.totals().items():
        if connection not in named:
            counts[connection] += sum(count for status, count in statuses.items() if status != "deleted")
    return {connection: count for connection, count in sorted(counts.items()) if count}


def describe_unknown(connection: str, documents: int) -> str:
    """What there is of such a connection, and what to do."""
    return (
        f"not in the settings, and {documents} documents of it are here; nobody finds them. The next sync removes them "
        f"from the index, and `headrace purge {connection}` removes all that is left of them"
    )
