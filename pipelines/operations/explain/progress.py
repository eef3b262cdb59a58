"""How far a document has come in each stage, and what stands in its way. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pipelines.index.contract import Hit

Progress: TypeAlias = Literal["done", "waiting", "skipped", "failed", "deleted"]


@dataclass(frozen=True, slots=True)
class Stage:
    """How far the document's newest version has come in one stage, and what stands in its way."""

    stage: Literal["documents", "chunks", "vectors", "retrieval"]
    state: Progress
    detail: str = ""


def stages(
    row: Mapping[str, Any], load_state: str | None, published: Sequence[Hit], index_error: str | None = None
) -> tuple[Stage, ...]:
    """`row` is the catalog's, `published` the document's points in the published index; with an `index_error` those
    are not known."""
    known = _stages(row, load_state, published)
    return (*known[:-1], Stage("retrieval", "failed", index_error)) if index_error else known


def _stages(row: Mapping[str, Any], load_state: str | None, published: Sequence[Hit]) -> tuple[Stage, ...]:
    status, reason = row["status"], row["reason"] or ""
    read = row["load"] is not None
    chunked = read and load_state != "landed"
    indexed = row["version"] is not None and row["indexed_version"] == row["version"]
    live = bool(published) and published[0].payload["version"] == row["indexed_version"]
    if status == "deleted":
        return _of_removed(row, published, "deleted", "gone at the source, or out of its reach")
    if status == "skipped":
        return _of_removed(row, published, "skipped", reason)
    earlier = "an earlier version is found until this is read" if row["version"] is None else ""
    failed: Progress = "failed" if status == "failed" else "waiting"
    return (
        Stage("documents", "done" if read else failed, "" if read else reason),
        Stage("chunks", _state(chunked and (status != "failed" or indexed), read, failed), reason if read else ""),
        Stage("vectors", "done" if indexed else "waiting"),
        Stage("retrieval", "done" if live else "waiting", earlier if live else _unpublished(row, published)),
    )


def _of_removed(row: Mapping[str, Any], published: Sequence[Hit], state: Progress, reason: str) -> tuple[Stage, ...]:
    """Stages of a document of which nothing is to be found."""
    still = "its last version is still published, until the next publication" if published else ""
    waiting = row["chunks"] > 0
    return (
        Stage("documents", state, reason),
        Stage("vectors", "waiting" if waiting else "done", "its points are still to be removed" if waiting else ""),
        Stage("retrieval", "waiting" if published else "done", still),
    )


def _state(done: bool, reached: bool, otherwise: Progress) -> Progress:
    if done:
        return "done"
    return otherwise if reached else "waiting"


def _unpublished(row: Mapping[str, Any], published: Sequence[Hit]) -> str:
    if published:
        return "an earlier version is published"
    return "indexed, and published with the next publication" if row["indexed_version"] else "nothing to publish yet"
