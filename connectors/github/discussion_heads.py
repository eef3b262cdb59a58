"""Where discussions may have changed: the newest of each repository, of many repositories in one question.

GraphQL knows no conditional requests, and a listing for each repository would count at each sync.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from connectors.github.client import GitHubClient
from connectors.github.graphql import select_by_alias
from connectors.github.payloads.graphql import DiscussionHead, HeadsByAlias, RepositoryHead
from connectors.github.payloads.rest import GitHubRepository
from connectors.github.repository_heads import RepositoryHeads


class DiscussionHeads(RepositoryHeads[DiscussionHead]):
    """Of units that the pass names as it lists them, and is expected to read by their names.

    What is not told here is to be asked for by itself: of repositories that the pass did not name, and after a question
    that was not answered as it should be, of all others of the pass as well.
    """

    def __init__(self, client: GitHubClient) -> None:
        super().__init__()
        self._client = client

    def forget(self) -> None:
        """Another pass begins."""
        self._names, self._told = {}, {}

    def expect(self, repository: GitHubRepository) -> None:
        if repository.has_discussions:
            self._names[repository.unit_id] = repository.full_name

    def _in_order(self) -> list[str]:
        return sorted(self._names, key=lambda one: self._names[one])

    def _read(self, batch: Sequence[str]) -> dict[str, DiscussionHead]:
        fields = {f"r{one}": _field(self._names[one]) for one in batch}
        found = self._client.query_promptly(HeadsByAlias, f"query {{ {select_by_alias(fields)} }}").root
        heads = {one: _head_of(one, found.get(f"r{one}")) for one in batch}
        return {one: head for one, head in heads.items() if head}


def _field(full_name: str) -> str:
    """https://docs.github.com/en/graphql/reference/objects#repository"""
    owner, _, name = full_name.partition("/")
    newest = "orderBy: {field: UPDATED_AT, direction: DESC}"
    shown = f"databaseId discussions(first: 1, {newest}) {{ totalCount nodes {{ number updatedAt }} }}"
    return f"repository(owner: {json.dumps(owner)}, name: {json.dumps(name)}) {{ {shown} }}"


def _head_of(unit_id: str, found: RepositoryHead | None) -> DiscussionHead | None:
    """None of a repository that has taken the name of the one that was asked for."""
    return found.discussions.head if found and found.database_id == unit_id else None
