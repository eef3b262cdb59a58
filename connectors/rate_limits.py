"""One limit per credential and provider tier, whoever uses it in this process."""

from __future__ import annotations

import hashlib
import logging
import random
import threading
import time
from datetime import datetime, timedelta

from connectors.errors import RateLimited

logger = logging.getLogger(__name__)

FIRST_WAIT = 2.0
"""Seconds to wait for a provider that does not say how long; the second time twice as long, and so on. With jitter."""
LONGEST_WAIT = 120.0
"""Seconds. A provider that asks for more fails the unit, which the next sync continues."""


class Limit:
    """Holds back all requests under one credential and tier until the provider takes requests again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._not_before = 0.0
        self._refused = 0
        self._lock = threading.Lock()

    def hold(self, seconds: float) -> None:
        """No request before `seconds` from now."""
        with self._lock:
            until = time.monotonic() + seconds
            if until <= self._not_before:
                return
            self._not_before = until
        end = datetime.now().astimezone() + timedelta(seconds=seconds)
        logger.warning("%s: rate limit reached for %.0f s, until %s", self._name, seconds, f"{end:%H:%M:%S}")

    def back_off(self) -> float:
        """Hold back after a refusal that names no time, longer each time; returns the seconds."""
        with self._lock:
            seconds = min(FIRST_WAIT * 2.0**self._refused, LONGEST_WAIT / 2) * random.uniform(1.0, 1.5)
            self._refused += 1
        self.hold(seconds)
        return seconds

    def accepted(self) -> None:
        """A request went through."""
        self._refused = 0

    def wait(self) -> None:
        """Return once requests may be sent. Raises RateLimited where that is longer than anybody should wait."""
        while (delay := self._not_before - time.monotonic()) > 0:
            if delay > LONGEST_WAIT:
                raise RateLimited(self._name, delay)
            time.sleep(delay)


_limits: dict[str, Limit] = {}
_limits_lock = threading.Lock()


def limit_of(base_url: str, credential: str, tier: str = "") -> Limit:
    """The limit that this credential meets at this provider. Tiers are counted apart by the provider."""
    key = hashlib.sha256(f"{base_url}\0{credential}\0{tier}".encode()).hexdigest()
    with _limits_lock:
        return _limits.setdefault(key, Limit(f"{base_url}{f' ({tier})' if tier else ''}"))
