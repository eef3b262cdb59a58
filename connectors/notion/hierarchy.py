"""Where pages and databases stand: their parents, up to the top of what the integration sees."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    TransientError,
)
from connectors.notion.client import NotionClient, Payload
from connectors.notion.objects import Node, Ref, node, parent

logger = logging.getLogger(__name__)

T = TypeVar("T")

OUT_OF_REACH = (AccessDenied, RequestRejected)
"""What Notion answers of an object that it does not show to the integration, whoever asks again."""
TROUBLES = 3
"""After as many objects that fail for a passing reason, Notion itself is taken to be down."""


class Tree:
    """Looks objects up, each at most once. Made anew for every listing, so that it never grows stale."""

    def __init__(self, client: NotionClient) -> None:
        self._client = client
        self._nodes: dict[Ref, Node | None] = {}
        self._failed: dict[Ref, SourceError] = {}
        self._above_blocks: dict[str, Ref | None] = {}
        self._sources: dict[Ref, list[Node]] = {}
        self._chains: dict[Ref, tuple[Node, ...]] = {}
        self._unsure: set[Ref] = set()

    def add(self, found: Node, *, sure: bool = True) -> Ref:
        """Keep a node that a listing named; returns the page or database that is a document for it.

        One that is not `sure` may have changed since: before it is read it is asked for.
        """
        self._nodes[found.ref] = found
        if not sure:
            self._unsure.add(found.ref)
        if found.ref.kind != "data_source" or found.parent is None or found.parent.kind != "database":
            return found.ref
        beside = [source for source in self._sources.get(found.parent, ()) if source.ref != found.ref]
        self._sources[found.parent] = [*beside, found]
        return found.parent

    def find(self, ref: Ref) -> Node | None:
        """A page, database or data source; None if there is none for this integration. Raises SourceError."""
        if ref not in self._nodes:
            found = self._nodes[ref] = self._once(ref, lambda: self._asked(ref))
            if found and found.ref.kind == "data_source":
                self.add(found)
        return self._nodes[ref]

    def whole(self, ref: Ref) -> Node | None:
        """As `find`, with its payload as it is now. Raises SourceError."""
        found = self.find(ref)
        if found and (ref in self._unsure or not found.packed):
            self._chains.clear()
            listed = self._nodes.pop(ref)
            try:
                found = self.find(ref)
            except TransientError:
                self._nodes[ref] = listed
                raise
            self._unsure.discard(ref)
        return found

    def at_best(self, known: Node) -> Node:
        """As `whole`; as it was listed where it cannot be read now."""
        try:
            return self.whole(known.ref) or known
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            logger.warning("%s: taken as it was listed: %s", known.title, error)
            return known

    def seen(self, ref: Ref) -> Node | None:
        """As `find`, and None also for what the integration may not read, or Notion refuses to show."""
        try:
            return self.find(ref)
        except OUT_OF_REACH:
            return None

    def sources(self, database: Node) -> list[Node]:
        """Data sources of a database that are in reach, with their payloads."""
        entries = database.payload.get("data_sources") or ()
        refs = [Ref("data_source", str(entry["id"])) for entry in entries if entry.get("id")]
        refs = refs or [source.ref for source in self._sources.get(database.ref, ())]
        return [source for source in map(self._seen_whole, refs) if source]

    def _seen_whole(self, ref: Ref) -> Node | None:
        try:
            return self.whole(ref)
        except OUT_OF_REACH:
            return None

    def chain(self, start: Node) -> tuple[Node, ...]:
        """Pages and databases above a node, from the outermost in reach to the nearest."""
        if start.ref not in self._chains:
            self._chains[start.ref] = tuple(reversed(self._upwards(start)))
        return self._chains[start.ref]

    def roots(self, refs: Iterable[Ref]) -> list[Node]:
        """The outermost pages and databases in reach among `refs` and above them, without those in the trash.

        Blocks inside of blocks are not followed upwards: a block in reach is on a page in reach, which is listed.
        """
        waiting = list(refs)
        listed = set(waiting)
        seen: set[Ref] = set()
        found: list[Ref] = []
        troubles = 0
        while waiting:
            ref = waiting.pop()
            if ref in seen:
                continue
            seen.add(ref)
            try:
                above = self._above(ref, listed)
            except RateLimited:
                raise
            except TransientError as error:
                troubles += 1
                if troubles == TROUBLES:
                    raise
                logger.warning("%s %s: what it stands in cannot be told now: %s", *ref, error)
                continue
            if above is None:
                found.append(ref)
            elif above.kind != "block":
                waiting.append(above)
        nodes = (self.seen(ref) for ref in found)
        return [root for root in nodes if root and not root.trashed]

    def _above(self, ref: Ref, listed: set[Ref]) -> Ref | None:
        """What a page or database stands in; None for the outermost one in reach."""
        above = self._parent(ref)
        if above is None or (above not in listed and not self._in_reach(above)):
            return None
        return (self._above_block(above.id) or above) if above.kind == "block" else above

    def _upwards(self, start: Node) -> list[Node]:
        above: list[Node] = []
        seen = {start.ref}
        ref = self._holder(start.parent)
        while ref and ref not in seen and (found := self.seen(ref)):
            seen.add(ref)
            above.append(found)
            ref = self._holder(found.parent)
        return above

    def _parent(self, ref: Ref) -> Ref | None:
        """As listed, if it was; a database is listed through its data sources."""
        if ref not in self._nodes and (sources := self._sources.get(ref)):
            beside = sources[0].payload
            if "database_parent" in beside:
                return parent(beside["database_parent"])
        found = self.seen(ref)
        return found.parent if found else None

    def _in_reach(self, ref: Ref) -> bool:
        if ref.kind == "block":
            return self._above_block(ref.id) is not None
        return self.seen(ref) is not None

    def _holder(self, ref: Ref | None) -> Ref | None:
        """The page or database that `ref` is, or is inside of."""
        seen: set[Ref] = set()
        while ref and ref.kind in ("block", "data_source") and ref not in seen:
            seen.add(ref)
            if ref.kind == "block":
                ref = self._above_block(ref.id)
            else:
                source = self.seen(ref)
                ref = source.parent if source else None
        return ref

    def _above_block(self, block_id: str) -> Ref | None:
        if block_id not in self._above_blocks:
            try:
                block = self._once(Ref("block", block_id), lambda: self._client.block(block_id))
                self._above_blocks[block_id] = parent(block.get("parent"))
            except (NotFound, *OUT_OF_REACH):
                self._above_blocks[block_id] = None
        return self._above_blocks[block_id]

    def _once(self, ref: Ref, asked: Callable[[], T]) -> T:
        """What `asked` returns. What fails is not asked for again: each attempt is many, with waits between them."""
        if ref in self._failed:
            raise self._failed[ref]
        try:
            return asked()
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            self._failed[ref] = error
            raise

    def _asked(self, ref: Ref) -> Node | None:
        try:
            return node(self._payload(ref))
        except NotFound:
            return _stand_in(ref, self._sources.get(ref, ()))

    def _payload(self, ref: Ref) -> Payload:
        match ref.kind:
            case "page":
                return self._client.page(ref.id)
            case "database":
                return self._client.database(ref.id)
            case "data_source":
                return self._client.data_source(ref.id)
            case "block":
                return self._client.block(ref.id)


def _stand_in(ref: Ref, sources: Sequence[Node]) -> Node | None:
    """A database that is out of reach while one of its data sources is not."""
    if not sources:
        return None
    return replace(sources[0], ref=ref, parent=parent(sources[0].payload.get("database_parent")))
