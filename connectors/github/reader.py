"""One read of one repository: its parts, one after the other. What ends one leaves the others alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from connectors.contract import Checkpoint, Cursor, Deleted, Failed, Item, ListingEntry, PartState, Window
from connectors.errors import REFUSALS, AuthenticationFailed, RateLimited, SourceError, TransientError
from connectors.github.client import GitHubClient
from connectors.github.cursor import RepositoryCursor, kept_repository
from connectors.github.discussion_heads import DiscussionHeads
from connectors.github.payloads.kept import KeptLook
from connectors.github.repository import open_repository
from connectors.github.resources.about import AboutResource
from connectors.github.resources.commit_comments import CommitCommentResource
from connectors.github.resources.discussions import DiscussionResource
from connectors.github.resources.files import FileResource
from connectors.github.resources.issues import IssueResource
from connectors.github.resources.part import RepositoryPart
from connectors.github.resources.pulls import PullResource
from connectors.github.resources.releases import ReleaseResource
from connectors.github.resources.wiki import WikiResource
from connectors.github.settings import GitHubConnection
from connectors.model import Unit

T = TypeVar("T")


class RepositoryReader:
    """Asks for the repository itself when it is made: with a cursor, whether it has changed. Raises SourceError.

    `known` are states of parts that are read elsewhere, and told with those of this read. `heads` tell where
    discussions may have changed; `activity` is what the repository showed just before of the last that happened in it.
    """

    def __init__(
        self,
        client: GitHubClient,
        connection: GitHubConnection,
        unit: Unit,
        heads: DiscussionHeads,
        *,
        known: Sequence[PartState] = (),
        cursor: Cursor | None = None,
        activity: str = "",
    ) -> None:
        self._known = known
        self._activity = activity
        self._repository = open_repository(client, connection, unit, kept_repository(cursor))
        self._patterns = connection.files
        self._probed: set[RepositoryPart] = set()
        self._about = AboutResource(self._repository)
        self._pulls = PullResource(self._repository)
        self._issues = IssueResource(self._repository, self._pulls)
        files = FileResource(self._repository)
        self._others: tuple[RepositoryPart, ...] = (
            DiscussionResource(self._repository, heads),
            ReleaseResource(self._repository),
            files,
            CommitCommentResource(self._repository),
            WikiResource(self._repository, files),
        )

    @property
    def parts(self) -> tuple[RepositoryPart, ...]:
        return (self._issues, self._pulls, *self._others)

    def read_changes(self, cursor: Cursor | None, window: Window | None) -> Iterator[Item]:
        progress = self._resume(None if window else cursor)
        if window is None:  # nobody tells when it changed
            yield from self._about.read_changes(progress)
        self._probe_stopped(progress)
        self._settle(self._pulls, self._pulls.verify if window else partial(self._pulls.look, progress))
        yield from self._attempt(self._issues, lambda: self._issues.read_changes(progress, window))
        self._go_without_issues()
        for one in (self._pulls, *self._others):
            yield from self._attempt(one, partial(one.read_changes, progress, window))
        progress.pulls_behind = progress.pulls_behind or self._pulls.trouble is not None
        progress.stopped = [one.part.name for one in self.parts if one.trouble or one.none_found]
        progress.looked = self._look()
        yield from self._states()
        yield Checkpoint(cursor or {}) if window else Checkpoint(progress.to_json(), complete=not cursor)

    def entries(self) -> Iterator[ListingEntry | PartState]:
        yield from self._about.entries()
        self._settle(self._pulls, self._pulls.ask_for_listing)
        yield from self._attempt(self._issues, self._issues.entries)
        self._go_without_issues()
        for one in (self._pulls, *self._others):
            yield from self._attempt(one, one.entries)
        yield from self._states()

    def fetch(self, document_ids: Sequence[str]) -> Iterator[Item]:
        """One item for each id, `Deleted` for what is gone or was never an id of this repository; then parts of which
        none is found."""
        parts = {kind: one for one in self.parts for kind in one.kinds}
        for document_id in document_ids:
            if document_id == self._repository.documents.about_id:
                yield self._about.fetch()
                continue
            kind, name = self._repository.documents.parse_id(document_id)
            part = parts.get(kind)
            item = part.repository.attempt(document_id, name, partial(part.fetch, kind, name)) if part else None
            item = item or Deleted(document_id)
            yield self._gone(item, part) if isinstance(item, Deleted) else item
        yield from (one.state for one in self.parts if one.none_found)

    def _go_without_issues(self) -> None:
        if self._issues.trouble:
            self._pulls.go_without_issues()

    def _probe_stopped(self, progress: RepositoryCursor) -> None:
        """One request for each part that the last read was refused, or that failed: until it is answered, no more."""
        for one in self.parts:
            if one.part.name in progress.stopped:
                self._settle(one, one.verify)

    def _attempt(self, one: RepositoryPart, items: Callable[[], Iterable[T]]) -> Iterator[T]:
        """What there is of a part, unless it is stopped. Raises what concerns everything."""
        if one.trouble:
            return
        try:
            yield from items()
        except RateLimited:
            raise
        except SourceError as trouble:
            one.trouble = trouble
        self._require_answer(one.trouble)

    def _settle(self, one: RepositoryPart, ask: Callable[[], object]) -> None:
        """As `_attempt`, for a question."""

        def nothing() -> Iterator[None]:
            ask()
            yield from ()

        for _ in self._attempt(one, nothing):
            pass

    def _require_answer(self, trouble: SourceError | None) -> None:
        """Raises what has failed for a passing reason, or for wrong credentials, where the repository itself fails as
        well: then it is everybody's trouble. Some servers know the credentials of one API in another no more."""
        if isinstance(trouble, TransientError | AuthenticationFailed):
            try:
                self._repository.client.repository(self._repository.name, self._repository.kept)
            except (TransientError, AuthenticationFailed):
                raise trouble from None

    def _gone(self, item: Deleted, one: RepositoryPart | None) -> Item:
        """That an object is not found says nothing where its part is refused as a whole."""
        if one and one not in self._probed:
            self._probed.add(one)
            self._settle(one, one.verify)
        if one and one.trouble:
            transient = isinstance(one.trouble, TransientError)
            return Failed(item.document_id, "", str(one.trouble), is_transient=transient)
        return item

    def _states(self) -> Iterator[PartState]:
        yield from (one.state for one in self.parts)
        yield from self._known

    def _look(self) -> KeptLook | None:
        """None where it is not told by what to see whether anything has happened since, and where what fails now is to
        be asked for again."""
        troubles = [one.trouble for one in self.parts if one.trouble]
        is_failing = not all(isinstance(one, REFUSALS) for one in troubles) or any(one.none_found for one in self.parts)
        if is_failing or not self._activity:
            return None
        return KeptLook(at=datetime.now(UTC), activity=self._activity)

    def _resume(self, cursor: Cursor | None) -> RepositoryCursor:
        branch = self._repository.documents.branch
        progress = RepositoryCursor.resume(cursor, branch, self._patterns, self._repository.read_at)
        progress.repository = self._repository.kept
        return progress
