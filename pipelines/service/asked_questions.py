"""The questions asked lately, by the ids of their requests: feedback names a request, and no log has texts."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from pipelines.index.contract import Filters
from pipelines.retrieval.schema import SearchFilters
from pipelines.service.authentication import Principal

_MOST_REMEMBERED = 10_000
"""In this process alone, and forgotten when it ends: a catalog in use is not to be written to by each question."""


@dataclass(frozen=True, slots=True)
class RememberedQuestion:
    """What was asked, and the ids of the documents that the answer had. `filters` are None where none say all by which
    the answer was narrowed: OpenAI's, a service's own readers, or containers within others of a scope."""

    query: str
    filters: SearchFilters | None
    documents: frozenset[str]


class AskedQuestions:
    """Safe to call from several threads."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, tuple[str, str | None, RememberedQuestion]] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, principal: Principal, asked: RememberedQuestion) -> None:
        with self._lock:
            self._asked[principal.request_id] = (principal.assistant.id, principal.user, asked)
            if len(self._asked) > _MOST_REMEMBERED:
                self._asked.popitem(last=False)

    def find(self, request_id: str, principal: Principal) -> RememberedQuestion | None:
        """What was asked in a request; None where that was long ago, or somebody else's."""
        with self._lock:
            found = self._asked.get(request_id)
        return found[2] if found and found[:2] == (principal.assistant.id, principal.user) else None


def filters_of(asked: SearchFilters, principal: Principal) -> SearchFilters | None:
    """The filters of a question with the scope of the assistant that asks it; None where none say both."""
    scope = principal.assistant.scope or Filters()
    if principal.assistant.identity == "service" or (asked.parents_in and scope.parents_in):
        return None
    sources = [one for one in asked.sources or scope.sources if not scope.sources or one in scope.sources]
    return asked.model_copy(update={"sources": sources, "parents_in": asked.parents_in or list(scope.parents_in)})
