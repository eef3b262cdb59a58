"""A complete listing of a unit against the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from uuid import uuid4

from connectors.contract import ListingEntry
from pipelines.catalog import Catalog
from pipelines.catalog.documents import DocumentState

_AT_ONCE = 500


@dataclass(slots=True)
class Compared:
    """`missed` are the ids of objects that the catalog does not know, or knows an older state of.

    The catalog's documents that the listing has named bear its name, `listing`.
    """

    listing: str
    missed: list[str] = field(default_factory=list)


def new_listing() -> str:
    """A name for a full listing that none before it had."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"


def compare(catalog: Catalog, listed: Iterable[ListingEntry]) -> Compared:
    """Go through a listing to its end. Raises SourceError where the source does not give all of it."""
    found = Compared(new_listing())
    for batch in _batches(listed):
        states = catalog.documents.states(one.document_id for one in batch)
        found.missed += [one.document_id for one in batch if missed(one, states.get(one.document_id))]
        catalog.documents.named([one.document_id for one in batch], found.listing)
    return found


def missed(listed: ListingEntry, state: DocumentState | None) -> bool:
    """Whether the catalog lacks this object, or what it is now."""
    if state is None or state.status == "deleted":
        return True
    newer = bool(listed.updated_at and state.updated_at and listed.updated_at > state.updated_at)
    return newer or bool(listed.fingerprint and state.fingerprint and listed.fingerprint != state.fingerprint)


def _batches(listed: Iterable[ListingEntry]) -> Iterator[Sequence[ListingEntry]]:
    remaining = iter(listed)
    while batch := list(islice(remaining, _AT_ONCE)):
        yield batch
