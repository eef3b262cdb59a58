"""The lexical leg: BM25 vectors, made offline and alike for both stores.

Token hashes and weights are those of Qdrant's own `qdrant/bm25`, over the text as `scripts` spells and splits it, and
the further words by which its identifiers and dates are found (on SciFact the former take nDCG@10 from 0.680 to 0.687).
Of a question those words count that ask for something (`questions`). The rarity of words (IDF) is no part of the
vectors: the index applies it, by a modifier in the collection's configuration, and counts it over what the asker may
see (`filters.visible`). A text's length is weighed against a fixed 256 words: no vector depends on other texts.
"""

from __future__ import annotations

from array import array
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from pipelines.index.dates import with_dates
from pipelines.index.identifiers import with_identifiers
from pipelines.index.questions import asked_words
from pipelines.index.scripts import fold, split_question, split_text

if TYPE_CHECKING:
    import qdrant_edge

LEXICAL = "bm25-dates-v3"
"""Name of the way texts become BM25 vectors; changes whenever the same text would give another one."""
READABLE = frozenset({LEXICAL, "bm25-scripts-v2", "bm25-identifiers-v1"})
"""Ways of which questions of today find the words; of the first, those of scripts with spaces, as usually spelled;
of the first two, dates as they are written."""


class LexicalVector(NamedTuple):
    """A BM25 vector: hashes of words, and what each counts. As the engine's own, in a tenth of the memory of lists."""

    indices: array[int]
    values: array[float]


def stored_vector(lexical: str | LexicalVector) -> qdrant_edge.SparseVector:
    """The BM25 vector of a text in the index, unless it is one already."""
    from qdrant_edge import SparseVector

    return document_vector(lexical) if isinstance(lexical, str) else SparseVector(*lexical)  # type: ignore[arg-type]  # the stubs know lists only


def document_vector(text: str) -> qdrant_edge.SparseVector:
    """The BM25 vector of a text in the index; without entries if the text has no words."""
    return _encoder().embed_document(with_identifiers(with_dates(split_text(fold(text)))))


def query_vector(text: str) -> qdrant_edge.SparseVector:
    """The BM25 vector of a question; without entries if only stop words are left."""
    return _encoder().embed_query(with_identifiers(with_dates(split_question(asked_words(fold(text))))))


@cache
def _encoder() -> qdrant_edge.Bm25:
    import qdrant_edge

    return qdrant_edge.Bm25()
