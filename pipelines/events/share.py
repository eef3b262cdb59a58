"""A worker's share of the inbox, where several take events from it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence

from pipelines.catalog.claims import Claim
from pipelines.catalog.events import PendingEvent
from pipelines.events.work_items import WorkItem, claim_of
from pipelines.services import Services

CLAIMS_PER_PASS = 200
"""Of units: more would keep what waits in them from other workers for longer than a pass takes."""
SECONDS_BETWEEN_RENEWALS = 25.0


class Share:
    """What this worker has claimed, and has not given back."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._claimed: set[Claim] = set()
        self._renewed = 0.0

    def __bool__(self) -> bool:
        return bool(self._claimed)

    def claim(self, events: Sequence[PendingEvent], due: Iterable[WorkItem]) -> list[PendingEvent]:
        """This worker's share of the events: of what is due another one may be at, or have settled, some."""
        of_due = {one for item in due for one in item.events}
        wanted = list(dict.fromkeys(claim_of(event) for event in events if event.id in of_due))
        claimed = self._services.catalog.claims.take(wanted[:CLAIMS_PER_PASS])
        self._claimed |= claimed
        own = [event for event in events if claim_of(event) in claimed]
        # Only now: what was read before may have been settled by the worker that had the claim until then.
        pending = self._services.catalog.events.still_pending(event.id for event in own)
        return [event for event in own if event.id in pending]

    def give_back(self, busy: Collection[str]) -> None:
        """End the claims of all connections but those that are busy."""
        ended = {one for one in self._claimed if one[0] not in busy}
        if ended:
            self._services.catalog.claims.give_back(ended)
            self._claimed -= ended

    def renew(self) -> None:
        """Show, where that is due, that this worker lives."""
        if time.monotonic() - self._renewed >= SECONDS_BETWEEN_RENEWALS:
            self._renewed = time.monotonic()
            self._services.catalog.claims.renew()

    def leave(self) -> None:
        """This worker ends."""
        self._services.catalog.claims.leave()
