"""All that is known of one document, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pipelines.catalog.lookup import resolve
from pipelines.errors import IndexStoreError, UsageError
from pipelines.index.contract import Filters, Hit
from pipelines.operations.explain.context import Home, PointingEvent, home, pointing
from pipelines.operations.explain.progress import Stage, stages
from pipelines.operations.explain.ranks import Rank, rank
from pipelines.operations.explain.visibility import Reader, Sight, reader, sight
from pipelines.retrieval.principals import person_tokens
from pipelines.services import Services

_OPENING = 80


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that assistants can find: its place in the document, from 0, and how it begins."""

    position: int
    headings: tuple[str, ...]
    opening: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """`version` was read last, `indexed_version` and `published_version` are what the index and assistants have.

    `load_state` is how far the load with the version read last has come. `chunks` counts points in the index,
    `published` are those that assistants can find, with their `readers`; `others` are documents at the same URL.
    `index_error` says why the published index could not be read.
    """

    id: str
    title: str
    url: str
    status: str
    reason: str | None
    attempts: int
    next_attempt: datetime | None
    updated_at: datetime | None
    changed_at: datetime
    version: str | None
    indexed_version: str | None
    published_version: str | None
    load: int | None
    load_state: str | None
    stages: tuple[Stage, ...]
    chunks: int
    published: tuple[Passage, ...]
    readers: tuple[Reader, ...]
    home: Home
    events: tuple[PointingEvent, ...]
    others: tuple[str, ...]
    sight: Sight | None = None
    ranks: tuple[Rank, ...] = ()
    index_error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Times are in ISO 8601."""
        told: dict[str, Any] = _plain(asdict(self))
        return told


def explain(
    services: Services,
    id_or_url: str,
    *,
    user: str | None = None,
    query: str | None = None,
) -> Explanation:
    """Explain one document. With a `query`, its rank for an administrator and, where one is named, for `user`.

    Raises UsageError for a document that no source has named, ValidationError for a query that is none, and
    EmbeddingError.
    """
    catalog, settings = services.catalog, services.settings
    row, others = _known(services, id_or_url)
    document_id, connection, unit = row["id"], row["connection"], row["unit"]
    hits, index_error = _published(services, document_id)
    load_state = catalog.loads.state_of(row["load"]) if row["load"] is not None else None
    names = {(state.connection, state.unit.id): state.unit.name for state in catalog.units.all()}
    readers = tuple(reader(token, names) for token in (hits[0].payload["readers"] if hits else ()))
    tokens = person_tokens(user, settings, catalog) if user else None
    asking = ((None, None), (user, tokens)) if user else ((None, None),)
    return Explanation(
        **{name: row[name] for name in _FROM_CATALOG},
        published_version=hits[0].payload["version"] if hits else None,
        load_state=load_state,
        stages=stages(row, load_state, hits, index_error),
        published=tuple(_passage(hit) for hit in hits),
        readers=readers,
        home=home(catalog, settings, connection, unit),
        events=pointing(catalog, connection, unit, document_id),
        others=others,
        sight=sight(user, tokens, readers, published=bool(hits)) if user and tokens else None,
        ranks=tuple(rank(services, document_id, query, user=who, tokens=theirs) for who, theirs in asking)
        if query is not None and not index_error
        else (),
        index_error=index_error,
    )


_FROM_CATALOG = (
    "id",
    "title",
    "url",
    "status",
    "reason",
    "attempts",
    "next_attempt",
    "updated_at",
    "changed_at",
    "version",
    "indexed_version",
    "load",
    "chunks",
)


def _known(services: Services, id_or_url: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The catalog's row of a document, and the ids of others at the same URL."""
    if rows := resolve(services.catalog.documents, id_or_url):
        return rows[0], tuple(row["id"] for row in rows[1:])
    raise UsageError(
        f"{id_or_url.strip()}: no connection has named a document with this id or URL; see whether "
        "`headrace units` lists what it lies in (the connection's `include` and its token decide), then read it "
        "with `headrace sync`, or with `headrace reconcile` where a sync does not find it"
    )


def _published(services: Services, document_id: str) -> tuple[Sequence[Hit], str | None]:
    """What assistants can find of a document; or why the index cannot tell, which leaves the catalog to be told."""
    try:
        return services.reader.document(document_id, Filters(readers=None)), None
    except IndexStoreError as error:
        return (), str(error)


def _passage(hit: Hit) -> Passage:
    text = " ".join(hit.payload["text"].split())
    opening = text if len(text) <= _OPENING else f"{text[:_OPENING]}…"
    return Passage(hit.payload["position"], tuple(hit.payload["headings"]), opening)


def _plain(value: Any) -> Any:
    """Lists and objects with times as text."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime) else value
