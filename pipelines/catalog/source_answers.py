"""What a connector keeps of its source's answers, to ask only for what has changed since."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select

from pipelines.catalog import tables
from pipelines.catalog.statements import upsert


class SourceAnswers:
    """Of one connection. See `connectors.contract.AnswerCache`."""

    def __init__(self, engine: Engine, connection: str) -> None:
        self._engine = engine
        self._connection = connection

    def get(self, name: str) -> dict[str, Any] | None:
        table = tables.source_answers
        own = (table.c.connection == self._connection, table.c.name == name)
        with self._engine.connect() as transaction:
            return transaction.execute(select(table.c.kept).where(*own)).scalar()

    def put(self, name: str, kept: dict[str, Any]) -> None:
        row = {"connection": self._connection, "name": name, "kept": kept}
        with self._engine.begin() as transaction:
            upsert(transaction, tables.source_answers, [row], update=("kept",))
