"""All that is known of one document, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from connectors.registry import source
from pipelines.catalog import Catalog
from pipelines.catalog.budgets import describe_waiting
from pipelines.errors import IndexStoreError
from pipelines.index.contract import Filters, Hit
from pipelines.operations.explain.context import RelatedEvent, UnitContext, related_events, unit_context
from pipelines.operations.explain.finding import find_document
from pipelines.operations.explain.ranks import Rank, find_rank
from pipelines.operations.explain.revocations import RevocationInForce, hides_from, left_out, revocations
from pipelines.operations.explain.stage_progress import StageProgress, stages
from pipelines.operations.explain.visibility import Reader, Visibility, reader, visibility
from pipelines.retrieval.principals import person_tokens
from pipelines.retrieval.revocations import RevocationFilter
from pipelines.services import Services

_OPENING = 80
_JSON_NAMES = {"unit_context": "home", "visibility": "sight", "grant": "way", "depth": "looked_at"}
"""Fields that programs read by another name: what `--json` prints does not change with the code."""


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
    `published` are those that are published and found, with their `readers`; `revocations` are what was taken away
    since, and `withdrawn_since` is when a part of its text was deleted that may still be published.
    `others` are documents at the same URL, and `doubt` is why another one may be meant.
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
    stages: tuple[StageProgress, ...]
    chunks: int
    published: tuple[Passage, ...]
    readers: tuple[Reader, ...]
    revocations: tuple[RevocationInForce, ...]
    unit_context: UnitContext
    events: tuple[RelatedEvent, ...]
    others: tuple[str, ...]
    doubt: str | None = None
    withdrawn_since: datetime | None = None
    visibility: Visibility | None = None
    ranks: tuple[Rank, ...] = ()
    index_error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Times are in ISO 8601."""
        fields: dict[str, Any] = _plain(asdict(self))
        return fields


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
    found = find_document(services, id_or_url)
    row = found.row
    hits, index_error = _read_published(services, row["id"])
    load_state = catalog.loads.state_of(row["load"]) if row["load"] is not None else None
    held = describe_waiting(catalog, settings, row["connection"]) if load_state == "held" else ""
    label = _labels(services)
    readers = tuple(map(label, hits[0].payload["readers"] if hits else ()))
    filter = RevocationFilter.load(catalog.revocations, settings.connections)
    left = [hit for hit in hits if filter.keeps_text(hit)]
    in_force = revocations(services, row, label, filter)
    tokens = person_tokens(user, settings, catalog) if user else None
    unread = _unreadable_groups(catalog, row["connection"], readers)
    return Explanation(
        **{name: row[name] for name in _FROM_CATALOG},
        published_version=hits[0].payload["version"] if hits else None,
        load_state=load_state,
        stages=stages(row, load_state, hits, index_error, left_out(settings, catalog, row), held),
        published=tuple(_passage(hit) for hit in left),
        readers=readers,
        revocations=in_force,
        unit_context=unit_context(catalog, settings, row["connection"], row["unit"]),
        events=related_events(catalog, row["connection"], row["unit"], row["id"]),
        others=found.others,
        doubt=found.doubt,
        withdrawn_since=catalog.withdrawals.of_document(row["id"]),
        visibility=_visibility(filter, user, tokens, left, readers, in_force, unread) if user and tokens else None,
        ranks=() if query is None or index_error else _ranks(services, row["id"], query, user, tokens),
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


def _read_published(services: Services, document_id: str) -> tuple[Sequence[Hit], str | None]:
    """What is published of a document, whatever was taken away since; or why the index cannot tell."""
    try:
        return services.published.document(document_id, Filters(readers=None)), None
    except IndexStoreError as error:
        return (), str(error)


def _labels(services: Services) -> Callable[[str], Reader]:
    """What reader tokens stand for, as people read them."""
    names = {(state.connection, state.unit.id): state.unit.name for state in services.catalog.units.all()}
    of_connections = {one.id: source(one.source) for one in services.settings.connections}
    groups = services.catalog.memberships.names()
    return lambda token: reader(token, names, of_connections, groups)


def _unreadable_groups(catalog: Catalog, connection: str, readers: Sequence[Reader]) -> dict[str, str]:
    """Why it cannot be read who belongs to groups, by their tokens: to some of them, or, where the source does not even
    name them, to any."""
    failed = [
        one.error for one in catalog.failures.all() if (one.activity, one.connection) == ("memberships", connection)
    ]
    any_group = {one.token: error for error in failed for one in readers if one.grant == "group"}
    return any_group | {one.group: one.reason for one in catalog.memberships.unreadable(connection)}


def _visibility(
    filter: RevocationFilter,
    user: str,
    tokens: tuple[str, ...],
    hits: Sequence[Hit],
    readers: Sequence[Reader],
    in_force: Sequence[RevocationInForce],
    unreadable: Mapping[str, str],
) -> Visibility:
    found = visibility(user, tokens, readers, published=bool(hits), unreadable=unreadable)
    why = dict.fromkeys(one.reason for one in in_force if one.concerns(tokens))
    if hits and any(one.everybody for one in in_force) and not found.sees:
        return Visibility(user, False, (), f"nobody sees it: {'; '.join(why)}")
    if not found.sees or not hides_from(filter, hits, tokens):
        return found
    reasons = "; ".join(why) or "its text was replaced at the source, and the new one waits to be indexed"
    return Visibility(user, False, (), f"it is published for them, and revoked since: {reasons}")


def _ranks(
    services: Services, document_id: str, query: str, user: str | None, tokens: tuple[str, ...] | None
) -> tuple[Rank, ...]:
    asked_as = ((None, None), (user, tokens)) if user else ((None, None),)
    return tuple(find_rank(services, document_id, query, user=who, tokens=theirs) for who, theirs in asked_as)


def _passage(hit: Hit) -> Passage:
    text = " ".join(hit.payload["text"].split())
    opening = text if len(text) <= _OPENING else f"{text[:_OPENING]}…"
    return Passage(hit.payload["position"], tuple(hit.payload["headings"]), opening)


def _plain(value: Any) -> Any:
    """Lists and objects with times as text."""
    if isinstance(value, dict):
        return {_JSON_NAMES.get(name, name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime) else value
