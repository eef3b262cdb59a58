"""Issues and pull requests one by one, with everything that was said about them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TypeVar

from pydantic import BaseModel

from connectors.contract import Deleted, Item
from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
)
from connectors.github.cursor import RepositoryCursor
from connectors.github.payloads.comments import GitHubComment, GitHubReview, GitHubReviewComment
from connectors.github.payloads.rest import GitHubIssue
from connectors.github.repository import Repository
from connectors.github.resources.comments import ISSUE_COMMENTS, REVIEW_COMMENTS, record_comments
from connectors.github.resources.relations import read_relations
from connectors.payloads import Payload
from connectors.sampling import SAMPLED

M = TypeVar("M", bound=BaseModel)

_REPOSITORY = re.compile(r"/repos/([^/]+/[^/]+)$")


class Conversations:
    """`without_issues` says that the API of issues is refused or fails: pull requests are read without it. One of them
    `lacks_details` once it was read as an issue, since the server finds none at its own address."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._documents = repository.documents
        self._without_comments = False
        self._offered: dict[str, bool] = {}
        self.without_issues = False
        self.lacks_details = False

    def id_of(self, issue: GitHubIssue) -> str:
        return self._documents.issue_id(issue.number, is_pull_request=issue.is_pull_request)

    def read(self, issue: GitHubIssue, cursor: RepositoryCursor | None) -> Item:
        """An issue or pull request that a listing shows: what is not found of it is not gone, but `Failed`. `cursor`
        records which comments were read."""
        document_id, read = self.id_of(issue), partial(self._complete, issue, cursor)
        return self._repository.attempt_shown(document_id, issue.title, read) or Deleted(document_id)

    def read_commented(self, kind: str, number: int, cursor: RepositoryCursor) -> Item:
        """What a comment belongs to, which the comment shows to be there; `Deleted` if it was transferred. It is of
        the other kind than the comment's address says on some servers."""
        for one in (kind, "issues" if kind == "pull" else "pull"):
            read = partial(self.fetch, one, number, cursor)
            if item := self._repository.attempt_shown(self._id(one, number), f"#{number}", read):
                return item
        return Deleted(self._id(kind, number))

    def fetch(self, kind: str, number: int, cursor: RepositoryCursor | None = None) -> Item | None:
        """None where nothing is under this id: if it was transferred, or is of the other kind. Raises SourceError."""
        issue = self._payload(kind, number)
        is_same = self._is_own(issue) and issue.is_pull_request == (kind == "pull")
        return self._complete(issue, cursor) if is_same else None

    def _payload(self, kind: str, number: int) -> GitHubIssue:
        if kind == "pull" and (self.without_issues or not self._repository.has_issues):
            return self._pull(number).as_issue()
        try:
            return self._repository.client.issue(self._repository.name, number)
        except AccessDenied:
            if kind != "pull":
                raise
            return self._pull(number).as_issue()

    def _pull(self, number: int) -> GitHubIssue:
        return self._repository.client.get(GitHubIssue, f"{self._repository.path}/pulls/{number}")

    def _complete(self, issue: GitHubIssue, cursor: RepositoryCursor | None) -> Item:
        issue.require_sound()
        read_at = datetime.now(UTC)
        if issue.is_pull_request:
            return self._complete_pull(self._detailed(issue), read_at, cursor)
        comments = self._comments(issue)
        if cursor:
            record_comments(cursor, ISSUE_COMMENTS, comments, read_at)
        return self._documents.issue(issue, comments, read_relations(self._repository, issue))

    def _complete_pull(self, pull: GitHubIssue, read_at: datetime, cursor: RepositoryCursor | None) -> Item:
        place = f"pulls/{pull.number}"
        comments = self._pull_comments(pull)
        reviews = self._said(GitHubReview, pull, f"{place}/reviews", REVIEW_COMMENTS)
        on_lines = self._comments_on_lines(pull)
        if cursor:
            record_comments(cursor, ISSUE_COMMENTS, comments, read_at)
            record_comments(cursor, REVIEW_COMMENTS, on_lines, read_at)
        return self._documents.pull_request(pull, comments, reviews, on_lines)

    def _detailed(self, pull: GitHubIssue) -> GitHubIssue:
        """With what the form of an issue lacks: branches, and whose reviews are requested."""
        if pull.head:
            return pull
        try:
            return pull.with_details(self._pull(pull.number))
        except NotFound:
            self._payload("pull", pull.number)
            if self.are_detailed:
                raise RequestRejected(f"pulls/{pull.number}", 404, "not found, though listed as others are") from None
            self.lacks_details = True
            return pull

    @cached_property
    def are_detailed(self) -> bool:
        """Whether the server finds pull requests at their own addresses: asked of a few, once. Raises SourceError where
        none can be read."""
        listed = self._repository.client.some(GitHubIssue, f"{self._repository.path}/pulls", SAMPLED, state="all")
        return any(self._is_found(one.number) for one in listed)

    def _is_found(self, number: int) -> bool:
        try:
            self._pull(number)
        except NotFound:
            return False
        return True

    def _pull_comments(self, pull: GitHubIssue) -> list[GitHubComment]:
        """The API of issues tells them. Without it pull requests are read as they are, and once more when it is back:
        the listing of issues goes on from where it ended."""
        if self._without_comments:
            return []
        try:
            return self._comments(pull)
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError:
            if not self.without_issues:
                raise
            self._without_comments = True
            return []

    def _comments(self, issue: GitHubIssue) -> list[GitHubComment]:
        if issue.comments == 0:
            return []
        return self._said(GitHubComment, issue, f"issues/{issue.number}/comments", ISSUE_COMMENTS)

    def _comments_on_lines(self, pull: GitHubIssue) -> list[GitHubReviewComment]:
        if pull.review_comments == 0:
            return []
        return self._said(GitHubReviewComment, pull, f"pulls/{pull.number}/comments", REVIEW_COMMENTS)

    def _said(self, model: type[M], issue: GitHubIssue, path: str, of_all: str) -> list[M]:
        """Comments or reviews; none where a server has no such listings. Of what still exists GitHub finds them."""
        try:
            return list(self._repository.client.listing(model, f"{self._repository.path}/{path}"))
        except NotFound:
            self._payload("pull" if issue.is_pull_request else "issues", issue.number)
            if self._is_offered(of_all):
                raise RequestRejected(path, 404, f"not found, though #{issue.number} is there") from None
            return []

    def _is_offered(self, of_all: str) -> bool:
        """Whether the server knows comments, which GitHub also lists for the whole repository: asked once. Raises
        SourceError."""
        if of_all not in self._offered:
            try:
                self._repository.client.first(Payload, f"{self._repository.path}/{of_all}")
            except NotFound:
                self._offered[of_all] = False
            else:
                self._offered[of_all] = True
        return self._offered[of_all]

    def _is_own(self, issue: GitHubIssue) -> bool:
        named = _REPOSITORY.search(issue.repository_url)
        return named is None or named[1].lower() == self._repository.name.lower()

    def _id(self, kind: str, number: int) -> str:
        return self._documents.issue_id(number, is_pull_request=kind == "pull")
