"""Comments on commits, one document for each commit that has any.

https://docs.github.com/en/rest/commits/comments
Their listing is in the order in which they were written and knows no `since`: it is read once and by each reconcile,
and in between events tell of what is new.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from connectors.contract import Failed, Item, ListingEntry, Window
from connectors.errors import RequestRejected
from connectors.github.cursor import RepositoryCursor
from connectors.github.part_table import COMMIT_COMMENTS
from connectors.github.payloads.comments import CommitComment
from connectors.github.resources.part import RepositoryPart
from connectors.model import Document

_SHA = re.compile(r"[0-9a-f]{40,64}")


class CommitCommentResource(RepositoryPart):
    part = COMMIT_COMMENTS
    kinds = ("commit",)

    def probe(self) -> None:
        self.repository.client.first(CommitComment, f"{self.repository.path}/comments")

    def read_changes(self, cursor: RepositoryCursor, window: Window | None) -> Iterator[Item]:
        if window:
            yield from (item for item in self._all() if isinstance(item, Document) and item.updated_at in window)
        elif not cursor.has_commit_comments:
            yield from self._all()
            cursor.has_commit_comments = True

    def entries(self) -> Iterator[ListingEntry]:
        for item in self._all():
            if isinstance(item, Document):
                yield ListingEntry(item.id, item.title, item.updated_at, item.fingerprint)
            else:
                yield ListingEntry(item.document_id, item.title)

    def fetch(self, kind: str, name: str) -> Item | None:
        if not _SHA.fullmatch(name):
            return None
        path = f"{self.repository.path}/commits/{name}/comments"
        try:
            comments = list(self.repository.client.listing(CommitComment, path))
        except RequestRejected:  # no such commit
            return None
        return self.documents.commit_comments(name, comments)

    def _all(self) -> Iterator[Document | Failed]:
        found = defaultdict[str, list[CommitComment]](list)
        for page in self.repository.client.pages(CommitComment, f"{self.repository.path}/comments"):
            for comment in page.items:
                if _SHA.fullmatch(comment.commit_id):
                    found[comment.commit_id].append(comment)
        for sha, comments in found.items():
            read = partial(self.documents.commit_comments, sha, comments)
            item = self.repository.isolation.attempt(self.documents.commit_id(sha), sha, read)
            if item:
                yield item
