"""Whether anything has happened in many repositories, in one question.

To the token of an app no answer of the REST API is as before, since each run has another: each look at a repository
would count. https://docs.github.com/en/graphql/reference/objects#repository
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping

from connectors.errors import SourceError
from connectors.github.client import GitHubClient
from connectors.github.discussion_heads import HEAD_SECONDS, REPOSITORIES_PER_REQUEST
from connectors.github.graphql import PartialData, select_by_alias
from connectors.github.payloads.batches import ActivityByAlias, ActivityHead
from connectors.github.payloads.parsing import NotAsDocumented
from connectors.model import Unit

_UPDATED = "(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) { totalCount nodes { updatedAt } }"
_PARTS = {
    "issues": _UPDATED,
    "pullRequests": _UPDATED,
    "discussions": _UPDATED,
    # Releases have no order by their last change.
    "releases": "(first: 10, orderBy: {field: CREATED_AT, direction: DESC}) { totalCount nodes { updatedAt } }",
}


class ActivityHeads:
    """For one pass over units, which are named before they are read: those after the first that is asked for are asked
    for with it. Parts that are refused are left out, and asked for again by the next pass."""

    def __init__(self, client: GitHubClient) -> None:
        self._client = client
        self._names: dict[str, str] = {}
        self._told: dict[str, ActivityHead] = {}
        self._told_at = 0.0

    def expect(self, units: Iterable[Unit]) -> None:
        """Another pass begins."""
        self._names, self._told = {one.id: one.name for one in units if "/" in one.name}, {}

    def take(self, unit_id: str) -> ActivityHead | None:
        """The head of a repository as it is now; None where it is not told."""
        if unit_id not in self._names:
            return None
        if unit_id not in self._told or time.monotonic() - self._told_at > HEAD_SECONDS:
            self._ask(unit_id)
        self._names.pop(unit_id, None)
        return self._told.pop(unit_id, None)

    def _ask(self, unit_id: str) -> None:
        in_order = list(self._names)
        at = in_order.index(unit_id)
        batch = [*in_order[at:], *in_order[:at]][:REPOSITORIES_PER_REQUEST]
        self._told, self._told_at = {}, time.monotonic()
        try:
            found = self._query({one: frozenset() for one in batch})
            if refused := {one: lacking for one in batch if (lacking := found.lacking.get(_alias(one)))}:
                self._keep(refused, self._query(refused))
        except (SourceError, NotAsDocumented):
            self._names = {}
            return
        self._keep([one for one in batch if one not in refused], found)

    def _query(self, lacking: Mapping[str, frozenset[str]]) -> PartialData[ActivityByAlias]:
        fields = {_alias(one): _field(self._names[one], parts) for one, parts in lacking.items()}
        return self._client.query_each(ActivityByAlias, f"query {{ {select_by_alias(fields)} }}")

    def _keep(self, units: Iterable[str], found: PartialData[ActivityByAlias]) -> None:
        """But for those of a repository that has taken the name of the one that was asked for."""
        for one in units:
            head = found.data.root.get(_alias(one))
            if head and head.database_id == one and _alias(one) not in found.lacking:
                self._told[one] = head


def _alias(unit_id: str) -> str:
    return f"r{unit_id}"


def _field(full_name: str, lacking: frozenset[str]) -> str:
    owner, _, name = full_name.partition("/")
    parts = " ".join(f"{part}{shown}" for part, shown in _PARTS.items() if part not in lacking)
    shown = f"databaseId updatedAt defaultBranchRef {{ name target {{ oid }} }} {parts}"
    return f"repository(owner: {json.dumps(owner)}, name: {json.dumps(name)}) {{ {shown} }}"
