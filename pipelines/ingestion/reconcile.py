"""A complete listing of a unit against the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from uuid import uuid4

from connectors.contract import ListingEntry, PartState
from pipelines.catalog import Catalog
from pipelines.catalog.documents import DocumentState

_AT_ONCE = 500


@dataclass(slots=True)
class Reconciliation:
    """What a listing shows that began at `since`. `missed` are ids of objects that the catalog lacks or knows only an
    older state of.

    In the catalog, the documents that are in the listing are marked with its name, `listing`. `parts` are those of the
    unit that the listing told of.
    """

    listing: str
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    missed: list[str] = field(default_factory=list)
    parts: list[PartState] = field(default_factory=list)


def new_listing() -> str:
    """A unique name for a full listing."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"


def compare_listing(
    catalog: Catalog, connection: str, unit: str, listed: Iterable[ListingEntry | PartState]
) -> Reconciliation:
    """Go through the listing of a unit to its end. Raises SourceError where the source does not give all of it."""
    found = Reconciliation(new_listing())
    for batch in _batches(_entries(listed, found.parts)):
        states = catalog.documents.states(entry.document_id for entry in batch)
        paths = {entry.document_id: entry.parents for entry in batch if entry.parents is not None}
        catalog.parents.record(connection, unit, paths)
        found.missed += [entry.document_id for entry in batch if is_missed(entry, states.get(entry.document_id), unit)]
        own = [one.document_id for one in batch if (state := states.get(one.document_id)) and state.unit == unit]
        catalog.documents.mark_listed(own, found.listing, found.since)
    return found


def is_missed(entry: ListingEntry, state: DocumentState | None, unit: str) -> bool:
    """Whether the catalog lacks this object of a unit, or knows only an older state of it, or one in another unit."""
    if state is None or state.status == "deleted" or state.is_elsewhere(unit):
        return True
    is_newer = bool(entry.updated_at and state.updated_at and entry.updated_at > state.updated_at)
    return is_newer or bool(entry.fingerprint and state.fingerprint and entry.fingerprint != state.fingerprint)


def _entries(listed: Iterable[ListingEntry | PartState], parts: list[PartState]) -> Iterator[ListingEntry]:
    """The objects of a listing; the parts that it tells of are added to `parts`."""
    for one in listed:
        if isinstance(one, PartState):
            parts.append(one)
        else:
            yield one


def _batches(entries: Iterable[ListingEntry]) -> Iterator[Sequence[ListingEntry]]:
    remaining = iter(entries)
    while batch := list(islice(remaining, _AT_ONCE)):
        yield batch
