"""When keys were used last: written beside the requests, which neither wait for it nor fail with it."""

from __future__ import annotations

import logging
import threading
import time
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_WRITES = 60.0
"""For one key. A catalog in use is not to be written to by each question."""


class UsageStore(Protocol):
    def record_use(self, assistant_id: str) -> None:
        """The key of this assistant is used now."""


class KeyUsage:
    """Safe to call from several threads."""

    def __init__(self, store: UsageStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._written: dict[str, float] = {}

    def note(self, assistant_id: str) -> None:
        now = time.monotonic()
        with self._lock:
            if now - self._written.get(assistant_id, -SECONDS_BETWEEN_WRITES) < SECONDS_BETWEEN_WRITES:
                return
            self._written[assistant_id] = now
        # A thread, since another process may hold the database for as long as a migration or a large commit takes.
        threading.Thread(target=self._write, args=(assistant_id,), name="key-usage", daemon=True).start()

    def _write(self, assistant_id: str) -> None:
        try:
            self._store.record_use(assistant_id)
        except SQLAlchemyError as error:
            logger.warning("when the key of %s was used is not recorded: %s", assistant_id, error)
