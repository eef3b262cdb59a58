"""What is promised of a server on which something changed since it was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.contract import (
    ChangedUnits,
    ChangeItem,
    ComparesContents,
    Connector,
    LandedContent,
    ObjectItem,
    RightsFeed,
    SameContent,
)
from connectors.model import Document
from connectors.testing.observation import Observation, UnitRead, differences, id_of, objects_of, through_json
from connectors.testing.promise import Promise, promise


@promise("what changed at the source comes with the next read with the cursor, as a full read has it")
def _change(seen: Observation) -> Iterator[str]:
    before = seen.reads
    document_id = seen.change()
    read = next((one for one in before if document_id in one.objects), None)
    if read is None:
        yield f"{document_id} was changed, and was in no unit before"
        return
    with seen.opened() as connector:
        changes = objects_of(list(connector.read(read.unit, through_json(read.checkpoints[-1][1].cursor))))
        full = objects_of(list(connector.read(read.unit)))
        rights = _named_by_rights(connector, read)
    yield from _after_changed_units(seen, before, read, changes)
    if not isinstance(changes.get(document_id), Document):
        yield f"{document_id} was changed, and came as {changes.get(document_id)}"
    elif not differences({document_id: read.objects[document_id]}, {document_id: changes[document_id]}):
        yield f"{document_id} was changed, and came as it was"
    if rights is not None and document_id not in rights:
        yield f"{document_id} was changed, and rights that are read alone do not name it"
    for key in differences(full, read.objects | changes):
        yield f"{key} is another after a read with the cursor than after a full one"
    yield from _where_contents_are_compared(seen, read, full)


def _where_contents_are_compared(seen: Observation, read: UnitRead, full: dict[str, ObjectItem]) -> Iterator[str]:
    """What was read before is known: what comes without its content is what a full read has, and has not changed."""
    with seen.opened() as connector:
        if not isinstance(connector, ComparesContents):
            return
        told = list(_compared(connector, read))
    same = {item.document_id: item for item in told if isinstance(item, SameContent)}
    for key, item in same.items():
        now = full.get(key)
        if not isinstance(now, Document) or item != SameContent.of(now):
            yield f"{key} came without its content, as {item}, and is {now}"
    others = objects_of([item for item in told if not isinstance(item, SameContent)])
    for key in differences(full, read.objects | others):
        yield f"{key} is another after a read that compares contents than after a full one"


def _compared(connector: ComparesContents, read: UnitRead) -> Iterator[ChangeItem]:
    """What has changed since a read, of which all is landed that has a key."""
    landed = {one.id: LandedContent(one.content_key, one.readers) for one in read.documents if one.content_key}
    cursor = through_json(read.checkpoints[-1][1].cursor)
    return connector.read_changes(read.unit, cursor, lambda ids: {key: landed[key] for key in ids if key in landed})


def _named_by_rights(connector: Connector, read: UnitRead) -> set[str] | None:
    """What rights that are read alone name since a read; None where they cannot be."""
    if not isinstance(connector, RightsFeed):
        return None
    cursor = through_json(read.checkpoints[-1][1].cursor)
    return {id_of(item) for item in connector.read_rights(read.unit, cursor)}


def _after_changed_units(
    seen: Observation, before: Sequence[UnitRead], changed: UnitRead, changes: dict[str, ObjectItem]
) -> Iterator[str]:
    """Where units in which something has changed are told without a listing: what these and their reads lack."""
    cursors = {read.unit.id: through_json(read.checkpoints[-1][1].cursor) for read in before}
    with seen.opened() as connector:
        if not isinstance(connector, ChangedUnits):
            return
        if changed.unit.id not in {unit.id for unit in connector.changed_units(list(cursors.values()))}:
            yield f"something was changed in {changed.unit.id}, which is not among the units with changes"
        found = objects_of(list(connector.read(changed.unit, cursors[changed.unit.id])))
    for key in differences(changes, found):
        yield f"{key} is another where units with changes were asked for before"


PROMISES: tuple[Promise, ...] = (_change,)
