"""What a new version of a document shows to be taken out of its text, so that it is not found until that is indexed.

An edit leaves the words of before to be found until the new ones are, so that no document is missing in between. What
was deleted is not: what an event says to be a deletion, and lines of which too little has come again in their place.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from connectors.model import Document
from pipelines.catalog.documents import DocumentState
from pipelines.catalog.withdrawals import Withdrawal
from pipelines.chunking import Chunk
from pipelines.errors import DocumentError
from pipelines.ingestion.version_chunking import chunk_version
from pipelines.landing import ChunkedDocument, Landing
from pipelines.services import Services

_PUNCTUATION = "*_~`'\"()[]{}<>|#.,:;!?…"
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
"""Japanese and Chinese put no spaces between words: there each character counts as one, too."""


@dataclass(frozen=True, slots=True)
class TextComparison:
    """What documents have lost of their text, by id, and those that were compared, `chunked`: this is what costs, and
    need not be done again."""

    withdrawals: dict[str, Withdrawal] = field(default_factory=dict)
    chunked: list[ChunkedDocument] = field(default_factory=list)


def compare_texts(
    services: Services, states: Mapping[str, DocumentState], read: Sequence[Document], deletions: Collection[str] = ()
) -> TextComparison:
    """Compare documents that were `read` with the versions that the catalog knows.

    `deletions` are those of which something was deleted for certain: there the words of an edit are lost as well.
    Where nothing is known that an index may hold of a document (it was deleted, and is back), all of that is lost.
    """
    before = _read_before(services.landing, states, read)
    compared = TextComparison()
    for document in read:
        state, version, is_deletion = states.get(document.id), document.version, document.id in deletions
        if document.id not in before and state and state.may_have_points:
            compared.withdrawals[document.id] = Withdrawal(frozenset(), frozenset({version}))
            continue
        chunks, now = before.get(document.id, ()), tuple[Chunk, ...]()
        if not (chunks or is_deletion):
            continue
        try:
            compared.chunked.append(chunk_version(services, document, version, state))
            now = compared.chunked[-1].chunks
        except DocumentError as error:
            if not (error.skip or is_deletion):
                continue  # it cannot be read at present: what was found of it still is
        titles = (state.title if state else document.title, document.title)
        if lost := find_withdrawal(chunks, now, version, titles, is_deletion=is_deletion):
            compared.withdrawals[document.id] = lost
    return compared


def find_withdrawal(
    before: Sequence[Chunk],
    now: Sequence[Chunk],
    version: str,
    titles: tuple[str, str] = ("", ""),
    *,
    is_deletion: bool,
) -> Withdrawal | None:
    """What a document has lost since it had the chunks `before`; None if nothing was taken out.

    `titles` are those of before and now: each passage is found by the title and shown under it, so that none stays
    where the title went with what was deleted. After a deletion there is always something: the version before may be
    known here no more. Pure.
    """
    old, new = _lines(before), _lines(now)
    lost = set(old).difference(new) if is_deletion else deleted_lines(old, new)
    if not (lost or is_deletion):
        return None
    if titles[0] != titles[1] and (is_deletion or _says(lost, titles[0])):
        return Withdrawal(frozenset(), frozenset({version}))
    known, held = ({chunk.id for chunk in chunks} for chunks in (before, [one for one in before if _holds(one, lost)]))
    # A passage may be the same as before but for a heading above it: then only the new version of it is shown.
    return Withdrawal(frozenset(known.union(chunk.id for chunk in now) - held), frozenset({version}))


def deleted_lines(before: Sequence[str], now: Sequence[str]) -> set[str]:
    """Lines that are gone and were not edited: no more than half of their words come again in the new lines after the
    line above them.

    >>> sorted(deleted_lines(["Day", "The mill stands.", "Salaries"], ["Day", "The mill turns.", "Lunch at noon"]))
    ['Salaries']
    """
    came: dict[str, set[str]] = {}
    for above, line in _new_lines(now, before):
        came.setdefault(above, set()).update(_words(line))
    return {line for above, line in _new_lines(before, now) if not _is_edited(_words(line), came.get(above))}


def _new_lines(lines: Sequence[str], others: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Lines that do not stand among `others`, each with the nearest one above it that does."""
    known, above = set(others), ""
    for line in lines:
        if line in known:
            above = line
        else:
            yield above, line


def _is_edited(words: Set[str], came: Set[str] | None) -> bool:
    """Whether a line with these words is another now, by the words that came in its place; None if nothing did."""
    return came is not None and (not words or 2 * len(words & came) > len(words))


def _words(line: str) -> set[str]:
    """Numbers are none: the dates and hours before the messages of a day are alike, and tell nothing of what they say.

    >>> sorted(_words("**Ada** (2026-01-02 09:12): Water, water!"))
    ['ada', 'water']
    """
    stripped = (one.strip(_PUNCTUATION) for one in line.casefold().split())
    words = {one for one in stripped if one.isalpha()}
    return words if line.isascii() else words.union(_UNSPACED.findall(line))


def _read_before(
    landing: Landing, states: Mapping[str, DocumentState], read: Sequence[Document]
) -> dict[str, tuple[Chunk, ...]]:
    """The chunks of the versions that the catalog knows; from the landing, so that no index need be opened. A
    tombstone is none."""
    by_load: dict[tuple[str, int], list[str]] = defaultdict(list)
    for document in read:
        if (state := states.get(document.id)) and state.load is not None:
            by_load[document.connection, state.load].append(document.id)
    return {
        one.document_id: one.chunks
        for (connection, load), ids in by_load.items()
        for one in landing.chunks_of(connection, load, ids)
        if one.version is not None
    }


def _lines(chunks: Sequence[Chunk]) -> list[str]:
    return [line for chunk in chunks for line in chunk.text.splitlines() if line.strip()]


def _says(lost: Collection[str], title: str) -> bool:
    """Whether one of these lines holds half of the words of a title: that was made of it, and of a place's name."""
    words = _words(title)
    return any(2 * len(words & _words(line)) >= len(words) for line in lost)


def _holds(chunk: Chunk, lost: Collection[str]) -> bool:
    """Whether a chunk shows one of these lines, in its text or as a heading above it."""
    headings = {line.lstrip("#").strip() for line in lost}
    return not headings.isdisjoint(chunk.headings) or not set(chunk.text.splitlines()).isdisjoint(lost)
