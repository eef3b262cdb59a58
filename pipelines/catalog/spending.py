"""Spending: what each connection has cost by day (UTC), in requests, tokens and money."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select

from pipelines.catalog import tables
from pipelines.catalog.statements import upsert
from pipelines.catalog.totals import Total, add_in

QUESTIONS = ""
"""Stands for a connection where questions are counted, which are none's."""
KEPT = timedelta(days=400)
"""How long days are kept: a year can be compared with the one before. A row for each day and connection."""


@dataclass(frozen=True, slots=True)
class Spent:
    """`source_requests` went to the source's API, `embedding_requests` to the embedding provider, those that failed
    included. `tokens` were answered, `unanswered_tokens` are under way, or were sent by a process that was killed
    before the answer came: the provider may have billed them. `cost_usd` is that of `tokens`."""

    source_requests: int = 0
    embedding_requests: int = 0
    tokens: int = 0
    unanswered_tokens: int = 0
    cost_usd: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def __sub__(self, other: Spent) -> Spent:
        return Spent(*(getattr(self, one.name) - getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Spending:
    """What was spent today, and in this month, today included."""

    today: Spent = field(default_factory=Spent)
    month: Spent = field(default_factory=Spent)


class SpendingLedger:
    """Safe to call from several threads. Beside the days, the totals of `/metrics` are counted."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, connection: str, spent: Spent) -> None:
        """Count what was spent now."""
        if spent != Spent():
            with self._engine.begin() as transaction:
                _increase(transaction, today(), connection, spent)

    def reserve(self, connection: str, tokens: int) -> date:
        """Count a request with so many tokens as sent; returns the day to `settle` it on."""
        day = today()
        with self._engine.begin() as transaction:
            _increase(transaction, day, connection, _sent(tokens))
        return day

    def reserve_within(self, connection: str, tokens: int, has_room: Callable[[Spending], bool]) -> date | None:
        """The same, if what was spent until now leaves room; None where it does not. Whoever else reserves for the
        connection waits meanwhile."""
        day = today()
        with self._engine.begin() as transaction:
            # The first statement takes the row, so that what is read after it is not older than what others wrote.
            _increase(transaction, day, connection, Spent())
            if not has_room(_read(transaction, day).get(connection, Spending())):
                return None
            _increase(transaction, day, connection, _sent(tokens))
        return day

    def settle(self, connection: str, day: date, reserved: int, spent: Spent) -> None:
        """What was reserved on a day has ended, and this was spent, the request itself included."""
        with self._engine.begin() as transaction:
            _increase(transaction, day, connection, spent - _sent(reserved))

    def of(self, connection: str) -> Spending:
        return self.current().get(connection, Spending())

    def current(self) -> dict[str, Spending]:
        """What was spent today and in this month, by connection."""
        with self._engine.connect() as transaction:
            return _read(transaction, today())

    def by_day(self, days: int) -> dict[str, dict[date, Spent]]:
        """What was spent on each of the last `days` days on which there was anything, by connection, newest first."""
        table = tables.spending
        since = (today() - timedelta(days=days - 1)).isoformat()
        statement = select(table.c.connection, table.c.day, *_figures()).where(table.c.day >= since)
        found: dict[str, dict[date, Spent]] = {}
        with self._engine.connect() as transaction:
            for connection, day, *figures in transaction.execute(statement.order_by(table.c.day.desc())):
                found.setdefault(connection, {})[date.fromisoformat(day)] = Spent(*figures)
        return found

    def prune(self) -> None:
        """Forget days that are older than is kept."""
        table = tables.spending
        is_old = table.c.day < (today() - KEPT).isoformat()
        with self._engine.connect() as reading:  # mostly there is none
            if reading.execute(select(table.c.day).where(is_old).limit(1)).first() is None:
                return
        with self._engine.begin() as transaction:
            transaction.execute(delete(table).where(is_old))


def _sent(tokens: int) -> Spent:
    """A request that is under way, with as many tokens as it was reserved."""
    return Spent(embedding_requests=1, unanswered_tokens=tokens)


def today() -> date:
    """In UTC, by which days are counted."""
    return datetime.now(UTC).date()


def _figures() -> list[ColumnElement[Any]]:
    return [tables.spending.c[one.name] for one in fields(Spent)]


def _increase(transaction: Connection, day: date, connection: str, spent: Spent) -> None:
    figures = asdict(spent)
    row = {"day": day.isoformat(), "connection": connection, **figures}
    upsert(transaction, tables.spending, [row], increase=figures)
    add_in(transaction, _totals(connection, spent) if connection else {})


def _totals(connection: str, spent: Spent) -> Mapping[Total, float]:
    return {
        Total("embedding_cost_usd", connection): spent.cost_usd,
        Total("embedding_requests", connection): spent.embedding_requests,
        Total("embedding_tokens", connection): spent.tokens,
        Total("requests", connection): spent.source_requests,
    }


def _read(transaction: Connection, day: date) -> dict[str, Spending]:
    table = tables.spending
    of_month = table.c.day.between(day.replace(day=1).isoformat(), day.isoformat())
    sums = [func.sum(one) for one in _figures()]
    found: dict[str, Spending] = {}
    months = transaction.execute(select(table.c.connection, *sums).where(of_month).group_by(table.c.connection))
    todays = transaction.execute(select(table.c.connection, *_figures()).where(table.c.day == day.isoformat()))
    of_today = {row[0]: Spent(*row[1:]) for row in todays}
    for connection, *figures in months:
        month = Spent(*(kind(value) for kind, value in zip((int, int, int, int, float), figures, strict=True)))
        found[connection] = Spending(of_today.get(connection, Spent()), month)
    return found
