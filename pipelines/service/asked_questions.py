"""The questions asked lately, by the ids of their requests: feedback names a request, and no log has texts."""

from __future__ import annotations

import threading
from collections import OrderedDict

from pipelines.service.authentication import Principal

_MOST_REMEMBERED = 10_000
"""In this process alone, and forgotten when it ends: a catalog in use is not to be written to by each question."""


class AskedQuestions:
    """Safe to call from several threads."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, tuple[str, str | None, str]] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, principal: Principal, query: str) -> None:
        with self._lock:
            self._asked[principal.request_id] = (principal.assistant.id, principal.user, query)
            if len(self._asked) > _MOST_REMEMBERED:
                self._asked.popitem(last=False)

    def find(self, request_id: str, principal: Principal) -> str | None:
        """What was asked in a request; None where that was long ago, or somebody else's."""
        with self._lock:
            assistant, person, query = self._asked.get(request_id, ("", None, ""))
        return query if query and (assistant, person) == (principal.assistant.id, principal.user) else None
