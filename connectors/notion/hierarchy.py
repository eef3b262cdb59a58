"""What pages and databases are in: their parents, up to the top of what the integration sees."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from connectors.contract import Failed
from connectors.errors import (
    AccessDenied,
    AlreadyFailed,
    AuthenticationFailed,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    TransientError,
)
from connectors.isolation import Isolation
from connectors.notion.client import NotionClient
from connectors.notion.objects import KINDS, UNKNOWN, NotionObject, Ref
from connectors.notion.payloads import database_of

logger = logging.getLogger(__name__)

T = TypeVar("T")

OUT_OF_REACH = (AccessDenied, RequestRejected)
"""What Notion answers of an object that it does not show to the integration, at every attempt."""


class Hierarchy:
    """Looks objects up, each at most once. One for every listing or event, so that it never grows stale."""

    def __init__(self, client: NotionClient) -> None:
        self._client = client
        self._objects: dict[Ref, NotionObject | None] = {}
        self._failed: dict[Ref, SourceError] = {}
        self._above_blocks: dict[str, Ref | None] = {}
        self._sources: dict[Ref, list[NotionObject]] = {}
        self._ancestors: dict[Ref, tuple[NotionObject, ...]] = {}
        self._outdated: set[Ref] = set()
        self._stand_ins: set[Ref] = set()

    def add(self, found: NotionObject, *, is_current: bool = True) -> Ref:
        """Keep an object that a listing named; returns the page or database that is a document for it.

        One that is not current may have changed since: before it is read it is asked for.
        """
        self._objects[found.ref] = found
        if not is_current:
            self._outdated.add(found.ref)
        if found.ref.kind != "data_source" or found.parent is None or found.parent.kind != "database":
            return found.ref
        beside = [source for source in self._sources.get(found.parent, ()) if source.ref != found.ref]
        self._sources[found.parent] = [*beside, found]
        return found.parent

    def known(self, ref: Ref) -> NotionObject | None:
        """An object as far as it was found already; nothing is asked for."""
        return self._objects.get(ref)

    def find(self, ref: Ref) -> NotionObject | None:
        """A page, database or data source; None if there is none for this integration. Raises SourceError."""
        if ref not in self._objects:
            found = self._objects[ref] = self._ask_once(ref, lambda: self._retrieve(ref))
            if found and found.ref.kind == "data_source":
                self.add(found)
        return self._objects[ref]

    def is_stand_in(self, ref: Ref) -> bool:
        """Whether a database is out of reach, and known by one of its data sources alone."""
        return ref in self._stand_ins

    def current(self, ref: Ref) -> NotionObject | None:
        """As `find`, as it is now and with its payload. Raises SourceError."""
        found = self.find(ref)
        if found and (ref in self._outdated or not found.packed):
            self._ancestors.clear()  # it may have moved, and it may be above any other
            listed = self._objects.pop(ref)
            try:
                found = self.find(ref)
            except TransientError:
                self._objects[ref] = listed
                raise
            self._outdated.discard(ref)
        return found

    def visible(self, ref: Ref) -> NotionObject | None:
        """As `find`, and None also for what the integration may not read, or Notion refuses to show."""
        try:
            return self.find(ref)
        except OUT_OF_REACH:
            return None

    def resolve(self, own: str) -> Ref:
        """An id as what it is: a page, a database, or a database's data source, which stands for the database.

        Raises SourceError.
        """
        for kind in KINDS:
            if found := self.find(Ref(kind, own)):
                return found.parent if kind == "data_source" and found.parent else found.ref
        return Ref("page", own)

    def data_sources(self, database: NotionObject) -> list[NotionObject]:
        """Data sources of a database that are in reach, with their payloads; as a listing shows them where their own
        address does not. Raises NotFound for one that the database alone names, and that is not found."""
        listed = {source.ref: source for source in self._sources.get(database.ref, ())}
        named = [Ref("data_source", entry.id) for entry in database_of(database).data_sources if entry.id]
        found = {ref: self._visible_and_current(ref) or listed.get(ref) for ref in named or listed}
        for ref in (ref for ref in named if found[ref] is None and self._is_unfound(ref)):
            raise NotFound(f"data source {ref.id}, which its database names")
        return [source for source in found.values() if source]

    def ancestors(self, start: NotionObject) -> tuple[NotionObject, ...]:
        """Pages and databases above an object, from the outermost in reach to the nearest."""
        if start.ref not in self._ancestors:
            self._ancestors[start.ref] = tuple(reversed(list(self._upwards(start))))
        return self._ancestors[start.ref]

    def known_path(self, ref: Ref) -> tuple[NotionObject, ...]:
        """An object and what is above it, the outermost first; empty where that was not found out."""
        found = self._objects.get(ref)
        return (*self._ancestors[ref], found) if found and ref in self._ancestors else ()

    def page_of_block(self, block_id: str) -> Ref | None:
        """The page that a block stands on; None where it is out of reach. Raises SourceError."""
        return self._container(Ref("block", block_id))

    def root(self, start: NotionObject) -> NotionObject:
        """The outermost page or database in reach that an object is in; itself if there is none above it."""
        return next(iter(self.ancestors(start)), start)

    def is_trashed(self, start: NotionObject) -> bool:
        """Whether an object, or what it is in, is in the trash."""
        return start.trashed or any(above.trashed for above in self.ancestors(start))

    def roots(self, refs: Iterable[Ref]) -> list[NotionObject]:
        """The outermost pages and databases in reach among `refs` and above them, without those in the trash.

        Blocks inside of blocks are not followed upwards: a block in reach is on a page in reach, which is listed.
        """
        waiting = list(refs)
        listed = set(waiting)
        seen: set[Ref] = set()
        found: list[Ref] = []
        isolation = Isolation(lambda: self._client.requests)
        while waiting:
            ref = waiting.pop()
            if ref in seen:
                continue
            seen.add(ref)
            above = isolation.attempt(ref.id, "", partial(self._above, ref, listed))
            if isinstance(above, Failed):
                logger.warning("%s %s: what it is in cannot be found out now: %s", *ref, above.error)
            elif above is None:
                found.append(ref)
            elif above.kind != "block":
                waiting.append(above)
        objects = (self.visible(ref) for ref in found)
        return [root for root in objects if root and not root.trashed]

    def _is_unfound(self, ref: Ref) -> bool:
        """Whether it was asked for and is not there, rather than refused."""
        return ref in self._objects and self._objects[ref] is None

    def _visible_and_current(self, ref: Ref) -> NotionObject | None:
        try:
            return self.current(ref)
        except OUT_OF_REACH:
            return None

    def _above(self, ref: Ref, listed: set[Ref]) -> Ref | None:
        """What a page or database is in; None for the outermost one in reach."""
        above = self._parent(ref)
        if above is None or (above not in listed and not self._is_in_reach(above)):
            return None
        return (self._above_block(above.id) or above) if above.kind == "block" else above

    def _upwards(self, start: NotionObject) -> Iterator[NotionObject]:
        seen = {start.ref}  # odd servers name parents in a circle
        ref = self._container(start.parent)
        while ref and ref not in seen and (found := self.visible(ref)):
            seen.add(ref)
            yield found
            ref = self._container(found.parent)

    def _parent(self, ref: Ref) -> Ref | None:
        """As listed, if it was; a database is listed through its data sources."""
        if ref not in self._objects and (sources := self._sources.get(ref)):
            source = database_of(sources[0])
            if source.names_parent:
                return source.database_parent
        found = self.visible(ref)
        return found.parent if found else None

    def _is_in_reach(self, ref: Ref) -> bool:
        if ref.kind == "block":
            return self._above_block(ref.id) is not None
        return self.visible(ref) is not None

    def _container(self, ref: Ref | None) -> Ref | None:
        """The page or database that `ref` is, or is inside of."""
        seen: set[Ref] = set()
        while ref and ref.kind in ("block", "data_source") and ref not in seen:
            seen.add(ref)
            if ref.kind == "block":
                ref = self._above_block(ref.id)
            else:
                source = self.visible(ref)
                ref = source.parent if source else None
        return ref

    def _above_block(self, block_id: str) -> Ref | None:
        if block_id not in self._above_blocks:
            try:
                block = self._ask_once(Ref("block", block_id), lambda: self._client.block(block_id))
                self._above_blocks[block_id] = block.parent
            except (NotFound, *OUT_OF_REACH):
                self._above_blocks[block_id] = None
        return self._above_blocks[block_id]

    def _ask_once(self, ref: Ref, ask: Callable[[], T]) -> T:
        """What `ask` returns. What fails is not asked for again: each attempt is many, with waits between them."""
        if ref in self._failed:
            raise self._failed[ref]
        try:
            return ask()
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            # One block that fails, and all that is in it: that is one failure, and not the source's.
            self._failed[ref] = AlreadyFailed(error) if isinstance(error, TransientError) else error
            raise

    def _retrieve(self, ref: Ref) -> NotionObject | None:
        if ref.kind not in KINDS:
            return None
        try:
            return self._client.retrieve(ref)
        except NotFound:
            found = _stand_in(ref, self._sources.get(ref, ()))
        if found:
            self._stand_ins.add(ref)
        return found


def _stand_in(ref: Ref, sources: Sequence[NotionObject]) -> NotionObject | None:
    """A database that is out of reach while one of its data sources is not."""
    if not sources:
        return None
    source = database_of(sources[0])
    return replace(sources[0], ref=ref, parent=source.database_parent if source.names_parent else UNKNOWN)
