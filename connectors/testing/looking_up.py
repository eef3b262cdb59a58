"""What is promised of listings, of objects that are fetched by their ids, and of memberships."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from connectors.addresses import find_address
from connectors.contract import (
    CachedMemberships,
    Checkpoint,
    Deleted,
    EmptyGroup,
    GroupName,
    Item,
    PartState,
    UnreadableGroup,
)
from connectors.model import Document, group_token
from connectors.testing.observation import (
    Observation,
    UnitRead,
    differences,
    id_of,
    is_attachment,
    objects_of,
    through_json,
)
from connectors.testing.promise import Promise, promise

AT_ONCE = 12
"""So many objects of a unit are fetched and looked up, spread over what was read: enough for every kind of object."""


@promise("a listing names each object that a read yields, and no other")
def _listing(seen: Observation) -> Iterator[str]:
    for read in seen.reads:
        named = Counter(entry.document_id for entry in seen.entries[read.unit.id])
        for document_id, times in named.items():
            if times > 1:
                yield f"{read.unit.id}: {document_id} is named {times} times"
            if document_id not in read.objects:
                yield f"{read.unit.id}: {document_id} is named, and was not read"
        for document_id in read.objects:
            # An attachment goes when its document goes: listings need not name it.
            if document_id not in named and not is_attachment(document_id, read.objects):
                yield f"{read.unit.id}: {document_id} was read, and is not named"


@promise("a listing's times and fingerprints are those of the documents")
def _entries(seen: Observation) -> Iterator[str]:
    documents = {document.id: document for document in seen.documents}
    for entry in (entry for entries in seen.entries.values() for entry in entries):
        document = documents.get(entry.document_id)
        if document is None:
            continue
        if entry.updated_at is not None and entry.updated_at != document.updated_at:
            yield f"{document.id}: updated {document.updated_at}, and in the listing {entry.updated_at}"
        if entry.fingerprint and entry.fingerprint != document.fingerprint:
            yield f"{document.id}: fingerprint {document.fingerprint!r}, and in the listing {entry.fingerprint!r}"


@promise("fetch yields one item for each id, and beside them nothing but their attachments")
def _one_each(seen: Observation) -> Iterator[str]:
    for read in seen.reads:
        asked = [*_some(read), seen.case.absent_id(read.unit)]
        found = Counter(id_of(item) for item in _fetched(seen, read, asked))
        for document_id in asked:
            # An attachment comes for itself, and may come with its document too.
            if found[document_id] != 1 and not (found[document_id] and is_attachment(document_id, read.objects)):
                yield f"{document_id} was asked for, and came {found[document_id]} times"
        for document_id in found.keys() - set(asked):
            if not any(document_id.startswith(f"{one}/") for one in asked):
                yield f"{document_id!r} was not asked for"


@promise("fetch yields the version that read yielded")
def _same_version(seen: Observation) -> Iterator[str]:
    for read in seen.reads:
        asked = _some(read)
        found = objects_of(_fetched(seen, read, asked))
        expected = {key: item for key, item in read.objects.items() if key in asked}
        for key in differences(expected, {key: item for key, item in found.items() if key in asked}):
            yield f"{key} is another"
        for key, item in expected.items():
            other = found.get(key)
            if isinstance(item, Document) and isinstance(other, Document) and item.fingerprint != other.fingerprint:
                yield f"{key}: fingerprint {other.fingerprint!r}, and {item.fingerprint!r} when it was read"


@promise("fetch says of what is not there that it is deleted")
def _deleted(seen: Observation) -> Iterator[str]:
    for read in seen.reads:
        absent = seen.case.absent_id(read.unit)
        if (found := _fetched(seen, read, [absent])) != [Deleted(absent)]:
            yield f"{absent}: {found}"
        if found := _fetched(seen, read, []):
            yield f"{read.unit.id}: asked for nothing, it yields {found}"


@promise("unit_of names the unit of each object")
def _unit_of(seen: Observation) -> Iterator[str]:
    with seen.opened() as connector:  # a webhook may be the first to ask
        for read in seen.reads:
            for document_id in _some(read):
                if (unit := connector.unit_of(document_id)) != read.unit.id:
                    yield f"{document_id} is in {read.unit.id}, and unit_of says {unit!r}"


@promise("unit_of knows no unit of what is not there, and of other connections' ids")
def _no_unit(seen: Observation) -> Iterator[str]:
    connection, prefix = seen.case.connection, seen.case.prefix
    path = next(iter(seen.largest.objects)).removeprefix(prefix)
    others = (
        f"{prefix}nothing/at/all",
        f"{connection.source}:{connection.id}-other/{path}",
        f"other:{connection.id}/{path}",
    )
    for document_id in others:
        if (unit := seen.connector.unit_of(document_id)) is not None:
            yield f"{document_id}: {unit!r}"
    for unit_read in seen.units:
        absent = seen.case.absent_id(unit_read)
        if (unit := seen.connector.unit_of(absent)) not in (None, unit_read.id):
            yield f"{absent}: {unit!r}"


@promise("memberships are of groups that reader tokens name, one group after the other, and of addresses, once each")
def _memberships(seen: Observation) -> Iterator[str]:
    connection = seen.case.connection.id
    named = {token for document in seen.documents for token in document.readers}
    named |= {token for unit in seen.units for token in unit.readers}
    for group, times in Counter(group for group, _ in groupby(one.group for one in seen.memberships)).items():
        if times > 1:
            yield f"{group}: its members come in {times} parts"
    for membership, times in Counter(seen.memberships).items():
        if isinstance(membership, UnreadableGroup):
            yield f"{membership}, although the server answers"
            continue
        if times > 1:
            yield f"{membership} came {times} times"
        if isinstance(membership, EmptyGroup | GroupName):
            continue
        if find_address(membership.email) is None:
            yield f"{membership}: not an address"
        if group_token(connection, membership.group) not in named:
            yield f"{membership}: no reader token names this group"


@promise("memberships that are read with what was kept of the time before are those that are read without")
def _cached_memberships(seen: Observation) -> Iterator[str]:
    connector, kept = seen.connector, KeptGroups()
    if not isinstance(connector, CachedMemberships):
        return
    for time in ("first", "second"):
        found = list(connector.cached_memberships(kept))
        if set(found) != set(seen.memberships):
            yield f"the {time} time: {found}, and without {seen.memberships}"


class KeptGroups:
    """What is kept comes back as JSON holds it."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, Any]] = {}

    def get(self, group: str) -> dict[str, Any] | None:
        return self._kept.get(group)

    def put(self, group: str, kept: dict[str, Any]) -> None:
        self._kept[group] = through_json(kept)

    def all(self) -> dict[str, dict[str, Any] | None]:
        return dict(self._kept)


def _fetched(seen: Observation, read: UnitRead, document_ids: list[str]) -> list[Item]:
    return [
        item for item in seen.connector.fetch(read.unit, document_ids) if not isinstance(item, Checkpoint | PartState)
    ]


def _some(read: UnitRead) -> list[str]:
    """Ids of objects that stand for themselves, and of attachments, from the first read to the last."""
    ids = list(read.objects)
    return ids[:: max(1, len(ids) // AT_ONCE)]


PROMISES: tuple[Promise, ...] = (
    _listing,
    _entries,
    _one_each,
    _same_version,
    _deleted,
    _unit_of,
    _no_unit,
    _memberships,
    _cached_memberships,
)
