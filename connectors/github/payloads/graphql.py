"""Objects of GitHub's GraphQL API. https://docs.github.com/en/graphql/reference/objects"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Generic, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, StrictInt
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from connectors.github.payloads.git import GitCommit, GitHubCommit, GitSignature
from connectors.github.payloads.issue_facts import NamedObject
from connectors.github.payloads.parsing import time_or_none
from connectors.github.payloads.rest import GitHubAccount
from connectors.payloads import ExactText, Flag, Maybe, Number, Payload, Several, Text

N = TypeVar("N", bound=BaseModel)
R = TypeVar("R")
T = TypeVar("T")


class GraphQLErrorDetails(Payload):
    code: Text = ""
    field_name: Text = Field(default="", alias="fieldName")


class GraphQLError(Payload):
    """`type` is GitHub's own addition; `path` are the names and places that lead to what is wrong.

    https://docs.github.com/en/graphql/guides/migrating-from-rest-to-graphql
    """

    type: Text = ""
    message: Text = ""
    path: Several[Text] = ()
    extensions: Maybe[GraphQLErrorDetails] = None


class GraphQLErrors(Payload):
    """The errors of an answer, which can stand beside its data."""

    errors: Several[GraphQLError] = ()


class GraphQLData(Payload, Generic[R]):
    """What a query found; absent where it found nothing at all."""

    data: R | None = None


class GraphQLObject(Payload):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class PageInfo(GraphQLObject):
    has_next_page: Flag = None
    end_cursor: Text = ""


def _require_visible(nodes: tuple[T | None, ...]) -> tuple[T | None, ...]:
    if nodes and all(one is None for one in nodes):
        raise PydanticCustomError("unreadable_list", "No node is shown")
    return nodes


class NodePage(GraphQLObject, Generic[N]):
    """A page of a connection. Nodes that the token may not see are null; a page of nothing else says nothing."""

    nodes: Annotated[tuple[N | None, ...], AfterValidator(_require_visible)]
    page_info: Maybe[PageInfo] = None

    @property
    def visible(self) -> list[N]:
        return [node for node in self.nodes if node is not None]

    @property
    def has_gaps(self) -> bool:
        return None in self.nodes

    @property
    def next_cursor(self) -> str | None:
        """None at the end."""
        return self.page_info.end_cursor if self.page_info and self.page_info.has_next_page else None


class DiscussionReply(GraphQLObject):
    id: Text = ""
    body: ExactText | None = None
    created_at: Text = ""
    author: GitHubAccount | None = None
    is_minimized: Flag = None


class DiscussionComment(DiscussionReply):
    is_answer: Flag = None
    replies: NodePage[DiscussionReply]

    def with_replies(self, replies: Sequence[DiscussionReply]) -> DiscussionComment:
        return self.model_copy(update={"replies": NodePage[DiscussionReply](nodes=tuple(replies))})


class DiscussionCategory(Payload):
    name: Text = ""


class DiscussionAnswer(Payload):
    id: Text = ""


class PollOption(Payload):
    option: Text = ""


class DiscussionPoll(Payload):
    question: Text = ""
    options: Maybe[NodePage[PollOption]] = None


class DiscussionHead(BaseModel):
    """The discussion that was updated last, and how many there are: as long as these are the same, nothing has changed
    but by a deletion and a creation at once. Of none the number is 0."""

    model_config = ConfigDict(frozen=True)

    total: int
    number: int = 0
    updated_at: str = ""

    @property
    def updated(self) -> datetime | None:
        return time_or_none(self.updated_at)


class DiscussionHeader(GraphQLObject):
    """A discussion as its listing shows it."""

    number: StrictInt
    title: Text = ""
    updated_at: Text = ""

    @property
    def updated(self) -> datetime | None:
        return time_or_none(self.updated_at)


class GitHubDiscussion(GraphQLObject):
    number: StrictInt
    title: Text = ""
    url: Text = ""
    body: ExactText | None = None
    created_at: ExactText | None = None
    updated_at: ExactText | None = None
    closed: Flag = None
    state_reason: Text = ""
    author: GitHubAccount | None = None
    category: DiscussionCategory | None = None
    answer: Maybe[DiscussionAnswer] = None
    poll: Maybe[DiscussionPoll] = None
    labels: Maybe[NodePage[NamedObject]] = None
    comments: NodePage[DiscussionComment]

    @property
    def has_gaps(self) -> bool:
        """Whether null stands in place of something that was said."""
        return self.comments.has_gaps or any(one.replies.has_gaps for one in self.comments.visible)

    def with_comments(self, comments: Sequence[DiscussionComment]) -> GitHubDiscussion:
        return self.model_copy(update={"comments": NodePage[DiscussionComment](nodes=tuple(comments))})


class InRepository(Payload, Generic[R]):
    """What a query found in a repository; absent where the token sees no such repository."""

    repository: R | None = None


class DiscussionPage(NodePage[DiscussionHeader]):
    """Some discussions, the first of which was updated last."""

    total_count: Number = None

    @property
    def head(self) -> DiscussionHead | None:
        """None where it is not told."""
        if self.total_count is None or bool(self.total_count) != bool(self.nodes):
            return None
        if not self.nodes:
            return DiscussionHead(total=0)
        newest = self.nodes[0]
        if newest is None or newest.updated is None:
            return None
        return DiscussionHead(total=self.total_count, number=newest.number, updated_at=newest.updated_at)


class DiscussionListing(Payload):
    discussions: DiscussionPage


class RepositoryHead(GraphQLObject):
    database_id: Text = ""
    discussions: DiscussionPage


class HeadsByAlias(RootModel[dict[str, Maybe[RepositoryHead]]]):
    """Repositories that the token does not see are null."""


class DiscussionComments(Payload):
    comments: NodePage[DiscussionComment]


class OneDiscussion(Payload):
    """A further page of a discussion's comments."""

    discussion: DiscussionComments


