"""Where discussions may have changed: the newest of each repository, of many repositories in one question.

GraphQL knows no conditional requests, and a listing for each repository would count at each sync.
"""

from __future__ import annotations

import json
import time

from connectors.errors import SourceError
from connectors.github.client import GitHubClient
from connectors.github.graphql import select_by_alias
from connectors.github.payloads.graphql import DiscussionHead, HeadsByAlias, RepositoryHead
from connectors.github.payloads.parsing import NotAsDocumented
from connectors.github.payloads.rest import GitHubRepository

REPOSITORIES_PER_REQUEST = 50
HEAD_SECONDS = 60.0
"""For which what was told counts, and once only: what changes later is found by the sync after this one."""


class DiscussionHeads:
    """For one pass over the units of a connection, which names them as it lists them, and is expected to read them by
    their names: those after the first that is asked for are asked for with it.

    What is not told here is to be asked for by itself: of repositories that the pass did not name, and after a question
    that was not answered as it should be, of all others of the pass as well.
    """

    def __init__(self, client: GitHubClient) -> None:
        self._client = client
        self._names: dict[str, str] = {}
        self._told: dict[str, DiscussionHead] = {}
        self._told_at = 0.0

    def forget(self) -> None:
        """Another pass begins."""
        self._names, self._told = {}, {}

    def expect(self, repository: GitHubRepository) -> None:
        if repository.has_discussions:
            self._names[repository.unit_id] = repository.full_name

    def take(self, unit_id: str) -> DiscussionHead | None:
        """The head of a repository's discussions as it is now; None where it is not told."""
        if unit_id not in self._names:
            return None
        if unit_id not in self._told or time.monotonic() - self._told_at > HEAD_SECONDS:
            self._ask(unit_id)
        self._names.pop(unit_id, None)
        return self._told.pop(unit_id, None)

    def _ask(self, unit_id: str) -> None:
        in_order = sorted(self._names, key=lambda one: self._names[one])
        at = in_order.index(unit_id)
        batch = [*in_order[at:], *in_order[:at]][:REPOSITORIES_PER_REQUEST]
        fields = {f"r{one}": _field(self._names[one]) for one in batch}
        self._told, self._told_at = {}, time.monotonic()
        try:
            found = self._client.query_promptly(HeadsByAlias, f"query {{ {select_by_alias(fields)} }}").root
        except (SourceError, NotAsDocumented):
            self._names = {}
            return
        for one in batch:
            if head := _head_of(one, found.get(f"r{one}")):
                self._told[one] = head


def _field(full_name: str) -> str:
    """https://docs.github.com/en/graphql/reference/objects#repository"""
    owner, _, name = full_name.partition("/")
    newest = "orderBy: {field: UPDATED_AT, direction: DESC}"
    shown = f"databaseId discussions(first: 1, {newest}) {{ totalCount nodes {{ number updatedAt }} }}"
    return f"repository(owner: {json.dumps(owner)}, name: {json.dumps(name)}) {{ {shown} }}"


def _head_of(unit_id: str, found: RepositoryHead | None) -> DiscussionHead | None:
    """None of a repository that has taken the name of the one that was asked for."""
    return found.discussions.head if found and found.database_id == unit_id else None
