"""What a sync did, in numbers that add up over units and connections."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self, TypeAlias

if TYPE_CHECKING:
    from pipelines.catalog.failures import Cause


ProgressCallback: TypeAlias = Callable[[str, int, int | None], None]
"""Called with a stage's name, how many of its things are done, and how many there are if known."""


@dataclass(slots=True)
class _Counts:
    def add(self, other: Self) -> None:
        for counter in fields(self):
            setattr(self, counter.name, getattr(self, counter.name) + getattr(other, counter.name))


@dataclass(slots=True)
class DocumentCounts(_Counts):
    """Objects by what became of them. `read` counts those that the source gave, deletions aside."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    deleted: int = 0

    def count(self, kind: str) -> None:
        """Count one object: by what became of it, and as read unless it is gone."""
        if kind == "absent":
            return
        setattr(self, kind, getattr(self, kind) + 1)
        self.read += kind != "deleted"


@dataclass(slots=True)
class ChunkCounts(_Counts):
    """`total` counts the chunks of the documents processed, `new` and `removed` the points that differ."""

    total: int = 0
    new: int = 0
    removed: int = 0


@dataclass(slots=True)
class EmbeddingCounts(_Counts):
    """`inputs` came from the provider, `cached` from the cache. `requests` and `tokens` count repeated ones too."""

    requests: int = 0
    inputs: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    cached: int = 0


@dataclass(slots=True)
class ScanCounts(_Counts):
    """Pages and pictures without a text layer. `requests` were sent to the API, `pages` it has read, `cached` it had
    read before."""

    requests: int = 0
    pages: int = 0
    cached: int = 0


SAID_BY_UNIT = ("errors", "busy", "out_of_reach", "refused", "waiting")
"""Fields of a report that are texts by unit, and no figures."""


@dataclass(slots=True)
class SyncReport:
    """`requests` counts those sent to each connection's source; `errors` says what stopped a unit, `busy` which units
    were skipped because another process works on them, and `out_of_reach` which are hidden and kept until an operator
    says what is to become of them. `causes` says, for some of the names in `errors`, which backend was away, and
    `unanswered` which documents could not be read for a passing reason. `refused` says which parts of a unit (or, by
    the connection alone, of its list of units) the source does not give, and what to grant. `waiting` says of a
    connection how much of it waits for its budget.

    `would_read` and `would_delete` hold the document ids that a dry run stopped at.
    """

    documents: DocumentCounts = field(default_factory=DocumentCounts)
    chunks: ChunkCounts = field(default_factory=ChunkCounts)
    embedding: EmbeddingCounts = field(default_factory=EmbeddingCounts)
    scans: ScanCounts = field(default_factory=ScanCounts)
    requests: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    errors: dict[str, str] = field(default_factory=dict)
    busy: dict[str, str] = field(default_factory=dict)
    out_of_reach: dict[str, str] = field(default_factory=dict)
    refused: dict[str, dict[str, str]] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    causes: dict[str, Cause] = field(default_factory=dict)
    unanswered: dict[str, str] = field(default_factory=dict)
    would_read: list[str] = field(default_factory=list)
    would_delete: list[str] = field(default_factory=list)

    @property
    def has_changed(self) -> bool:
        """Whether anything was done: documents that were read and are as before are nothing."""
        documents, chunks, embedding = self.documents, self.chunks, self.embedding
        outcomes = documents.new + documents.changed + documents.deleted + documents.skipped + documents.failed
        return any((outcomes, chunks.total, chunks.new, chunks.removed, embedding.inputs, embedding.cached))

    @property
    def names_units(self) -> bool:
        """Whether something is said of single units, which are named by their ids."""
        return any(getattr(self, said) for said in SAID_BY_UNIT)

    def record_error(self, name: str, error: str, cause: Cause) -> None:
        """What stopped a unit, or something else by name."""
        self.errors[name] = error
        self.causes[name] = cause

    def add(self, other: SyncReport) -> None:
        self.documents.add(other.documents)
        self.chunks.add(other.chunks)
        self.embedding.add(other.embedding)
        self.scans.add(other.scans)
        for connection, count in other.requests.items():
            self.requests[connection] = self.requests.get(connection, 0) + count
        self.seconds += other.seconds
        self.errors.update(other.errors)
        self.busy.update(other.busy)
        self.out_of_reach.update(other.out_of_reach)
        self.refused.update(other.refused)
        self.waiting.update(other.waiting)
        self.causes.update(other.causes)
        self.unanswered.update(other.unanswered)
        self.would_read += other.would_read
        self.would_delete += other.would_delete

    def as_json(self) -> dict[str, Any]:
        """The object that commands print with `--json`."""
        figures = {name: value for name, value in asdict(self).items() if name not in ("causes", "unanswered")}
        figures["seconds"] = round(self.seconds, 3)
        figures["embedding"]["cost_usd"] = round(self.embedding.cost_usd, 6)
        return figures


@contextmanager
def measure_time(report: SyncReport) -> Iterator[None]:
    """Add the time that the context takes to the report's seconds."""
    started = time.perf_counter()
    try:
        yield
    finally:
        report.seconds += time.perf_counter() - started
