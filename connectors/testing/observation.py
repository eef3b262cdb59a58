"""What a connector said when it was asked: read once, looked at by many promises."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import httpx

from connectors.contract import (
    ATTACHMENT,
    Checkpoint,
    Connector,
    Cursor,
    Deleted,
    DocumentReaders,
    Item,
    ListingEntry,
    MembershipItem,
    ObjectItem,
    PartState,
)
from connectors.model import Document, Unit
from connectors.testing.case import Case

Fault: TypeAlias = Callable[[httpx.Request], httpx.Response | None]


@dataclass(frozen=True, slots=True)
class UnitRead:
    """All that a full read of a unit yielded, in order."""

    unit: Unit
    items: tuple[Item, ...]

    @property
    def checkpoints(self) -> list[tuple[int, Checkpoint]]:
        """Each with its place among the items."""
        return [(at, item) for at, item in enumerate(self.items) if isinstance(item, Checkpoint)]

    @property
    def objects(self) -> dict[str, ObjectItem]:
        return objects_of(self.items)

    @property
    def documents(self) -> list[Document]:
        return [item for item in self.items if isinstance(item, Document)]


class Observation:
    """Opens the case's connector, and keeps what it said of itself: a case stands still while it is looked at."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._transport = case.transport()
        self._connector = case.connect(self._transport)

    def close(self) -> None:
        self._connector.close()

    def change(self) -> str:
        """Changes an object at the source, and forgets what was said before; returns the object's id."""
        document_id = self.case.change()
        for name in ("units", "reads", "repeated", "resumptions", "entries", "memberships"):
            self.__dict__.pop(name, None)
        return document_id

    @property
    def connector(self) -> Connector:
        """The connector that all is read with that needs none of its own."""
        return self._connector

    @contextmanager
    def opened(self, transport: httpx.BaseTransport | None = None) -> Iterator[Connector]:
        """A connector that remembers nothing, as in another process."""
        with closing(self.case.connect(transport or self.case.transport())) as connector:
            yield connector

    @contextmanager
    def troubled(self, fault: Fault) -> Iterator[tuple[Connector, FaultyTransport]]:
        """A connector whose requests go through `fault`, until `is_on` of the transport is cleared."""
        transport = FaultyTransport(self.case.transport(), fault)
        with self.opened(transport) as connector:
            yield connector, transport

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        return tuple(self._connector.units())

    @cached_property
    def reads(self) -> tuple[UnitRead, ...]:
        return tuple(UnitRead(unit, tuple(self._connector.read(unit))) for unit in self.units)

    @cached_property
    def repeated(self) -> dict[str, list[Item]]:
        """What comes after the last checkpoint of a full read, by unit."""
        found: dict[str, list[Item]] = {}
        for read in self.reads:
            with self.opened() as connector:
                found[read.unit.id] = list(connector.read(read.unit, through_json(read.checkpoints[-1][1].cursor)))
        return found

    @cached_property
    def resumptions(self) -> dict[tuple[str, int], list[Item]]:
        """What comes after each checkpoint on the way, by the unit and the checkpoint's place among its items."""
        found: dict[tuple[str, int], list[Item]] = {}
        for read in self.reads:
            for at, checkpoint in read.checkpoints[:-1]:
                with self.opened() as connector:
                    found[read.unit.id, at] = list(connector.read(read.unit, through_json(checkpoint.cursor)))
        return found

    @cached_property
    def entries(self) -> dict[str, list[ListingEntry]]:
        """Listings, by unit."""
        return {
            unit.id: [entry for entry in self._connector.listing(unit) if not isinstance(entry, PartState)]
            for unit in self.units
        }

    @cached_property
    def memberships(self) -> list[MembershipItem]:
        return list(self._connector.memberships())

    @property
    def documents(self) -> Iterator[Document]:
        for read in self.reads:
            yield from read.documents

    @property
    def largest(self) -> UnitRead:
        """The unit with the most objects."""
        return max(self.reads, key=lambda read: len(read.objects))


class FaultyTransport(httpx.BaseTransport):
    """Answers those requests itself that `fault` has an answer for, and counts them."""

    def __init__(self, inner: httpx.BaseTransport, fault: Fault) -> None:
        self.is_on = True
        self.refused = 0
        self._inner = inner
        self._fault = fault

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        answer = self._fault(request) if self.is_on else None
        if answer is None:
            return self._inner.handle_request(request)
        self.refused += 1
        return answer

    def close(self) -> None:
        self._inner.close()


def id_of(item: Item | DocumentReaders) -> str:
    """The id that an item is about; empty for a checkpoint and the state of a part."""
    match item:
        case Document():
            return item.id
        case Checkpoint() | PartState():
            return ""
    return item.document_id


def objects_of(items: tuple[Item, ...] | list[Item]) -> dict[str, ObjectItem]:
    """What was said last of each object, as the landing keeps it; those that are gone are left out."""
    said = {id_of(item): item for item in items if not isinstance(item, Checkpoint | PartState)}
    return {key: item for key, item in said.items() if not isinstance(item, Deleted)}


def is_attachment(document_id: str, objects: Mapping[str, ObjectItem]) -> bool:
    """Whether the object came with another one among `objects`: a file that stands for itself may have such an id."""
    return ATTACHMENT in document_id and document_id.partition(ATTACHMENT)[0] in objects


def through_json(cursor: Cursor) -> Cursor:
    """A cursor as another process gets it."""
    found: Cursor = json.loads(json.dumps(cursor))
    return found


def differences(before: dict[str, ObjectItem], after: dict[str, ObjectItem]) -> list[str]:
    """Ids of objects that are missing on one side, or of another kind or version there."""
    return sorted(key for key in before.keys() | after.keys() if _state(before.get(key)) != _state(after.get(key)))


def _state(item: ObjectItem | None) -> tuple[str, str]:
    return type(item).__name__, item.version if isinstance(item, Document) else ""
