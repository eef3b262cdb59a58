"""Documents of connections that the settings do not name: nobody finds them, and they are still here."""

from __future__ import annotations

from collections import Counter

from pipelines.services import Services

WHAT_TO_DO = "nobody finds them; the next sync removes them from the index, `headrace purge {}` everything"


def count_of_unknown(services: Services) -> dict[str, int]:
    """How many documents there are, by connection that the settings do not name."""
    named = {one.id for one in services.settings.connections}
    counts: Counter[str] = Counter()
    for (connection, _), statuses in services.catalog.documents.totals().items():
        if connection not in named:
            counts[connection] += sum(count for status, count in statuses.items() if status != "deleted")
    return {connection: count for connection, count in sorted(counts.items()) if count}
