"""Who belongs to many repositories, with their addresses, in a few questions.

It is for a token to which no answer is as before: there, each repository's list would count each time.
https://docs.github.com/en/graphql/reference/objects#repositorycollaboratorconnection
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from connectors.errors import SourceError
from connectors.github.client import PAGE_SIZE, GitHubClient
from connectors.github.graphql import PartialData, select_by_alias
from connectors.github.payloads.batches import Collaborator, CollaboratorPage, CollaboratorsByAlias
from connectors.github.payloads.parsing import NotAsDocumented
from connectors.github.payloads.rest import GitHubRepository
from connectors.paging import PageTrail

REPOSITORIES_PER_REQUEST = 20

People: TypeAlias = dict[str, Collaborator]
"""Collaborators by login, in lower case."""


class CollaboratorBatches:
    """For one reading of memberships. What is not told here is to be asked for by itself."""

    def __init__(self, client: GitHubClient) -> None:
        self._client = client
        self._left: dict[str, GitHubRepository] = {}
        self._told: dict[str, People] = {}

    def expect(self, repositories: Iterable[GitHubRepository]) -> Iterator[GitHubRepository]:
        """These repositories, once all of them are known, so that those which are private are asked for together; and
        then what ended their list."""
        found, trouble = list[GitHubRepository](), None
        try:
            found.extend(repositories)
        except SourceError as error:
            trouble = error
        self._left, self._told = {one.unit_id: one for one in found if not one.is_public}, {}
        yield from found
        if trouble:
            raise trouble

    def take(self, repository: GitHubRepository) -> People | None:
        """Collaborators of a repository as they are now; None where they are not told."""
        unit_id = repository.unit_id
        if unit_id in self._left and unit_id not in self._told:
            self._ask(unit_id)
        self._left.pop(unit_id, None)
        return self._told.pop(unit_id, None)

    def _ask(self, unit_id: str) -> None:
        in_order = list(self._left)
        at = in_order.index(unit_id)
        try:
            self._told |= self._read(in_order[at : at + REPOSITORIES_PER_REQUEST])
        except (SourceError, NotAsDocumented):
            self._left = {}

    def _read(self, batch: Sequence[str]) -> dict[str, People]:
        found: dict[str, People] = {one: {} for one in batch}
        trails = {one: PageTrail(self._left[one].full_name) for one in batch}
        asked: dict[str, str] = dict.fromkeys(batch, "")
        while asked:
            answer = self._query(asked)
            pages = {one: _page(one, answer) for one in asked}
            asked = {}
            for one, page in pages.items():
                if page is None:
                    del found[one]
                    continue
                found[one] |= {person.login.lower(): person for person in page.nodes}
                if after := trails[one].follow(page.next_cursor, page.nodes):
                    asked[one] = after
        return found

    def _query(self, asked: Mapping[str, str]) -> PartialData[CollaboratorsByAlias]:
        fields = {_alias(one): _field(self._left[one], after) for one, after in asked.items()}
        return self._client.query_each(CollaboratorsByAlias, f"query {{ {select_by_alias(fields)} }}")


def _page(unit_id: str, answer: PartialData[CollaboratorsByAlias]) -> CollaboratorPage | None:
    """None where it is not told, and of a repository that has taken the name of the one that was asked for."""
    found = answer.data.root.get(_alias(unit_id))
    is_told = found and found.database_id == unit_id and _alias(unit_id) not in answer.lacking
    return found.collaborators if found and is_told else None


def _alias(unit_id: str) -> str:
    return f"r{unit_id}"


def _field(repository: GitHubRepository, after: str) -> str:
    owner, _, name = (json.dumps(one) for one in repository.full_name.partition("/"))
    verified = f"organizationVerifiedDomainEmails(login: {owner})" if repository.organisation else ""
    page = f"(first: {PAGE_SIZE}{f', after: {json.dumps(after)}' if after else ''})"
    people = f"collaborators{page} {{ pageInfo {{ hasNextPage endCursor }} nodes {{ login name email {verified} }} }}"
    return f"repository(owner: {owner}, name: {name}) {{ databaseId {people} }}"
