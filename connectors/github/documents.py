"""Payloads to documents of one repository: ids, parents, times, readers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import quote

from connectors.file_content import FileContent
from connectors.github.document_ids import DocumentIds
from connectors.github.payloads.comments import CommitComment, GitHubComment, GitHubReview, GitHubReviewComment
from connectors.github.payloads.git import GitHubCommit
from connectors.github.payloads.graphql import GitHubDiscussion
from connectors.github.payloads.parsing import parse_time
from connectors.github.payloads.rest import GitHubIssue, GitHubRelease, GitHubRepository
from connectors.github.render.commits import render_commit_comments
from connectors.github.render.discussions import discussion_tags, render_discussion
from connectors.github.render.issue_facts import NO_RELATIONS, IssueRelations, issue_state
from connectors.github.render.issues import render_issue, render_pull_request
from connectors.github.render.markdown import login_of
from connectors.github.render.releases import render_release
from connectors.github.render.repositories import render_repository
from connectors.github.trees import GitFile
from connectors.github.wiki_pages import page_fingerprint, page_name, page_title
from connectors.model import MARKDOWN, Document, Parent

FINGERPRINT_DIGITS = 16
"""Of a release's version."""


@dataclass(frozen=True, slots=True)
class RepositoryDocuments(DocumentIds):
    """`name` and `url` are those that the repository has now; `readers` holds for all that is in it."""

    name: str
    url: str
    branch: str
    readers: tuple[str, ...]

    def about(self, repository: GitHubRepository) -> Document | None:
        """What a repository says of itself; None where it says nothing."""
        content = render_repository(repository)
        if not content:
            return None
        document = Document(
            id=self.about_id,
            source="github",
            connection=self.connection,
            unit=self.unit,
            kind="repository",
            title=self.name,
            url=self.url,
            content=content,
            content_type=MARKDOWN,
            author=login_of(repository.owner) if repository.owner else "",
            parents=(self._repository,),
            tags=tuple(dict.fromkeys(topic for topic in repository.topics if topic)),
            readers=self.readers,
        )
        return replace(document, fingerprint=document.version[:FINGERPRINT_DIGITS])

    def issue(
        self, issue: GitHubIssue, comments: Sequence[GitHubComment], relations: IssueRelations = NO_RELATIONS
    ) -> Document:
        return self._issue("issue", issue, render_issue(issue, comments, relations))

    def pull_request(
        self,
        pull: GitHubIssue,
        comments: Sequence[GitHubComment],
        reviews: Sequence[GitHubReview],
        review_comments: Sequence[GitHubReviewComment],
    ) -> Document:
        content = render_pull_request(pull, comments, reviews, review_comments)
        return self._issue("pull_request", pull, content)

    def discussion(self, discussion: GitHubDiscussion) -> Document:
        """A discussion with all of its comments and replies."""
        number = discussion.number
        return Document(
            id=self.discussion_id(number),
            source="github",
            connection=self.connection,
            unit=self.unit,
            kind="discussion",
            title=discussion.title or f"#{number}",
            url=discussion.url or f"{self.url}/discussions/{number}",
            content=render_discussion(discussion),
            content_type=MARKDOWN,
            author=login_of(discussion.author),
            created_at=parse_time(discussion.created_at),
            updated_at=parse_time(discussion.updated_at),
            parents=(self._repository,),
            tags=tuple(dict.fromkeys(discussion_tags(discussion))),
            readers=self.readers,
        )

    def release(self, release: GitHubRelease) -> Document:
        """Its listing shows a release whole, so that its version is its fingerprint."""
        document = Document(
            id=self.release_id(release),
            source="github",
            connection=self.connection,
            unit=self.unit,
            kind="release",
            title=release.name or release.tag_name or str(release.id),
            url=release.html_url or f"{self.url}/releases",
            content=render_release(release),
            content_type=MARKDOWN,
            author=login_of(release.author),
            created_at=parse_time(release.created_at),
            updated_at=parse_time(release.updated_at or release.published_at or release.created_at),
            parents=(self._repository,),
            tags=("pre-release",) if release.prerelease else (),
            readers=self.readers,
        )
        return replace(document, fingerprint=document.version[:FINGERPRINT_DIGITS])

    def file(self, path: str, content: FileContent, commit: GitHubCommit) -> Document:
        """A file, with the commit that last changed it where it is known."""
        return Document(
            id=self.file_id(path),
            source="github",
            connection=self.connection,
            unit=self.unit,
            kind="file",
            title=path,
            url=self.file_url(path),
            content=content.body,
            content_type=content.media_type,
            author=commit.author_name,
            updated_at=parse_time(commit.committed_at),
            parents=self._folders(path),
            readers=self.readers,
        )

    def commit_comments(self, sha: str, comments: Sequence[CommitComment]) -> Document | None:
        """What was said about a commit, but for what was minimized; None where nothing is left."""
        said = sorted((one for one in comments if one.minimized is None), key=lambda one: one.created_at)
        if not said:
            return None
        document = Document(
            id=self.commit_id(sha),
            source="github",
            connection=self.connection,
            unit=self.unit,
            kind="commit",
            title=f"Comments on commit {sha[:7]}",
            url=f"{self.url}/commit/{sha}",
            content=render_commit_comments(said),
            content_type=MARKDOWN,
            author=login_of(said[0].user),
            created_at=parse_time(said[0].created_at),
            updated_at=parse_time(max(one.updated_at or one.created_at for one in said)),
            parents=(self._repository,),
            readers=self.readers,
        )
        return replace(document, fingerprint=document.version[:FINGERPRINT_DIGITS])

    def wiki_page(self, page: GitFile, content: FileContent, committed_at: datetime | None) -> Document:
        """A page, as the wiki has it since its newest commit at `committed_at`: which commit changed it last, is not
        asked for."""
        return Document(
            id=self.wiki_id(page.path),
            source="github",
            connection=self.connection,
            unit=self.unit,
            kind="wiki",
            title=page_title(page.path),
            url=self.wiki_url(page.path),
            content=content.body,
            content_type=content.media_type,
            updated_at=committed_at,
            parents=(self._repository, Parent(f"{self.root}/wiki", "Wiki")),
            readers=self.readers,
            fingerprint=page_fingerprint(page),
        )

    def wiki_url(self, path: str) -> str:
        return f"{self.url}/wiki/{quote(page_name(path))}"

    def file_url(self, path: str) -> str:
        return f"{self.url}/blob/{quote(self.branch)}/{quote(path)}"

    @property
    def _repository(self) -> Parent:
        return Parent(self.root, self.name)

    def _issue(self, kind: str, issue: GitHubIssue, content: str) -> Document:
        is_pull = kind == "pull_request"
        return Document(
            id=self.issue_id(issue.number, is_pull_request=issue.is_pull_request),
            source="github",
            connection=self.connection,
            unit=self.unit,
            kind=kind,
            title=issue.title or f"#{issue.number}",
            url=issue.html_url or f"{self.url}/{'pull' if is_pull else 'issues'}/{issue.number}",
            content=content,
            content_type=MARKDOWN,
            author=login_of(issue.user),
            created_at=parse_time(issue.created_at),
            updated_at=parse_time(issue.updated_at),
            parents=(self._repository,),
            tags=tuple(dict.fromkeys(tag for tag in (issue_state(issue), issue.type_name, *issue.label_names) if tag)),
            readers=self.readers,
        )

    def _folders(self, path: str) -> tuple[Parent, ...]:
        folders = [str(folder) for folder in reversed(PurePosixPath(path).parents) if str(folder) != "."]
        return (
            self._repository,
            *(Parent(f"{self.root}/tree/{folder}", PurePosixPath(folder).name) for folder in folders),
        )
