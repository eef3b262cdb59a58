"""What GitHub's GraphQL API tells of many repositories in one answer.

https://docs.github.com/en/graphql/reference/objects#repository
"""

from __future__ import annotations

import hashlib

from pydantic import RootModel

from connectors.github.payloads.graphql import GitHubPerson, GraphQLObject, PageInfo
from connectors.payloads import ExactText, Maybe, Text


class UpdatedObject(GraphQLObject):
    updated_at: ExactText


class Newest(GraphQLObject):
    """How many objects there are of a kind, and when the first that is shown was updated."""

    total_count: int
    nodes: tuple[UpdatedObject, ...]


class BranchTip(GraphQLObject):
    oid: ExactText


class BranchHead(GraphQLObject):
    name: ExactText
    target: BranchTip | None = None


class ActivityHead(GraphQLObject):
    """What a repository shows of the last that happened in it; a part that was not asked for, or refused, is None."""

    database_id: Text = ""
    updated_at: ExactText
    default_branch_ref: BranchHead | None = None
    issues: Newest | None = None
    pull_requests: Newest | None = None
    discussions: Newest | None = None
    releases: Newest | None = None

    @property
    def digest(self) -> str:
        """As long as it is the same, none of this has changed."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]


class ActivityByAlias(RootModel[dict[str, Maybe[ActivityHead]]]):
    """Repositories that the token does not see are null."""


class Collaborator(GitHubPerson):
    login: ExactText


class CollaboratorPage(GraphQLObject):
    """One with gaps says nothing: who is not shown may belong to the repository all the same."""

    nodes: tuple[Collaborator, ...]
    page_info: PageInfo

    @property
    def next_cursor(self) -> str | None:
        """None at the end."""
        return self.page_info.end_cursor if self.page_info.has_next_page else None


class RepositoryCollaborators(GraphQLObject):
    """Without a page where the token may not list them."""

    database_id: Text = ""
    collaborators: Maybe[CollaboratorPage] = None


class CollaboratorsByAlias(RootModel[dict[str, Maybe[RepositoryCollaborators]]]):
    """Repositories that the token does not see are null."""
