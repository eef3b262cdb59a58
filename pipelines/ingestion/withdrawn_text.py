"""What a new version of a document shows to be taken out of its text, so that it is not found until that is indexed.

An edit leaves the words of before to be found until the new ones are, so that no document is missing in between. What
was deleted is not: what an event says to be a deletion, and lines in whose place nothing has come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from connectors.model import Document
from pipelines.catalog.documents import DocumentState
from pipelines.catalog.withdrawals import Withdrawal
from pipelines.errors import DocumentError
from pipelines.landing import Landing

if TYPE_CHECKING:
    from pipelines.chunking import Chunk


def find_withdrawals(
    landing: Landing, states: Mapping[str, DocumentState], read: Sequence[Document], deletions: Collection[str] = ()
) -> dict[str, Withdrawal]:
    """What documents that were `read` have lost since the versions that the catalog knows, by id.

    `deletions` are those of which something was deleted for certain: there the words of an edit are lost as well.
    """
    before = _read_before(landing, states, read)
    found: dict[str, Withdrawal] = {}
    for document in read:
        chunks = before.get(document.id, ())
        is_deletion = document.id in deletions
        if (chunks or is_deletion) and (lost := compare_text(chunks, document, is_deletion=is_deletion)):
            found[document.id] = lost
    return found


def compare_text(before: Sequence[Chunk], document: Document, *, is_deletion: bool) -> Withdrawal | None:
    """What a document has lost since it was cut into the chunks `before`; None if nothing was taken out.

    After a deletion there is always something: the version before may be known here no more. Pure.
    """
    from pipelines.chunking import chunk_document

    try:
        now = chunk_document(document)
    except DocumentError as error:
        if not (error.skip or is_deletion):
            return None  # it cannot be read at present: what was found of it still is
        now = []
    old, new = _lines(before), _lines(now)
    lost = set(old).difference(new) if is_deletion else deleted_lines(old, new)
    if not (lost or is_deletion):
        return None
    known, held = ({chunk.id for chunk in chunks} for chunks in (before, [one for one in before if _holds(one, lost)]))
    # A passage may be the same as before but for a heading above it: then only the new version of it is shown.
    return Withdrawal(frozenset(known.union(chunk.id for chunk in now) - held), frozenset({document.version}))


def deleted_lines(before: Sequence[str], now: Sequence[str]) -> set[str]:
    """Lines that are gone, and in whose place nothing has come: after the line above them follows nothing new.

    >>> sorted(deleted_lines(["a", "b", "c", "d"], ["a", "c", "D", "e"]))
    ['b']
    """
    kept, known = set(now), set(before)
    replaced = {above for above, line in pairwise(["", *now]) if line not in known}
    deleted, above = set[str](), ""
    for line in before:
        if line in kept:
            above = line
        elif above not in replaced:
            deleted.add(line)
    return deleted


def _read_before(
    landing: Landing, states: Mapping[str, DocumentState], read: Sequence[Document]
) -> dict[str, tuple[Chunk, ...]]:
    """What the versions that the catalog knows were cut into; from the landing, so that no index need be opened."""
    by_load: dict[tuple[str, int], list[str]] = defaultdict(list)
    for document in read:
        if (state := states.get(document.id)) and state.load is not None:
            by_load[document.connection, state.load].append(document.id)
    return {
        one.document_id: one.chunks
        for (connection, load), ids in by_load.items()
        for one in landing.chunks_of(connection, load, ids)
    }


def _lines(chunks: Sequence[Chunk]) -> list[str]:
    return [line for chunk in chunks for line in chunk.text.splitlines() if line.strip()]


def _holds(chunk: Chunk, lost: Collection[str]) -> bool:
    """Whether a chunk shows one of these lines, in its text or as a heading above it."""
    headings = {line.lstrip("#").strip() for line in lost}
    return not headings.isdisjoint(chunk.headings) or not set(chunk.text.splitlines()).isdisjoint(lost)