class CommentReplies(Payload):
    replies: NodePage[DiscussionReply]


class OneComment(Payload):
    """A further page of a comment's replies."""

    node: CommentReplies


DiscussionsByAlias: TypeAlias = dict[str, GitHubDiscussion | None]


class BlobText(GraphQLObject):
    """`text` is decoded by GitHub: it is that of the file only where it is in UTF-8."""

    byte_size: Number = None
    is_truncated: Flag = None
    text: ExactText | None = None

    @property
    def content(self) -> bytes | None:
        """The file's bytes, where these are surely they."""
        found = self.text.encode() if self.text is not None and not self.is_truncated else None
        return found if found is not None and len(found) == self.byte_size else None


class CommitAuthor(GraphQLObject):
    name: Text = ""
    user: Maybe[GitHubAccount] = None


class HistoryCommit(GraphQLObject):
    committed_date: ExactText | None = None
    author: Maybe[CommitAuthor] = None

    def as_commit(self) -> GitHubCommit:
        """As the REST API gives it."""
        name = self.author.name if self.author else ""
        signed = GitCommit(author=GitSignature(name=name), committer=GitSignature(date=self.committed_date))
        return GitHubCommit(commit=signed, author=self.author.user if self.author else None)


class BranchHistories(Payload):
    """Commits that touched each of some paths, by alias."""

    head: Maybe[dict[str, NodePage[HistoryCommit]]] = None


class FilesByAlias(Payload):
    """Contents of files by alias, and the commits that changed them last. A blob that does not exist is null."""

    blobs: Maybe[dict[str, BlobText | None]] = None
    branch: Maybe[BranchHistories] = None

    def content(self, alias: str) -> bytes | None:
        found = (self.blobs or {}).get(alias)
        return found.content if found else None

    def commit(self, alias: str) -> GitHubCommit | None:
        histories = self.branch.head if self.branch else None
        page = (histories or {}).get(alias)
        return page.visible[0].as_commit() if page and page.visible else None


class GitHubPerson(GraphQLObject):
    """`email` is what the profile shows; the REST API tells of it alone."""

    name: Text = ""
    email: Text = ""
    organization_verified_domain_emails: Several[Text] = ()


class PeopleByAlias(RootModel[dict[str, Maybe[GitHubPerson]]]):
    """People who do not exist are null."""
