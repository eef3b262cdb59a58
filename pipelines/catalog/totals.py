"""Totals: what is counted beyond the life of one process, for `/metrics`. A sync ends before anybody could ask it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Literal, TypeAlias

from sqlalchemy import Connection, Engine, select

from pipelines.catalog import tables
from pipelines.catalog.statements import upsert

TotalName: TypeAlias = Literal[
    "requests",
    "documents",
    "chunks",
    "stage_seconds",
    "embedding_requests",
    "embedding_inputs",
    "embedding_cached",
    "embedding_tokens",
    "embedding_cost_usd",
    "errors",
    "events",
]


@dataclass(frozen=True, slots=True, order=True)
class Total:
    """What is counted. `connection` and `kind` are empty where it is not counted by them."""

    name: TotalName
    connection: str = ""
    kind: str = ""


class Totals:
    """They only grow, whichever process adds to them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, counted: Mapping[Total, float]) -> None:
        """Add these to what was counted before; nothing is written for zeros."""
        if any(counted.values()):
            with self._engine.begin() as transaction:
                add_in(transaction, counted)

    def all(self) -> dict[Total, float]:
        with self._engine.connect() as transaction:
            rows = transaction.execute(select(*(tables.totals.c[name] for name in _COLUMNS)))
            return {Total(name, connection, kind): value for name, connection, kind, value in rows}


def add_in(transaction: Connection, counted: Mapping[Total, float]) -> None:
    """Add these to what was counted before, in a transaction that counts something else as well."""
    # In one order for all: two processes that add to the same totals would wait for each other otherwise.
    rows = [dict(zip(_COLUMNS, (*astuple(one), counted[one]), strict=True)) for one in sorted(counted)]
    upsert(transaction, tables.totals, [row for row in rows if row["value"]], increase=("value",))


_COLUMNS = ("name", "connection", "kind", "value")
