"""Discussions with their comments, replies and answers, which only GraphQL tells.

https://docs.github.com/en/graphql/guides/using-the-graphql-api-for-discussions
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any, TypeAlias, TypeVar

from connectors.contract import Checkpoint, Deleted, Item, ListingEntry, Window
from connectors.errors import InvalidResponse, NotFound, RequestRejected, Unavailable
from connectors.github.cursor import RepositoryCursor
from connectors.github.discussion_heads import DiscussionHeads
from connectors.github.graphql import NO_DISCUSSIONS, NotOffered, UndefinedFields
from connectors.github.part_table import DISCUSSIONS
from connectors.github.payloads.graphql import (
    DiscussionComment,
    DiscussionHead,
    DiscussionHeader,
    DiscussionListing,
    DiscussionReply,
    DiscussionsByAlias,
    GitHubDiscussion,
    InRepository,
    OneComment,
    OneDiscussion,
)
from connectors.github.payloads.parsing import NotAsDocumented
from connectors.github.repository import Repository
from connectors.github.resources import discussion_queries as queries
from connectors.github.resources.part import RepositoryPart
from connectors.paging import PageTrail
from connectors.sampling import SAMPLED, find_one

AskQuery: TypeAlias = Callable[..., Any]
"""`GitHubClient.query`, or one that is like it."""

R = TypeVar("R")
T = TypeVar("T")

PER_REQUEST = 10
"""Discussions read at once: with 50 comments and 50 replies each, about 5 of an hour's 5,000 points."""


