"""Issues as documents, and as entries of a listing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.contract import Deleted, Failed, Item, ListingEntry, id_prefix
from connectors.errors import NotFound
from connectors.fingerprints import fingerprint
from connectors.isolation import Isolation
from connectors.model import MARKDOWN, Document, Parent, Unit
from headrace_linear.client import LinearClient
from headrace_linear.payloads import AnyIssue, LinearIssue, OddIssue
from headrace_linear.render import issue_markdown

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def document_id(connection: str, issue_id: str) -> str:
    """By the issue's UUID alone: its number is another one once it is moved to another team."""
    return f"{id_prefix('linear', connection)}{issue_id}"


def issue_id(connection: str, document_id: str) -> str | None:
    """The UUID in a document's id; None for an id that this connection never gave."""
    own = document_id.removeprefix(id_prefix("linear", connection))
    return own if _UUID.fullmatch(own) else None


@dataclass(frozen=True, slots=True)
class LinearDocuments:
    """Makes the items of one team, in one read."""

    connection: str
    client: LinearClient
    unit: Unit
    isolation: Isolation

    def item(self, issue: AnyIssue) -> Item:
        """The issue's document, its failure, or that it is gone."""
        own = document_id(self.connection, issue.id)
        if isinstance(issue, OddIssue):
            return Failed(own, "", "not as documented: fields are missing, or are not what Linear's schema says")
        return self.isolation.attempt(own, issue.title, lambda: self._read(own, issue), issue.url)

    def fetch(self, document_id: str) -> Item:
        """The object of an id as it is now."""
        own = issue_id(self.connection, document_id)
        if own is None:
            return Deleted(document_id)
        return self.isolation.attempt(document_id, "", lambda: self._fetch(document_id, own))

    def entry(self, issue: AnyIssue) -> ListingEntry:
        own = document_id(self.connection, issue.id)
        if isinstance(issue, OddIssue):
            return ListingEntry(own)
        return ListingEntry(own, issue.title, issue.changed_at, issue_fingerprint(issue))

    def _fetch(self, document_id: str, issue_id: str) -> Item:
        try:
            return self._read(document_id, self.client.issue(issue_id))
        except NotFound:
            return Deleted(document_id)

    def _read(self, own: str, issue: LinearIssue) -> Document | Deleted:
        if issue.is_gone or issue.team is None or issue.team.id != self.unit.id:
            return Deleted(own)
        comments = [*issue.comments.nodes, *self.client.more_comments(issue)]
        return Document(
            id=own,
            source="linear",
            connection=self.connection,
            unit=self.unit.id,
            kind="issue",
            title=issue.title,
            url=issue.url,
            content=issue_markdown(issue, comments),
            content_type=MARKDOWN,
            author=issue.creator.name,
            created_at=issue.created_at,
            updated_at=issue.changed_at,
            parents=(Parent(f"{id_prefix('linear', self.connection)}{self.unit.id}", self.unit.name),),
            tags=tuple(label.name for label in issue.labels.nodes),
            readers=self.unit.readers,
            fingerprint=issue_fingerprint(issue),
        )


def issue_fingerprint(issue: LinearIssue) -> str:
    """Of what a listing shows: a comment that is deleted is missing from it, and changes no time."""
    comments = sorted((comment.id, comment.updated_at.isoformat()) for comment in issue.comments.nodes)
    return fingerprint([issue.title, issue.updated_at.isoformat(), comments])
