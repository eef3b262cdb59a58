"""Whether anything has happened in many repositories, in one question.

To the token of an app no answer of the REST API is as before, since each run has another: each look at a repository
would count. https://docs.github.com/en/graphql/reference/objects#repository
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from connectors.github.client import GitHubClient
from connectors.github.graphql import PartialData, select_by_alias
from connectors.github.payloads.batches import ActivityByAlias, ActivityHead
from connectors.github.repository_heads import RepositoryHeads
from connectors.model import Unit

_UPDATED = "(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) { totalCount nodes { updatedAt } }"
_PARTS = {
    "issues": _UPDATED,
    "pullRequests": _UPDATED,
    "discussions": _UPDATED,
    # Releases have no order by their last change.
    "releases": "(first: 10, orderBy: {field: CREATED_AT, direction: DESC}) { totalCount nodes { updatedAt } }",
}


class ActivityHeads(RepositoryHeads[ActivityHead]):
    """Of units that are named before they are read. Parts that are refused are left out, and asked for again by the
    next pass."""

    def __init__(self, client: GitHubClient) -> None:
        super().__init__()
        self._client = client

    def expect(self, units: Iterable[Unit]) -> None:
        """Another pass begins."""
        self._names, self._told = {one.id: one.name for one in units if "/" in one.name}, {}

    def _read(self, batch: Sequence[str]) -> dict[str, ActivityHead]:
        found = self._query({one: frozenset() for one in batch})
        refused = {one: lacking for one in batch if (lacking := found.lacking.get(_alias(one)))}
        told = _heads((one for one in batch if one not in refused), found)
        return told | _heads(refused, self._query(refused)) if refused else told

    def _query(self, lacking: Mapping[str, frozenset[str]]) -> PartialData[ActivityByAlias]:
        fields = {_alias(one): _field(self._names[one], parts) for one, parts in lacking.items()}
        return self._client.query_each(ActivityByAlias, f"query {{ {select_by_alias(fields)} }}")


def _heads(units: Iterable[str], found: PartialData[ActivityByAlias]) -> dict[str, ActivityHead]:
    """But for those of a repository that has taken the name of the one that was asked for."""
    heads = {one: found.data.root.get(_alias(one)) for one in units if _alias(one) not in found.lacking}
    return {one: head for one, head in heads.items() if head and head.database_id == one}


def _alias(unit_id: str) -> str:
    return f"r{unit_id}"


def _field(full_name: str, lacking: frozenset[str]) -> str:
    owner, _, name = full_name.partition("/")
    parts = " ".join(f"{part}{shown}" for part, shown in _PARTS.items() if part not in lacking)
    shown = f"databaseId updatedAt defaultBranchRef {{ name target {{ oid }} }} {parts}"
    return f"repository(owner: {json.dumps(owner)}, name: {json.dumps(name)}) {{ {shown} }}"
