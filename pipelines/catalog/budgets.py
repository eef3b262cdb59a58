"""Budgets: what may still be embedded of a connection, by what it has cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.settings import Budget
from pipelines.catalog.spending import Spending, today
from pipelines.errors import BudgetSpent
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.catalog import Catalog

SHARE_OF_A_REQUEST = 1 / 100
"""How much of a budget one request may take: so much, at the most, is spent beyond it."""


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """What a connection has spent of its budget. `price` is in US dollars per million tokens, `day` in UTC.

    What is under way counts as spent, and so does what killed processes have sent: it may have been billed.
    """

    budget: Budget
    spending: Spending
    price: float
    day: date

    @property
    def spent_usd(self) -> float:
        """In this month."""
        month = self.spending.month
        return month.cost_usd + month.unanswered_tokens * self.price / 1e6

    @property
    def spent_tokens(self) -> int:
        """On this day."""
        return self.spending.today.tokens + self.spending.today.unanswered_tokens

    @property
    def tokens_left(self) -> int:
        """Below 0 where more was spent than may be."""
        left = []
        if self.budget.tokens_per_day is not None:
            left.append(self.budget.tokens_per_day - self.spent_tokens)
        if self.budget.usd_per_month is not None and self.price:
            left.append(round((self.budget.usd_per_month - self.spent_usd) / self.price * 1e6))
        return min(left)

    @property
    def used(self) -> dict[str, float]:
        """The spent share of each limit, by its name in the settings: 1 is all of it."""
        found = {}
        if self.budget.usd_per_month is not None:
            found["usd_per_month"] = self.spent_usd / self.budget.usd_per_month
        if self.budget.tokens_per_day is not None:
            found["tokens_per_day"] = self.spent_tokens / self.budget.tokens_per_day
        return found

    @property
    def is_spent(self) -> bool:
        return self._is_day_spent or self._is_month_spent

    @property
    def resumes_at(self) -> datetime | None:
        """When there is room again; None where there is."""
        day, following = self.day, None
        if self._is_day_spent:
            following = day + timedelta(days=1)
        if self._is_month_spent:
            following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        return datetime(following.year, following.month, following.day, tzinfo=UTC) if following else None

    @property
    def line(self) -> str:
        """How much of it is spent, in words."""
        said = []
        if self.budget.usd_per_month is not None:
            said.append(f"${self.spent_usd:.4g} of ${self.budget.usd_per_month:g} in this month")
        if self.budget.tokens_per_day is not None:
            said.append(f"{self.spent_tokens:,} of {self.budget.tokens_per_day:,} tokens today (UTC)")
        return " and ".join(said)

    @property
    def continuation(self) -> str:
        """When what waits goes on."""
        moment = self.resumes_at
        when = f"from {moment:%Y-%m-%d %H:%M} UTC on, or once `budget` is raised" if moment else "with the next sync"
        return f"goes on by itself {when}"

    def as_json(self) -> dict[str, Any]:
        return {
            "usd_per_month": self.budget.usd_per_month,
            "tokens_per_day": self.budget.tokens_per_day,
            "spent_usd": round(self.spent_usd, 6),
            "spent_tokens": self.spent_tokens,
            "line": self.line,
            "is_spent": self.is_spent,
            "resumes_at": self.resumes_at.isoformat() if self.resumes_at else None,
        }

    @property
    def _is_day_spent(self) -> bool:
        return self.budget.tokens_per_day is not None and self.spent_tokens >= self.budget.tokens_per_day

    @property
    def _is_month_spent(self) -> bool:
        return self.budget.usd_per_month is not None and self.spent_usd >= self.budget.usd_per_month


def budget_use(budget: Budget, spending: Spending, price: float) -> BudgetUse:
    """What is spent of a budget at this moment."""
    return BudgetUse(budget, spending, price, today())


def tokens_per_request(budget: Budget, price: float) -> int:
    """The most that one request may have under a budget; a longer text is a request of its own."""
    whole = BudgetUse(budget, Spending(), price, date.min).tokens_left
    return max(int(whole * SHARE_OF_A_REQUEST), 1)


def budget_of(catalog: Catalog, settings: Settings, connection: str) -> BudgetUse | None:
    """What is spent of a connection's budget at this moment; None where it has none."""
    budget = settings.budget(connection)
    return budget_use(budget, catalog.spending.of(connection), settings.embedding.price) if budget else None


def has_room(catalog: Catalog, settings: Settings, connection: str) -> bool:
    """Whether anything may be embedded of a connection now."""
    use = budget_of(catalog, settings, connection)
    return use is None or not use.is_spent


def describe_waiting(catalog: Catalog, settings: Settings, connection: str) -> str:
    """How many documents of a connection wait for its budget, and until when. Empty if there is none."""
    held = catalog.loads.held_documents().get(connection)
    if held is None:
        return ""
    use = budget_of(catalog, settings, connection)
    spent, goes_on = (use.line, use.continuation) if use else ("there is none any more", "goes on with the next sync")
    return f"{held.count} documents wait for the budget to be embedded: {spent}; it {goes_on}"


def budget_spent(catalog: Catalog, settings: Settings, connection: str) -> BudgetSpent:
    """The error that says so."""
    use = budget_of(catalog, settings, connection)
    return BudgetSpent(connection, use.line if use else "", use.continuation if use else "")
