"""How far a document has come in each stage, and what is in its way. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pipelines.index.contract import Hit
from pipelines.ingestion.index_plan import NOT_EMBEDDABLE

StageState: TypeAlias = Literal["done", "waiting", "skipped", "failed", "deleted"]


@dataclass(frozen=True, slots=True)
class StageProgress:
    """How far the document's newest version has come in one stage, and what is in its way."""

    stage: Literal["documents", "chunks", "vectors", "retrieval"]
    state: StageState
    detail: str = ""


def stages(
    row: Mapping[str, Any],
    load_state: str | None,
    published: Sequence[Hit],
    index_error: str | None = None,
    left_out: str | None = None,
    held: str = "",
) -> tuple[StageProgress, ...]:
    """The stages in their order.

    `row` is the catalog's, `load_state` that of its last load; `published` are the document's points in the published
    index, which are not known where there is an `index_error`. `left_out` is why the settings want nothing of it, and
    `held` says of a load that waits for the connection's budget until when.
    """
    last = StageProgress("retrieval", "failed", index_error) if index_error else None
    match row["status"]:
        case "deleted":
            known = _of_removed(row, published, "deleted", left_out or "gone at the source, or out of its reach")
        case "skipped":
            known = _of_removed(row, published, "skipped", row["reason"] or "")
        case _:
            known = (_documents(row), _chunks(row, load_state), _vectors(row, held), _retrieval(row, published))
    return (*known[:-1], last or known[-1])


def _documents(row: Mapping[str, Any]) -> StageProgress:
    if not _is_read(row):
        return StageProgress("documents", _unfinished(row), row["reason"] or "")
    return StageProgress("documents", "done")


def _chunks(row: Mapping[str, Any], load_state: str | None) -> StageProgress:
    if not _is_read(row):
        return StageProgress("chunks", "waiting")
    # A document that failed after it was read failed here; where its version is indexed, a later attempt did.
    done = load_state != "landed" and (row["status"] != "failed" or _is_indexed(row) or _is_refused(row))
    return StageProgress("chunks", "done" if done else _unfinished(row), "" if done else row["reason"] or "")


def _vectors(row: Mapping[str, Any], held: str) -> StageProgress:
    if _is_refused(row):
        return StageProgress("vectors", "failed", row["reason"])
    return StageProgress("vectors", "done") if _is_indexed(row) else StageProgress("vectors", "waiting", held)


def _retrieval(row: Mapping[str, Any], published: Sequence[Hit]) -> StageProgress:
    if not published:
        pending = "indexed, and published with the next publication"
        return StageProgress("retrieval", "waiting", pending if row["indexed_version"] else "nothing to publish yet")
    if published[0].payload["version"] != row["indexed_version"]:
        return StageProgress("retrieval", "waiting", "an earlier version is published")
    earlier = "an earlier version is found until this is read" if row["version"] is None else ""
    return StageProgress("retrieval", "done", earlier)


def _of_removed(
    row: Mapping[str, Any], published: Sequence[Hit], state: StageState, reason: str
) -> tuple[StageProgress, ...]:
    """Stages of a document of which nothing is to be found."""
    left = row["chunks"] > 0
    still = "its last version is still published, until the next publication" if published else ""
    return (
        StageProgress("documents", state, reason),
        StageProgress("vectors", "waiting" if left else "done", "its points are still to be removed" if left else ""),
        StageProgress("retrieval", "waiting" if published else "done", still),
    )


def _unfinished(row: Mapping[str, Any]) -> StageState:
    return "failed" if row["status"] == "failed" else "waiting"


def _is_refused(row: Mapping[str, Any]) -> bool:
    """Whether the embedding provider does not take one of its texts."""
    return row["status"] == "failed" and NOT_EMBEDDABLE in (row["reason"] or "")


def _is_read(row: Mapping[str, Any]) -> bool:
    """Whether the newest version was read. Where that failed, an earlier one may still be landed."""
    return row["load"] is not None and row["version"] is not None


def _is_indexed(row: Mapping[str, Any]) -> bool:
    """Whether the version that was read last is in the index."""
    return row["version"] is not None and row["indexed_version"] == row["version"]
