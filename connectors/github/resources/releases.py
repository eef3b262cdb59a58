"""Releases with their notes. https://docs.github.com/en/rest/releases/releases#list-releases

The listing holds them whole, newest first, and cannot be asked for what has changed: its first page is asked for
conditionally, and all pages are read when that one shows something else than before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain

from connectors.contract import Checkpoint, Deleted, Failed, Item, ListingEntry, Skipped, Window
from connectors.errors import NotFound
from connectors.fingerprints import fingerprint
from connectors.github.cursor import RepositoryCursor
from connectors.github.part_table import RELEASES
from connectors.github.payloads.rest import GitHubRelease
from connectors.github.resources.part import RepositoryPart
from connectors.github.responses import RestPage
from connectors.model import Document

_LISTING = "releases"
_NEWEST = "releases shown"
"""Under these names the cursor keeps the ETag of the first page, and what that page showed."""


class ReleaseResource(RepositoryPart):
    part = RELEASES
    kinds = ("releases",)

    def probe(self) -> None:
        self.repository.client.first(GitHubRelease, f"{self.repository.path}/releases")

    def read_changes(self, cursor: RepositoryCursor, window: Window | None) -> Iterator[Item]:
        if window:
            yield from (item for release in self._all() if (item := self._inside(release, window)))
            return
        pages = self._pages(cursor.etags.get(_LISTING))
        first = next(pages, None)
        if first is None:
            return
        newest = self._state(first)
        if cursor.etags.get(_NEWEST) != newest:
            cursor.etags.pop(_LISTING, None)  # until all pages have been read
            cursor.etags.pop(_NEWEST, None)
            yield from self._read_pages(chain((first,), pages), cursor)
        cursor.keep_etag(_LISTING, first.etag)
        cursor.keep_etag(_NEWEST, newest)
        yield Checkpoint(cursor.to_json())

    def entries(self) -> Iterator[ListingEntry]:
        for release in self._all():
            item = self._item(release)
            shown = (item.updated_at, item.fingerprint) if isinstance(item, Document) else ()
            yield ListingEntry(self.documents.release_id(release), release.name, *shown)

    def fetch(self, kind: str, name: str) -> Item | None:
        if not name.isdecimal():
            return None
        try:
            return self._item(self.repository.client.get(GitHubRelease, f"{self.repository.path}/releases/{name}"))
        except NotFound:  # the listing shows all that there is of one
            return next((self._item(one) for one in self._all() if str(one.id) == name), None)

    def _read_pages(self, pages: Iterable[RestPage[GitHubRelease]], cursor: RepositoryCursor) -> Iterator[Item]:
        """What is new or other than before on all pages, then what is on none."""
        gone = dict.fromkeys(cursor.releases)
        for release in (release for page in pages for release in page.items):
            document_id, item = self.documents.release_id(release), self._item(release)
            gone.pop(document_id, None)
            if cursor.releases.get(document_id) != _version(item):
                yield item
                cursor.releases[document_id] = _version(item)
        for document_id in gone:
            yield Deleted(document_id)
            del cursor.releases[document_id]

    def _state(self, page: RestPage[GitHubRelease]) -> str:
        """Of all that would be emitted of a page. Its ETag also tells how often each file was downloaded."""
        return fingerprint([[self.documents.release_id(one), _version(self._item(one))] for one in page.items])

    def _all(self) -> Iterator[GitHubRelease]:
        return (release for page in self._pages(None) for release in page.items)

    def _pages(self, etag: str | None) -> Iterator[RestPage[GitHubRelease]]:
        return self.repository.client.pages(GitHubRelease, f"{self.repository.path}/releases", etag)

    def _inside(self, release: GitHubRelease, window: Window) -> Item | None:
        item = self._item(release)
        return item if isinstance(item, Document) and item.updated_at in window else None

    def _item(self, release: GitHubRelease) -> Document | Skipped | Failed:
        """Drafts are seen by those alone who may write, so they are passed over."""
        document_id, title = self.documents.release_id(release), release.name or release.tag_name
        if release.draft:
            return Skipped(document_id, title, "draft", release.html_url)
        return self.repository.isolation.attempt(document_id, title, partial(self._document, release))

    def _document(self, release: GitHubRelease) -> Document:
        release.require_sound()
        return self.documents.release(release)


def _version(item: Document | Skipped | Failed) -> str:
    """Of what would be emitted: equal if nothing has changed."""
    match item:
        case Document():
            return item.fingerprint
        case Skipped():
            return item.reason
        case Failed():
            return item.error
