"""What has been spent, by connection and day, and what budgets leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from connectors.contract import Finding
from connectors.settings import Connection
from pipelines.catalog import Catalog
from pipelines.catalog.budgets import BudgetUse, budget_of, budget_use, describe_waiting
from pipelines.catalog.spending import QUESTIONS, Spending, Spent
from pipelines.services import Services
from pipelines.settings import Settings

DAYS = 31
"""So many are shown."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one connection, or of questions. `days` has the last ones on which something was spent, the newest first, and
    `waiting` says how much waits for the `budget`, which questions have none of."""

    spending: Spending = field(default_factory=Spending)
    days: Mapping[date, Spent] = field(default_factory=dict)
    budget: BudgetUse | None = None
    waiting_documents: int = 0

    def as_json(self) -> dict[str, Any]:
        budget = self.budget and self.budget.as_json() | {"waiting_documents": self.waiting_documents}
        return {
            "today": figures(self.spending.today),
            "month": figures(self.spending.month),
            "days": [{"day": day.isoformat()} | figures(spent) for day, spent in self.days.items()],
            "budget": budget,
        }


def figures(spent: Spent) -> dict[str, Any]:
    """`requests` are those to the source."""
    found = asdict(spent)
    return {"requests": found.pop("source_requests"), **found, "cost_usd": round(spent.cost_usd, 6)}


def read_costs(catalog: Catalog, settings: Settings) -> dict[str, Costs]:
    """By connection of the settings, and those of questions."""
    current, days = catalog.spending.current(), catalog.spending.by_day(DAYS)
    held, price = catalog.loads.held_documents(), settings.embedding.price
    found: dict[str, Costs] = {}
    for connection, budget in [(QUESTIONS, None), *((one.id, one.budget) for one in settings.connections)]:
        spending = current.get(connection, Spending())
        use = budget_use(budget, spending, price) if budget else None
        waiting = held[connection].count if connection in held else 0
        found[connection] = Costs(spending, days.get(connection, {}), use, waiting)
    return found


def check_budget(services: Services, connection: Connection) -> Iterator[Finding]:
    """How much of a connection's budget is spent; one that documents wait for is no good."""
    catalog, settings = services.catalog, services.settings
    if use := budget_of(catalog, settings, connection.id):
        waiting = describe_waiting(catalog, settings, connection.id)
        yield Finding(f"{connection.id}: budget", not waiting, waiting or use.line)
