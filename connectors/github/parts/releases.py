"""Releases with their notes. https://docs.github.com/en/rest/releases/releases#list-releases

The listing holds them whole, newest first, and cannot be asked for what has changed: its first page is asked for
conditionally, and all pages are read when that one has changed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from connectors.errors import NotFound
from connectors.github.answers import Page, Payload
from connectors.github.documents import release_time
from connectors.github.progress import Progress
from connectors.github.repository import Repository
from connectors.model import Checkpoint, Deleted, Document, Failed, Item, Listed, Skipped, Window

logger = logging.getLogger(__name__)


class Releases:
    kinds = ("releases",)

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._make = repository.make

    def changed(self, progress: Progress, window: Window | None) -> Iterator[Item]:
        if window:
            yield from (item for payload in self._all() if (item := self._inside(payload, window)))
            return
        pages = list(self._pages(progress.etags.get("releases")))
        if not pages:
            return
        progress.etags.pop("releases", None)
        present = {self._make.release_id(payload): payload for page in pages for payload in page.items}
        for document_id in [known for known in progress.releases if known not in present]:
            yield Deleted(document_id)
            del progress.releases[document_id]
        for document_id, payload in present.items():
            item = self._item(payload)
            if progress.releases.get(document_id) != _version(item):
                yield item
                progress.releases[document_id] = _version(item)
        progress.keep_etag("releases", pages[0].etag)
        yield Checkpoint(progress.cursor())

    def listed(self) -> Iterator[Listed]:
        for payload in self._all():
            yield Listed(self._make.release_id(payload), str(payload.get("name") or ""), release_time(payload))

    def again(self, kind: str, name: str) -> Item | None:
        if not name.isdecimal():
            return None
        return self._item(self._repository.client.get(f"{self._repository.path}/releases/{name}"))

    def _all(self) -> Iterator[Payload]:
        return (payload for page in self._pages(None) for payload in page.items)

    def _pages(self, etag: str | None) -> Iterator[Page]:
        try:
            yield from self._repository.client.pages(f"{self._repository.path}/releases", etag)
        except NotFound:
            logger.info("%s: the server has no releases", self._repository.name)

    def _inside(self, payload: Payload, window: Window) -> Item | None:
        item = self._item(payload)
        return item if isinstance(item, Document) and item.updated_at in window else None

    def _item(self, payload: Payload) -> Document | Skipped | Failed:
        """Drafts are seen by those alone who may write, so they are passed over."""
        document_id, title = self._make.release_id(payload), str(payload.get("name") or payload.get("tag_name") or "")
        if payload.get("draft"):
            return Skipped(document_id, title, "draft", str(payload.get("html_url") or ""))
        item = self._repository.guard(document_id, title, lambda: self._make.release(payload))
        return item if not isinstance(item, Deleted) else Failed(document_id, title, "not found")


def _version(item: Document | Skipped | Failed) -> str:
    """Of what would be emitted: equal if nothing has changed."""
    match item:
        case Document():
            return item.version[:16]
        case Skipped():
            return item.reason
        case Failed():
            return item.error
