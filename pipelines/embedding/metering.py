"""Who hears what embedding costs: the ledger of a connection, or that of questions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from threading import Event, Lock, Thread

from sqlalchemy.exc import SQLAlchemyError

from connectors.settings import Budget
from pipelines.catalog.budgets import budget_use, tokens_per_request
from pipelines.catalog.spending import QUESTIONS, Spending, SpendingLedger, Spent
from pipelines.embedding.base import SentRequest
from pipelines.errors import BudgetSpent, HeadraceError

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_WRITES = 1.0
"""Of what questions have cost: a catalog in use is not to be written to by each of them."""
SECONDS_AT_THE_END = 3.0
"""Within ten a process that is told to end is to be gone."""


@dataclass(frozen=True, slots=True)
class ConnectionMeter:
    """Counts what is embedded of a connection as soon as it is answered, and keeps to a budget, if there is one.

    `price` is in US dollars per million tokens. `tell` hears of what each request has cost, from several threads.
    """

    ledger: SpendingLedger
    connection: str
    budget: Budget | None
    price: float
    tell: Callable[[Spent], None]

    @property
    def tokens_per_request(self) -> int | None:
        return tokens_per_request(self.budget, self.price) if self.budget else None

    @contextmanager
    def request(self, tokens: int) -> Iterator[SentRequest]:
        """See `Meter.request`. Raises BudgetSpent, and CatalogUnavailable: what cannot be counted is not sent."""
        day = self._reserve(tokens)
        sent = SentRequest()
        try:
            yield sent
        finally:
            spent = _spent(sent, self.price)
            self.ledger.settle(self.connection, day, tokens, spent)
            self.tell(spent)

    def _reserve(self, tokens: int) -> date:
        """Count it before it is sent: what a killed process has sent is on the provider's bill."""
        if self.budget is None:
            return self.ledger.reserve(self.connection, tokens)
        budget = self.budget

        def has_room(spending: Spending) -> bool:
            return not budget_use(budget, spending, self.price).is_spent

        if day := self.ledger.reserve_within(self.connection, tokens, has_room):
            return day
        use = budget_use(budget, self.ledger.of(self.connection), self.price)
        raise BudgetSpent(self.connection, use.line, use.continuation)


class QuestionMeter:
    """Counts what questions cost: no budget stops them, and no connection pays for them.

    A thread writes it down beside the answers, which neither wait for the catalog nor fail with it. A process that is
    killed loses what was asked in its last second.
    """

    tokens_per_request: int | None = None

    def __init__(self, ledger: Callable[[], SpendingLedger], price: float) -> None:
        self._ledger = ledger
        self._price = price
        self._lock, self._closing = Lock(), Event()
        self._unwritten = Spent()
        self._writer: Thread | None = None

    @contextmanager
    def request(self, tokens: int) -> Iterator[SentRequest]:
        sent = SentRequest()
        try:
            yield sent
        finally:
            self._note(_spent(sent, self._price))

    def close(self) -> None:
        """Write down what is not written."""
        self._closing.set()
        if writer := self._writer:
            writer.join(SECONDS_AT_THE_END)

    def _note(self, spent: Spent) -> None:
        with self._lock:
            self._unwritten += spent
            if self._writer is None:
                self._writer = Thread(target=self._write, name="questions", daemon=True)
                self._writer.start()

    def _write(self) -> None:
        """Until nothing is left, or the catalog cannot be used: then the next question tries again."""
        while spent := self._take():
            try:
                self._ledger().add(QUESTIONS, spent)
            except (HeadraceError, SQLAlchemyError) as error:
                logger.warning("what questions have cost is written with the next ones: %s", error)
                with self._lock:
                    self._unwritten, self._writer = self._unwritten + spent, None
                return

    def _take(self) -> Spent | None:
        self._closing.wait(SECONDS_BETWEEN_WRITES)
        with self._lock:
            spent, self._unwritten = self._unwritten, Spent()
            if spent == Spent():
                self._writer = None
                return None
        return spent


def _spent(sent: SentRequest, price: float) -> Spent:
    return Spent(embedding_requests=sent.requests, tokens=sent.billed, cost_usd=sent.billed * price / 1e6)
