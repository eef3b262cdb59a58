"""What of the points found goes together in one answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.index.contract import Hit


def one_version(hits: Sequence[Hit]) -> list[Hit]:
    """Leave each document in one version, the one updated last.

    Two versions stand side by side while a document is being written, and after a writer was killed in between.
    """
    newest: dict[str, tuple[str, str]] = {}
    for hit in hits:
        document_id = hit.payload["document_id"]
        newest[document_id] = max(newest.get(document_id, ("", "")), _version(hit))
    return [hit for hit in hits if _version(hit) == newest[hit.payload["document_id"]]]


def by_position(hits: Sequence[Hit]) -> list[Hit]:
    """Points of a document in the order of its text."""
    return sorted(hits, key=lambda hit: (hit.payload.get("position", 0), hit.id))


def _version(hit: Hit) -> tuple[str, str]:
    return hit.payload.get("updated_at") or "", hit.payload.get("version") or ""
