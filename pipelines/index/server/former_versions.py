"""Versions of a collection that are live no more: marked when replaced, removed once nobody reads them.

The mark stands in the collection's own metadata, so that whichever process publishes next finds it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

REPLACED_AT = "replaced_at"
KEPT = timedelta(minutes=10)
"""Longer than readers remember an alias, than any question takes, and than the clocks of machines differ."""


def mark_replaced(client: QdrantClient, name: str) -> None:
    """Let a version be removed after a while. Before the alias moves: after it, a kill would leave it for ever."""
    client.update_collection(name, metadata={REPLACED_AT: datetime.now(UTC).isoformat()})


def keep(client: QdrantClient, name: str, metadata: Mapping[str, Any]) -> None:
    """Take the mark off a version that is written again."""
    if metadata.get(REPLACED_AT):
        client.update_collection(name, metadata={REPLACED_AT: None})


def remove_replaced(client: QdrantClient, collection: str) -> None:
    """Remove versions that were replaced long enough ago, unless an alias, be it somebody else's, points at them."""
    read = {one.collection_name for one in client.get_aliases().aliases}
    for one in client.get_collections().collections:
        if one.name not in read and re.fullmatch(rf"{re.escape(collection)}-[0-9a-f]{{12}}", one.name):
            replaced_at = (client.get_collection(one.name).config.metadata or {}).get(REPLACED_AT)
            if replaced_at and datetime.fromisoformat(replaced_at) < datetime.now(UTC) - KEPT:
                client.delete_collection(one.name)
