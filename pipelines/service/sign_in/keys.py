"""The public keys by which the provider signs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import jwt

from pipelines.printable import printable

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric ones alone, whatever a token's head says: with a shared secret, whoever verifies could sign."""
LIFETIME = 300
"""Seconds after which keys are read again: a key that the provider has withdrawn counts no longer."""
PAUSE = 5
"""Seconds between two readings at least: unknown key ids are free to whoever makes up tokens."""

_LONGEST_SHOWN = 64
"""Characters of a key's id in messages: whoever makes up a token chooses it."""


class UnknownKey(Exception):
    """The provider has no such key."""


class ProviderKeys:
    """Reads with `fetch`, which raises what it likes; trouble is raised again without asking until the pause is over.
    PyJWT's own client has neither the pause nor a bound of what it reads."""

    def __init__(self, fetch: Callable[[], jwt.PyJWKSet], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: list[jwt.PyJWK] = []
        self._read_at = self._asked_at = float("-inf")
        self._trouble: Exception | None = None

    def find(self, key_id: str | None) -> jwt.PyJWK:
        """The key of a token's head; a provider with one key need not name it. Raises UnknownKey, or what `fetch`
        raises."""
        with self._lock:
            if self._clock() - self._read_at >= LIFETIME:
                self._keys = []
            if self._known(key_id) is None and self._clock() - self._asked_at >= PAUSE:
                self._read()
            found = self._known(key_id)
            if found is None and self._trouble:
                raise self._trouble
        if found is None:
            raise UnknownKey(f"the provider has no key {printable(key_id)[:_LONGEST_SHOWN]!r}")
        return found

    def _read(self) -> None:
        self._asked_at = self._clock()
        try:
            self._keys, self._trouble = list(self._fetch()), None
            self._read_at = self._asked_at
        except Exception as trouble:  # noqa: BLE001  told to all who ask until the pause is over
            self._trouble = trouble

    def _known(self, key_id: str | None) -> jwt.PyJWK | None:
        keys = [one for one in self._keys if one.public_key_use in (None, "sig")]
        if key_id is None:
            return keys[0] if len(keys) == 1 else None
        return next((one for one in keys if one.key_id == key_id), None)