class DiscussionResource(RepositoryPart):
    part = DISCUSSIONS
    kinds = ("discussions",)

    def __init__(self, repository: Repository, heads: DiscussionHeads) -> None:
        super().__init__(repository)
        self._heads = heads
        self._head: DiscussionHead | None = None
        self._where = f"{repository.path} through GraphQL"
        owner, _, name = repository.name.partition("/")
        self._names = {"owner": owner, "name": name}
        self._undefined: frozenset[str] = frozenset()
        self._not_offered: NotOffered | None = None

    def probe(self) -> str | None:
        if not self.repository.has_discussions:
            return "not tried: they are switched off"
        listed = islice(self._listing(None, self.repository.client.query_promptly), SAMPLED)
        find_one([one.number for one in listed], self._ask_for)
        return f"{NO_DISCUSSIONS}: {self._not_offered}" if self._not_offered else None

    def read_changes(self, cursor: RepositoryCursor, window: Window | None) -> Iterator[Item]:
        """By their last update, least recently updated first, with a checkpoint after each handful."""
        if window is None and self._is_as_before(cursor):
            return
        timeline, begun_at = cursor.discussions, datetime.now(UTC)
        due = [
            one
            for one in reversed(list(self._listing(window.since if window else timeline.begin)))
            if ((one.updated in window) if window else timeline.is_new(one.number, one.updated))
        ]
        for start in range(0, len(due), PER_REQUEST):
            batch = due[start : start + PER_REQUEST]
            read_at = datetime.now(UTC)
            yield from map(self.checked, self._read([one.number for one in batch]))
            for one in batch:
                timeline.advance(one.number, one.updated, read_at)
            timeline.forget_settled()
            if window is None:
                yield Checkpoint(cursor.to_json())
        if window is None:
            cursor.keep_head(self._head, begun_at)

    def entries(self) -> Iterator[ListingEntry]:
        for one in self._listing(None):
            yield ListingEntry(self.documents.discussion_id(one.number), one.title, one.updated)

    def fetch(self, kind: str, name: str) -> Item | None:
        return self._fetch(int(name)) if name.isdecimal() else None

    def _is_as_before(self, cursor: RepositoryCursor) -> bool:
        before = cursor.discussions_head
        return before is not None and self._heads.take(self.documents.unit) == before

    def _listing(self, since: datetime | None, ask: AskQuery | None = None) -> Iterator[DiscussionHeader]:
        """All discussions updated at or after `since`, newest first. `ask` sends the query, if not with patience."""
        if not self.repository.has_discussions:
            return
        after, trail = None, PageTrail(self._where)
        try:
            while True:
                page = self._query(DiscussionListing, queries.LISTING, ask, after=after).discussions
                self._head = self._head if after else page.head
                for one in page.visible:
                    if since and one.updated and one.updated < since:
                        return
                    yield one
                if not (after := trail.follow(page.next_cursor, page.nodes)):
                    return
        except NotOffered as error:
            if self.repository.payload.has_discussions:  # else the server knows of no discussions
                raise
            self._not_offered = error
        except NotAsDocumented as error:
            raise InvalidResponse(self._where, str(error)) from error

    def _read(self, numbers: Sequence[int]) -> Iterator[Item]:
        """All of them at once, or one by one where that is too much for the server, or one of them is odd."""
        try:
            found = self._payloads(numbers)
        except (Unavailable, InvalidResponse, RequestRejected, NotAsDocumented):
            found = {}
        for number in numbers:
            yield self._item(number, found.get(number))

    def _item(self, number: int, discussion: GitHubDiscussion | None) -> Item:
        document_id = self.documents.discussion_id(number)
        title = (discussion.title if discussion else "") or f"#{number}"
        read = partial(self._complete, discussion) if discussion else partial(self._fetch, number)
        return self.repository.attempt_shown(document_id, title, read) or Deleted(document_id)

    def _fetch(self, number: int) -> Item:
        """Raises SourceError: NotFound as well, for which GraphQL has no word but null."""
        if discussion := self._payloads([number]).get(number):
            return self._complete(discussion)
        raise self._not_found(number)

    def _ask_for(self, number: int) -> None:
        """Whether a discussion is found, without the patience of reading it. Raises SourceError."""
        try:
            found = self._payloads([number], self.repository.client.query_promptly)
        except NotAsDocumented:
            return
        if not found:
            raise self._not_found(number)

    def _not_found(self, number: int) -> NotFound:
        return NotFound(f"discussion {number} of {self._where}")

    def _payloads(self, numbers: Sequence[int], ask: AskQuery | None = None) -> dict[int, GitHubDiscussion]:
        def find(without: frozenset[str]) -> DiscussionsByAlias:
            return self._query(DiscussionsByAlias, queries.discussions(numbers, without), ask)

        found = self._ask(find)
        if any(one and one.has_gaps for one in found.values()):
            found = self._ask(find)  # as with pages of REST: what the server failed to give may be there now
        return {number: one for number in numbers if (one := found.get(f"d{number}"))}

    def _complete(self, discussion: GitHubDiscussion) -> Item:
        """With the comments and replies that did not fit into the first answer."""
        page, trail = discussion.comments, PageTrail(self._where)
        comments = page.visible
        while after := trail.follow(page.next_cursor, page.nodes):
            text = queries.more_comments(self._undefined)
            page = self._query(OneDiscussion, text, number=discussion.number, after=after).discussion.comments
            comments += page.visible
        whole = [comment.with_replies(self._replies(comment)) for comment in comments]
        return self.documents.discussion(discussion.with_comments(whole))

    def _replies(self, comment: DiscussionComment) -> list[DiscussionReply]:
        page, trail = comment.replies, PageTrail(self._where)
        replies = page.visible
        while after := trail.follow(page.next_cursor, page.nodes):
            text = queries.more_replies(self._undefined)
            page = self.repository.client.query(OneComment, text, id=comment.id, after=after).node.replies
            replies += page.visible
        return replies

    def _ask(self, query: Callable[[frozenset[str]], T]) -> T:
        """What `query` finds, without the fields that the server does not know, as far as a discussion can do without
        them."""
        while True:
            try:
                return query(self._undefined)
            except UndefinedFields as error:
                found = error.fields - self._undefined
                if not found or not all(map(queries.is_optional, found)):
                    raise
                self._undefined |= found

    def _query(self, model: type[R], text: str, ask: AskQuery | None = None, **variables: Any) -> R:
        """What was found in this repository. Raises SourceError and NotAsDocumented."""
        answer = InRepository[model]  # type: ignore[valid-type]
        found: R | None = (ask or self.repository.client.query)(answer, text, **self._names, **variables).repository
        if found is None:
            raise NotFound(self._where)
        return found
