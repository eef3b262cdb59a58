"""What people said of documents that they were answered with: good questions to measure the search by."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from sqlalchemy import Engine, select

from pipelines.catalog import tables
from pipelines.catalog.statements import upsert

Rating: TypeAlias = Literal["good", "bad"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """One document of one answer. `person` is whom it was found for, None for a service that asks for itself; `filters`
    are the question's as JSON, None where they do not say all by which the answer was narrowed."""

    request: str
    document: str
    rating: Rating
    query: str
    assistant: str
    person: str | None = None
    filters: str | None = "{}"
    comment: str = ""
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class FeedbackLog:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, given: Feedback) -> None:
        """What was said later of the same document of the same answer counts."""
        with self._engine.begin() as transaction:
            changed = ("rating", "comment", "created_at")
            upsert(transaction, tables.feedback, [asdict(given)], update=changed)

    def all(self) -> list[Feedback]:
        """The oldest first."""
        table = tables.feedback
        with self._engine.connect() as transaction:
            rows = transaction.execute(select(table).order_by(table.c.created_at, table.c.request, table.c.document))
            return [Feedback(**row._mapping) for row in rows]
