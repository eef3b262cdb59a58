"""What matches: filters as conditions that each store translates, and hits that go together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from pipelines.index.conditions import Alternatives, AnyOf, Conditions, First, TimeRange
from pipelines.index.contract import Exclusion, Filters, Hit


def conditions(filters: Filters) -> Conditions:
    """The conditions of some filters. Readers are left out for an administrator (None) alone."""
    must: list[AnyOf | TimeRange | First | Alternatives] = []
    if filters.readers is not None:
        must.append(AnyOf("readers", filters.readers))
    must += _sources(filters)
    must += _any_of(
        ("connection", filters.connections),
        ("unit", filters.units),
        ("kind", filters.kinds),
        ("author", filters.authors),
        ("document_id", filters.documents),
        ("parents", filters.parents_in),
        ("parents", filters.scope_parents),
        ("tags", filters.tags_in),
    )
    if filters.updated_after or filters.updated_before:
        must.append(TimeRange("updated_at", _timestamp(filters.updated_after), _timestamp(filters.updated_before)))
    must_not = _any_of(("parents", filters.parents_not), ("tags", filters.tags_not))
    also = filters.also
    return Conditions((*must, *also.must), (*must_not, *also.must_not, *map(_covered, filters.exclusions)))


def _covered(exclusion: Exclusion) -> Conditions:
    """What an exclusion covers."""
    own = _any_of(
        ("connection", (exclusion.connection,) if exclusion.connection else ()),
        ("unit", exclusion.units),
        ("document_id", exclusion.documents),
    )
    return Conditions(tuple(own), tuple(_any_of(("readers", exclusion.unless_readers))))


def visible(filters: Filters) -> Conditions:
    """The conditions of all that the asker may see, within the scope, whatever the question asks for.

    The rarity of words (IDF) is counted over these points. Over more, scores would tell which words stand in hidden
    documents and in how many; over fewer, a word would weigh otherwise with every filter.
    """
    return conditions(
        Filters(
            readers=filters.readers,
            scope_sources=filters.scope_sources,
            scope_parents=filters.scope_parents,
            exclusions=filters.uncounted,
        )
    )


def first_points(filters: Filters) -> Conditions:
    """The conditions of some filters on the first points of documents."""
    where = conditions(filters)
    return Conditions((*where.must, First()), where.must_not)


def matches_nothing(filters: Filters) -> bool:
    """Whether no point can match: the asker has no reader token at all, or asks for sources outside the scope."""
    return any(isinstance(one, AnyOf) and not one.values for one in conditions(filters).must)


def document_conditions(document_ids: Sequence[str]) -> Conditions:
    """The conditions that all points of these documents meet, and no others."""
    return Conditions(must=(AnyOf("document_id", tuple(document_ids)),))


def unit_conditions(connection: str, unit: str) -> Conditions:
    """The conditions that all points of this unit meet, and no others: other connections may have units of that id."""
    return Conditions(must=(AnyOf("connection", (connection,)), AnyOf("unit", (unit,))))


def connection_conditions(connection: str) -> Conditions:
    """The conditions that all points of this connection meet, and no others."""
    return Conditions(must=(AnyOf("connection", (connection,)),))


def within_document(where: Conditions, document_id: str) -> Conditions:
    """The same conditions, on the points of one document."""
    return Conditions((*where.must, *document_conditions([document_id]).must), where.must_not)


def best_first(hits: Iterable[Hit]) -> list[Hit]:
    """Hits by score, and by id where scores are equal: the engines leave those in an order that is chance."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.id))


def one_version(hits: Sequence[Hit]) -> list[Hit]:
    """The hits of one version of each document, the one updated last.

    The index holds two versions while a document is being written, and after a writer was killed in between.
    """
    newest: dict[str, tuple[str, str]] = {}
    for hit in hits:
        document_id = hit.payload["document_id"]
        newest[document_id] = max(newest.get(document_id, ("", "")), _version(hit))
    return [hit for hit in hits if _version(hit) == newest[hit.payload["document_id"]]]


def by_position(hits: Sequence[Hit]) -> list[Hit]:
    """Points of a document in the order of its text."""
    return sorted(hits, key=lambda hit: (hit.payload.get("position", 0), hit.id))


def _sources(filters: Filters) -> list[AnyOf]:
    """One condition for the sources asked for and those of the scope, none if all are meant."""
    asked, scope = filters.sources, filters.scope_sources
    if asked and scope:
        return [AnyOf("source", tuple(source for source in asked if source in scope))]
    return _any_of(("source", asked or scope))


def _any_of(*fields: tuple[str, tuple[str, ...]]) -> list[AnyOf]:
    return [AnyOf(field, values) for field, values in fields if values]


def _timestamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC; a time without a zone is taken for UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _version(hit: Hit) -> tuple[str, str]:
    return hit.payload.get("updated_at") or "", hit.payload.get("version") or ""
