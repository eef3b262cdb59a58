"""Cutting changes into batches of bounded size. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from pipelines.index.contract import DocumentChange, PayloadUpdate, Point

Step: TypeAlias = Point | PayloadUpdate | str
"""A point to write or to update, or the id of a stale one."""


@dataclass(slots=True)
class Batch:
    """Steps of one or more documents, to be done in this order: points, updates, stale."""

    points: list[Point] = field(default_factory=list)
    updates: list[PayloadUpdate] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    documents: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.points) + len(self.updates) + len(self.stale)

    def add(self, document_id: str, step: Step) -> None:
        self.documents.add(document_id)
        if isinstance(step, Point):
            self.points.append(step)
        elif isinstance(step, PayloadUpdate):
            self.updates.append(step)
        else:
            self.stale.append(step)


def batches(changes: Iterable[DocumentChange], size: int) -> Iterator[Batch]:
    """At most `size` steps each, in an order that keeps each document's own.

    A second change of a document starts another batch: it may bring back a point that the first removes.
    """
    batch = Batch()
    for change in changes:
        if change.document_id in batch.documents:
            yield batch
            batch = Batch()
        steps: list[Step] = [*change.points, *change.updates, *change.stale]
        for step in steps:
            if len(batch) == size:
                yield batch
                batch = Batch()
            batch.add(change.document_id, step)
    if batch.documents:
        yield batch
