"""Discussions with their comments, replies and answers, which only GraphQL tells.

https://docs.github.com/en/graphql/guides/using-the-graphql-api-for-discussions
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.contract import Checkpoint, Deleted, Item, ListingEntry, Window
from connectors.errors import InvalidResponse, NotFound, RequestRejected, Unavailable
from connectors.github.cursor import Progress
from connectors.github.graphql import NotOffered, aliased, following, nodes
from connectors.github.repository import Repository
from connectors.github.responses import Payload, moment

PER_REQUEST = 10
"""Discussions read at once: with 50 comments and 50 replies each, about 5 of an hour's 5,000 points."""

_SAID = "id body createdAt author { login }"
_REPLIES = f"pageInfo {{ hasNextPage endCursor }} nodes {{ {_SAID} }}"
_COMMENTS = f"""
pageInfo {{ hasNextPage endCursor }}
nodes {{ {_SAID} isAnswer replies(first: 50) {{ {_REPLIES} }} }}"""
_WHOLE = f"""
number title url body createdAt updatedAt closed stateReason author {{ login }} category {{ name }} answer {{ id }}
labels(first: 50) {{ nodes {{ name }} }}
comments(first: 50) {{ {_COMMENTS} }}"""
_REPOSITORY = "repository(owner: $owner, name: $name)"
_LISTING = f"""
query($owner: String!, $name: String!, $after: String) {{
  {_REPOSITORY} {{
    discussions(first: 100, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ number title updatedAt }}
    }}
  }}
}}"""
_MORE_COMMENTS = f"""
query($owner: String!, $name: String!, $number: Int!, $after: String!) {{
  {_REPOSITORY} {{ discussion(number: $number) {{ comments(first: 50, after: $after) {{ {_COMMENTS} }} }} }}
}}"""
_MORE_REPLIES = f"""
query($id: ID!, $after: String!) {{
  node(id: $id) {{ ... on DiscussionComment {{ replies(first: 50, after: $after) {{ {_REPLIES} }} }} }}
}}"""


class Discussions:
    kinds = ("discussions",)

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._make = repository.make
        owner, _, name = repository.name.partition("/")
        self._named = {"owner": owner, "name": name}

    def changed(self, progress: Progress, window: Window | None) -> Iterator[Item]:
        """By their last update, least recently updated first, with a checkpoint after each handful."""
        timeline = progress.discussions
        begin = window.since if window else timeline.begin
        found = [(number, updated) for number, _, updated in self._listing(begin)]
        wanted = [
            (number, updated)
            for number, updated in reversed(found)
            if ((updated in window) if window else timeline.is_new(number, updated))
        ]
        for start in range(0, len(wanted), PER_REQUEST):
            batch = wanted[start : start + PER_REQUEST]
            read_at = datetime.now(UTC)
            yield from self._read([number for number, _ in batch])
            for number, updated in batch:
                timeline.emitted(number, updated, read_at)
            timeline.forget_settled()
            if window is None:
                yield Checkpoint(progress.cursor())

    def listed(self) -> Iterator[ListingEntry]:
        for number, title, updated in self._listing(None):
            yield ListingEntry(self._make.discussion_id(number), title, updated)

    def again(self, kind: str, name: str) -> Item | None:
        try:
            return self._one(int(name)) if name.isdecimal() else None
        except NotOffered:
            return None

    def _listing(self, since: datetime | None) -> Iterator[tuple[int, str, datetime | None]]:
        """Number, title and last update of all discussions updated at or after `since`, newest first."""
        after: str | None = None
        while self._repository.has("discussions"):
            try:
                answer = self._query(_LISTING, after=after)
            except NotOffered:
                return
            connection = answer.get("discussions")
            for node in nodes(connection):
                updated = _updated(node)
                if since and updated and updated < since:
                    return
                yield int(node["number"]), str(node.get("title") or ""), updated
            after = following(connection)
            if not after:
                return

    def _read(self, numbers: Sequence[int]) -> Iterator[Item]:
        """All of them at once, or one by one where that is too much for the server."""
        try:
            found = self._payloads(numbers)
        except (Unavailable, InvalidResponse, RequestRejected):
            found = {}
        for number in numbers:
            yield self._item(number, found.get(number))

    def _item(self, number: int, payload: Payload | None) -> Item:
        document_id = self._make.discussion_id(number)
        title = str((payload or {}).get("title") or f"#{number}")
        item = self._repository.guard(
            document_id, title, lambda: self._complete(payload) if payload else self._one(number)
        )
        return item or Deleted(document_id)

    def _one(self, number: int) -> Item | None:
        payload = self._payloads([number]).get(number)
        return self._complete(payload) if payload else None

    def _payloads(self, numbers: Sequence[int]) -> dict[int, Payload]:
        fields = {f"d{number}": f"discussion(number: {number}) {{ ...whole }}" for number in numbers}
        text = f"query($owner: String!, $name: String!) {{ {_REPOSITORY} {{ {aliased(fields)} }} }}"
        answer = self._query(f"{text}\nfragment whole on Discussion {{ {_WHOLE} }}")
        return {number: found for number in numbers if (found := answer.get(f"d{number}"))}

    def _complete(self, payload: Payload) -> Item:
        """With the comments and replies that did not fit into the first answer."""
        number, connection = payload["number"], payload.get("comments")
        comments = nodes(connection)
        while after := following(connection):
            answer = self._query(_MORE_COMMENTS, number=number, after=after)
            connection = (answer.get("discussion") or {}).get("comments")
            comments += nodes(connection)
        comments = [{**comment, "replies": {"nodes": self._replies(comment)}} for comment in comments]
        return self._make.discussion({**payload, "comments": {"nodes": comments}})

    def _replies(self, comment: Payload) -> list[Payload]:
        connection = comment.get("replies")
        replies = nodes(connection)
        while after := following(connection):
            answer = self._repository.client.query(_MORE_REPLIES, id=comment["id"], after=after)
            connection = (answer.get("node") or {}).get("replies")
            replies += nodes(connection)
        return replies

    def _query(self, text: str, **variables: Any) -> Payload:
        found = self._repository.client.query(text, **self._named, **variables).get("repository")
        if not isinstance(found, dict):
            raise NotFound(f"{self._repository.path} through GraphQL")
        return found


def _updated(node: Payload) -> datetime | None:
    try:
        return moment(node.get("updatedAt"))
    except (TypeError, ValueError):
        return None
