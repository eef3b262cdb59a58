"""Where a document is, and why it is or is not found or visible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from urllib.parse import urldefrag

from pipelines.errors import UsageError
from pipelines.index.base import Filters, Hit
from pipelines.retrieval import search
from pipelines.retrieval.identity import person_tokens
from pipelines.retrieval.model import MOST_DOCUMENTS, SearchRequest
from pipelines.retrieval.reranking import Reranker
from pipelines.workspace import Workspace

Progress: TypeAlias = Literal["done", "waiting", "skipped", "failed", "deleted"]


@dataclass(frozen=True, slots=True)
class Stage:
    """How far the document's newest version has come in one stage, and what stands in its way."""

    stage: Literal["documents", "chunks", "vectors", "retrieval"]
    state: Progress
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """Whether a person sees a document in the published index, and through which of their reader tokens."""

    user: str
    sees: bool
    through: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rank:
    """A document's place for a question, from 1; None beyond the first hundred. The others are of single legs."""

    query: str
    rank: int | None
    dense_rank: int | None = None
    lexical_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """`published_chunks` counts what assistants can find; `others` are documents at the same URL."""

    id: str
    title: str
    url: str
    connection: str
    unit: str
    status: str
    reason: str | None
    attempts: int
    next_attempt: datetime | None
    updated_at: datetime | None
    version: str | None
    indexed_version: str | None
    published_version: str | None
    load: int | None
    stages: tuple[Stage, ...]
    chunks: int
    published_chunks: int
    readers: tuple[str, ...]
    others: tuple[str, ...]
    sight: Sight | None = None
    rank: Rank | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(self).items()
        }


def explain(
    workspace: Workspace,
    id_or_url: str,
    *,
    user: str | None = None,
    query: str | None = None,
    reranker: Reranker | None = None,
) -> Explanation:
    """Explain one document. With a `query`, its rank as `user` would see it, or an administrator without one.

    Raises UsageError for a document that no source has named, EmbeddingError and IndexStoreError.
    """
    row, others = _known(workspace, id_or_url)
    hits = workspace.reader.document(row["id"], Filters(readers=None))
    load_state = workspace.catalog.loads.state_of(row["load"]) if row["load"] is not None else None
    readers = tuple(hits[0].payload["readers"]) if hits else ()
    tokens = person_tokens(user, workspace.settings, workspace.catalog) if user else None
    return Explanation(
        **{name: row[name] for name in _FROM_CATALOG},
        published_version=hits[0].payload["version"] if hits else None,
        stages=stages(row, load_state, hits),
        published_chunks=len(hits),
        readers=readers,
        others=others,
        sight=_sight(user, tokens, readers) if user and tokens else None,
        rank=_rank(workspace, row["id"], query, tokens, reranker) if query else None,
    )


def stages(row: Mapping[str, Any], load_state: str | None, published: Sequence[Hit]) -> tuple[Stage, ...]:
    """How far a document has come: `row` is the catalog's, `published` its points in the published index. Pure."""
    status, reason = row["status"], row["reason"] or ""
    read = row["load"] is not None
    chunked = read and load_state != "landed"
    indexed = row["version"] is not None and row["indexed_version"] == row["version"]
    live = bool(published) and published[0].payload["version"] == row["indexed_version"]
    if status == "deleted":
        return _of_removed(row, published, "deleted", "gone at the source, or out of its reach")
    if status == "skipped":
        return _of_removed(row, published, "skipped", reason)
    failed: Progress = "failed" if status == "failed" else "waiting"
    return (
        Stage("documents", "done" if read else failed, "" if read else reason),
        Stage("chunks", _state(chunked and (status != "failed" or indexed), read, failed), reason if read else ""),
        Stage("vectors", "done" if indexed else "waiting"),
        Stage("retrieval", "done" if live else "waiting", "" if live else _unpublished(row, published)),
    )


_FROM_CATALOG = (
    "id",
    "title",
    "url",
    "connection",
    "unit",
    "status",
    "reason",
    "attempts",
    "next_attempt",
    "updated_at",
    "version",
    "indexed_version",
    "load",
    "chunks",
)


def _known(workspace: Workspace, id_or_url: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The catalog's row of a document, and the ids of others at the same URL."""
    wanted = id_or_url.strip()
    for spelling in dict.fromkeys((wanted, wanted.rstrip("/"), urldefrag(wanted).url, f"{wanted}/")):
        if rows := workspace.catalog.documents.found_by(spelling):
            return rows[0], tuple(row["id"] for row in rows[1:])
    raise UsageError(
        f"{wanted}: no connection has named a document with this id or URL; "
        "see `headrace units` for what is read, and `headrace sync` to read it"
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


def _sight(user: str, tokens: Sequence[str], readers: Sequence[str]) -> Sight:
    through = tuple(sorted(set(tokens) & set(readers)))
    return Sight(user, bool(through), through)


def _rank(
    workspace: Workspace, document_id: str, query: str, tokens: tuple[str, ...] | None, reranker: Reranker | None
) -> Rank:
    request = SearchRequest(query=query, top_k=MOST_DOCUMENTS, explain=True)
    index, embedder = workspace.reader, workspace.embedder
    results = search(request, tokens, index=index, embedder=embedder, reranker=reranker).results
    for place, result in enumerate(results, start=1):
        if result.document_id == document_id and result.why:
            return Rank(query, place, result.why.dense_rank, result.why.lexical_rank)
    return Rank(query, None)
