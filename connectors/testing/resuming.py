"""What is promised of reads that go on from a cursor, and of windows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from connectors.contract import ChangedUnits, Checkpoint, Deleted, PartState, Window
from connectors.model import Document
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


@promise("where nothing changed, a read with the cursor yields nothing, or the same again")
def _unchanged(seen: Observation) -> Iterator[str]:
    for read in seen.reads:
        again = seen.repeated[read.unit.id]
        if not again or not isinstance(again[-1], Checkpoint):
            yield f"{read.unit.id}: it does not end with a checkpoint"
        for item in again:
            # What was gone before may be told once more: it is in nobody's ledger.
            told_before = isinstance(item, Deleted) and item.document_id not in read.objects
            if (
                not isinstance(item, Checkpoint | PartState)
                and not told_before
                and read.objects.get(id_of(item)) != item
            ):
                yield f"{read.unit.id}: {id_of(item)} came as {type(item).__name__}, and is not what was read"


@promise("a read with a cursor claims no complete listing, unless it ends one that was interrupted")
def _no_claim(seen: Observation) -> Iterator[str]:
    for read in seen.reads:
        if any(isinstance(item, Checkpoint) and item.complete for item in seen.repeated[read.unit.id]):
            yield f"{read.unit.id}: complete, with the cursor of a read that had ended"
        for at, _ in read.checkpoints[:-1]:
            early = seen.resumptions[read.unit.id, at][:-1]
            if any(isinstance(item, Checkpoint) and item.complete for item in early):
                yield f"{read.unit.id}, resumed after item {at}: complete before the end"


@promise("units with changes are told for less than a listing; reads after them claim none, and yield the same again")
def _changed_units(seen: Observation) -> Iterator[str]:
    with seen.opened() as listing, seen.opened() as connector:
        if not isinstance(connector, ChangedUnits):
            return
        listed = {unit.id: unit for unit in listing.units()}
        for unit in connector.changed_units([_last_cursor(read) for read in seen.reads]):
            if listed.get(unit.id) != unit:
                yield f"{unit} has changes, and is listed as {listed.get(unit.id)}"
        if connector.requests > listing.requests:
            yield f"{connector.requests} requests, and {listing.requests} for a listing"
        for read in seen.reads:
            items = list(connector.read(read.unit, _last_cursor(read)))
            if any(isinstance(item, Checkpoint) and item.complete for item in items):
                yield f"{read.unit.id}: complete, after no listing"
            for key, item in objects_of(items).items():
                if read.objects.get(key) != item:
                    yield f"{read.unit.id}: {key} came, and is not what was read"


@promise("where nothing changed, a read with the cursor costs less than a full one")
def _cheap(seen: Observation) -> Iterator[str]:
    read = seen.largest
    with seen.opened() as full, seen.opened() as warm:
        list(full.read(read.unit))
        again = list(warm.read(read.unit, _last_cursor(read)))
    if warm.requests >= full.requests:
        yield f"{read.unit.id}: {warm.requests} requests with the cursor, {full.requests} without"
    if len(objects_of(again)) == len(read.objects) > 1:
        yield f"{read.unit.id}: all {len(read.objects)} objects came again"


@promise("a read that is interrupted after any checkpoint ends with the same objects")
def _resumption(seen: Observation) -> Iterator[str]:
    for read in seen.reads:
        for at, _ in read.checkpoints[:-1]:
            rest = seen.resumptions[read.unit.id, at]
            if not rest or not isinstance(rest[-1], Checkpoint):
                yield f"{read.unit.id}, resumed after item {at}: it does not end with a checkpoint"
            if lost := differences(read.objects, objects_of([*read.items[:at], *rest])):
                yield f"{read.unit.id}, resumed after item {at}: {', '.join(lost)}"


@promise("the cursor after a resumption is as good as any")
def _second_resumption(seen: Observation) -> Iterator[str]:
    read = seen.largest
    at, checkpoint = read.checkpoints[len(read.checkpoints) // 2]
    with seen.opened() as connector:
        rest = list(connector.read(read.unit, through_json(checkpoint.cursor)))
        last = next(item for item in reversed(rest) if isinstance(item, Checkpoint))
        again = objects_of(list(connector.read(read.unit, through_json(last.cursor))))
    if changed := [key for key, item in again.items() if read.objects.get(key) != item]:
        yield f"{read.unit.id}, resumed after item {at} and read again: {', '.join(changed)}"
    if len(again) == len(read.objects) > 1:
        yield f"{read.unit.id}, resumed after item {at} and read again: all objects came once more"


@promise("a resumption does not repeat what was complete long before")
def _progress(seen: Observation) -> Iterator[str]:
    read = seen.largest
    for at, _ in read.checkpoints[:-1]:
        done = len(objects_of(read.items[:at]))
        again = len(objects_of(seen.resumptions[read.unit.id, at]))
        if done > len(read.objects) // 2 and again >= len(read.objects):
            yield f"{read.unit.id}, resumed after item {at}: all objects came again, of which {done} were complete"


@promise("a window yields what lies inside, and nothing that lies outside")
def _windows(seen: Observation) -> Iterator[str]:
    for read in seen.reads:
        for window in _windows_of(read.documents):
            found = objects_of(list(seen.connector.read(read.unit, None, window)))
            for document in read.documents:
                if is_attachment(document.id, read.objects):  # it comes when its document does
                    continue
                begun, changed = document.created_at or document.updated_at, document.updated_at
                inside = {moment in window for moment in (begun, changed)}
                # What lies across a bound may come or not: not every source finds by the time of a change.
                if inside == {True} and document.id not in found:
                    yield f"{document.id}, changed {changed}, is missing from {_shown(window)}"
                if inside == {False} and document.id in found and not _around(begun, changed, window):
                    yield f"{document.id}, begun {begun} and changed {changed}, is in {_shown(window)}"


@promise("a window claims no complete listing, and deletes nothing")
def _incomplete(seen: Observation) -> Iterator[str]:
    for read in seen.reads:
        items = list(seen.connector.read(read.unit, None, Window(since=datetime(1990, 1, 1, tzinfo=UTC))))
        if not items or not isinstance(items[-1], Checkpoint):
            yield f"{read.unit.id}: it does not end with a checkpoint"
        if any(isinstance(item, Checkpoint) and item.complete for item in items):
            yield f"{read.unit.id}: a checkpoint is complete"
        if gone := [item.document_id for item in items if isinstance(item, Deleted)]:
            yield f"{read.unit.id}: {', '.join(gone)} deleted"


def _last_cursor(read: UnitRead) -> dict[str, object]:
    return through_json(read.checkpoints[-1][1].cursor)


def _windows_of(documents: list[Document]) -> list[Window]:
    """Before all, after all, around all, and either side of the middle; bounds at midnight, UTC.

    Sources that put the messages of a day into one document can be asked for whole days only.
    """
    changed = sorted(document.updated_at for document in documents if document.updated_at)
    if not changed:
        return []
    begun = min(document.created_at or changed[0] for document in documents)
    first, middle, last = (_midnight(moment) for moment in (begun, changed[len(changed) // 2], changed[-1]))
    after = last + timedelta(days=1)
    return [
        Window(until=first),
        Window(since=after),
        Window(since=first, until=after),
        Window(since=middle),
        Window(until=middle),
    ]


def _around(begun: datetime | None, changed: datetime | None, window: Window) -> bool:
    """Whether something began before a window and was changed after it."""
    return bool(begun and changed and window.since and window.until and begun < window.since and changed > window.until)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _shown(window: Window) -> str:
    return f"the window from {window.since} to {window.until}"


PROMISES: tuple[Promise, ...] = (
    _unchanged,
    _no_claim,
    _changed_units,
    _cheap,
    _resumption,
    _second_resumption,
    _progress,
    _windows,
    _incomplete,
)
