"""Releases with their notes. https://docs.github.com/en/rest/releases/releases#list-releases

The listing holds them whole, newest first, and cannot be asked for what has changed: its first page is asked for
conditionally, and all pages are read when that one shows something else than before.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from itertools import chain

from connectors.contract import Checkpoint, Deleted, Failed, Item, ListingEntry, Skipped, Window
from connectors.errors import InvalidResponse, NotFound
from connectors.github.cursor import Progress
from connectors.github.repository import Repository
from connectors.github.responses import Page, Payload
from connectors.model import Document

logger = logging.getLogger(__name__)

_NEWEST = "releases shown"
"""Under this name the cursor keeps what the first page showed."""


class Releases:
    kinds = ("releases",)

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._make = repository.make

    def changed(self, progress: Progress, window: Window | None) -> Iterator[Item]:
        if window:
            yield from (item for payload in self._all() if (item := self._inside(payload, window)))
            return
        pages = self._pages(progress.etags.get("releases"))
        first = next(pages, None)
        if first is None:
            return
        newest = self._state(first)
        if progress.etags.get(_NEWEST) != newest:
            progress.etags.pop("releases", None)
            progress.etags.pop(_NEWEST, None)
            yield from self._all_changed(chain((first,), pages), progress)
        progress.keep_etag("releases", first.etag)
        progress.keep_etag(_NEWEST, newest)
        yield Checkpoint(progress.cursor())

    def listed(self) -> Iterator[ListingEntry]:
        for payload in self._all():
            item = self._item(payload)
            told = (item.updated_at, item.fingerprint) if isinstance(item, Document) else ()
            yield ListingEntry(self._make.release_id(payload), str(payload.get("name") or ""), *told)

    def again(self, kind: str, name: str) -> Item | None:
        if not name.isdecimal():
            return None
        return self._item(self._repository.client.get(f"{self._repository.path}/releases/{name}"))

    def _all_changed(self, pages: Iterable[Page], progress: Progress) -> Iterator[Item]:
        """What is new or another than before on all pages, then what stands on none."""
        gone = dict.fromkeys(progress.releases)
        for payload in (payload for page in pages for payload in page.items):
            document_id, item = self._make.release_id(payload), self._item(payload)
            gone.pop(document_id, None)
            if progress.releases.get(document_id) != _version(item):
                yield item
                progress.releases[document_id] = _version(item)
        for document_id in gone:
            yield Deleted(document_id)
            del progress.releases[document_id]

    def _state(self, page: Page) -> str:
        """Of all that would be emitted of a page. Its ETag also tells how often each file was downloaded."""
        shown = [(self._make.release_id(payload), _version(self._item(payload))) for payload in page.items]
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]

    def _all(self) -> Iterator[Payload]:
        return (payload for page in self._pages(None) for payload in page.items)

    def _pages(self, etag: str | None) -> Iterator[Page]:
        path, found = f"{self._repository.path}/releases", False
        try:
            for page in self._repository.client.pages(path, etag):
                if any("id" not in payload for payload in page.items):
                    raise InvalidResponse(path, "a release without an id")
                found = True
                yield page
        except NotFound:
            if found:
                raise  # a listing that ends early is not one of all releases
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
            return item.fingerprint
        case Skipped():
            return item.reason
        case Failed():
            return item.error
