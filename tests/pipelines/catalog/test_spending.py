"""Spending is counted by connection and UTC day, by whichever process, and budgets hold for all of them together."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from threading import Thread

import pytest

from connectors.settings import Budget
from pipelines.catalog import Catalog, budgets, open_catalog, spending
from pipelines.catalog.budgets import BudgetUse, budget_use, tokens_per_request
from pipelines.catalog.spending import Spending, Spent
from pipelines.catalog.totals import Total
from pipelines.embedding.metering import ConnectionMeter
from pipelines.errors import BudgetSpent
from pipelines.settings import Settings

PRICE = 10.0
TODAY = date(2026, 11, 27)


def on(monkeypatch: pytest.MonkeyPatch, day: date) -> None:
    monkeypatch.setattr(spending, "today", lambda: day)
    monkeypatch.setattr(budgets, "today", lambda: day)


def meter(catalog: Catalog, budget: Budget | None, told: list[Spent] | None = None) -> ConnectionMeter:
    return ConnectionMeter(catalog.spending, "acme", budget, PRICE, ([] if told is None else told).append)


def embed(by: ConnectionMeter, tokens: int) -> None:
    with by.request(tokens) as sent:
        sent.billed = tokens


def test_what_is_spent_is_counted_by_day_and_month_and_in_total(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day, tokens in ((date(2026, 10, 31), 1), (date(2026, 11, 1), 20), (TODAY, 300)):
        on(monkeypatch, day)
        embed(meter(catalog, None), tokens)
        catalog.spending.add("acme", Spent(source_requests=2))
    found = catalog.spending.of("acme")
    assert replace(found.today, cost_usd=0) == Spent(2, 1, 300)
    assert replace(found.month, cost_usd=0) == Spent(4, 2, 320)
    assert (found.today.cost_usd, found.month.cost_usd) == pytest.approx((0.003, 0.0032))
    assert [day.day for day in catalog.spending.by_day(27)["acme"]] == [27, 1]
    totals = catalog.totals.all()
    assert totals[Total("embedding_tokens", "acme")] == 321
    assert totals[Total("requests", "acme")] == 6


def test_days_are_forgotten_that_are_older_than_a_year_and_a_month(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age in (spending.KEPT.days + 1, spending.KEPT.days, 0):
        on(monkeypatch, TODAY - timedelta(days=age))
        catalog.spending.add("acme", Spent(tokens=1))
    catalog.spending.prune()
    assert len(catalog.spending.by_day(spending.KEPT.days + 10)["acme"]) == 2


def test_processes_side_by_side_exceed_a_budget_by_one_request_at_the_most(
    catalog: Catalog, catalog_settings: Settings
) -> None:
    budget, told = Budget(tokens_per_day=100), list[Spent]()

    def work() -> None:
        with open_catalog(catalog_settings) as own:
            for _ in range(20):
                try:
                    embed(meter(own, budget, told), 7)
                except BudgetSpent:
                    return

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.tokens for one in told) == catalog.spending.of("acme").today.tokens == 105
    assert catalog.spending.of("acme").today.unanswered_tokens == 0


def test_what_was_sent_and_not_answered_counts_towards_the_budget_alone(catalog: Catalog) -> None:
    budget = Budget(tokens_per_day=100)
    catalog.spending.reserve("acme", 100)  # by a process that was killed then
    with pytest.raises(BudgetSpent, match=r"acme: its budget is spent \(100 of 100 tokens today"):
        embed(meter(catalog, budget), 1)
    today = catalog.spending.of("acme").today
    assert today == Spent(embedding_requests=1, unanswered_tokens=100)


@pytest.mark.parametrize("budget", [None, Budget(tokens_per_day=1_000)])
def test_a_request_counts_as_it_is_sent(catalog: Catalog, budget: Budget | None) -> None:
    with meter(catalog, budget).request(90):
        assert catalog.spending.of("acme").today == Spent(embedding_requests=1, unanswered_tokens=90)


def test_a_request_that_failed_is_counted_and_leaves_its_room(catalog: Catalog) -> None:
    with pytest.raises(ValueError, match="HTTP 500"), meter(catalog, Budget(tokens_per_day=100)).request(90):
        raise ValueError("HTTP 500")
    assert catalog.spending.of("acme").today == Spent(embedding_requests=1)


def test_a_day_or_a_month_that_ends_gives_room_again(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Budget(tokens_per_day=100, usd_per_month=150 * PRICE / 1e6)
    for day, has_room in ((date(2026, 11, 27), True), (date(2026, 11, 28), True), (date(2026, 11, 29), False)):
        on(monkeypatch, day)
        use = budget_use(budget, catalog.spending.of("acme"), PRICE)
        assert use.is_spent is not has_room
        if has_room:
            embed(meter(catalog, budget), 100)
            with pytest.raises(BudgetSpent):
                embed(meter(catalog, budget), 1)
    on(monkeypatch, date(2026, 12, 1))
    embed(meter(catalog, budget), 1)


@pytest.mark.parametrize(
    ("budget", "day", "month", "left", "resumes"),
    [
        ({"tokens_per_day": 100}, 99, 99, 1, None),
        ({"tokens_per_day": 100}, 100, 100, 0, "2026-11-28"),
        ({"usd_per_month": 1}, 0, 99_999, 1, None),
        ({"usd_per_month": 1}, 0, 100_000, 0, "2026-12-01"),
        ({"usd_per_month": 1, "tokens_per_day": 10}, 10, 50_000, 0, "2026-11-28"),
        ({"usd_per_month": 1, "tokens_per_day": 10}, 10, 100_000, 0, "2026-12-01"),
    ],
)
def test_what_a_budget_leaves(budget: dict[str, int], day: int, month: int, left: int, resumes: str | None) -> None:
    spent = Spending(Spent(tokens=day), Spent(tokens=month, cost_usd=month * PRICE / 1e6))
    use = BudgetUse(Budget.model_validate(budget), spent, PRICE, TODAY)
    assert use.tokens_left == left
    assert use.is_spent == (resumes is not None)
    assert (use.resumes_at and f"{use.resumes_at:%Y-%m-%d}") == resumes


@pytest.mark.parametrize(
    ("budget", "tokens"), [({"tokens_per_day": 5_000}, 50), ({"usd_per_month": 1}, 1_000), ({"tokens_per_day": 3}, 1)]
)
def test_a_request_takes_a_hundredth_of_a_budget_at_the_most(budget: dict[str, int], tokens: int) -> None:
    assert tokens_per_request(Budget.model_validate(budget), PRICE) == tokens
