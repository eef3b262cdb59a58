"""Documents that are chunked in bulk are chunked as here."""

from __future__ import annotations

import subprocess
import sys

import pytest

from connectors.model import HTML, MARKDOWN, PLAIN_TEXT, Document
from connectors.tables import document_batches
from pipelines.bulk_chunking.rows import BulkAnswer, VectorizedDocument, chunk_documents, parse_answer
from pipelines.chunking.chunker import chunk_content
from pipelines.errors import DocumentError
from pipelines.index.lexical import document_vector
from pipelines.index.references import lexical_text
from pipelines.landing.chunk_rows import chunk_table
from pipelines.landing.chunked_document import chunked_document
from tests.paths import ROOT
from tests.pipelines.documents import document

PAGES = [
    document(number, content=page.read_text(encoding="utf-8")) for number, page in enumerate(ROOT.glob("docs/*.md"))
]
TEXTS = [
    *PAGES[:8],
    document(100, content="<h1>Mill</h1><p>The wheel turns.</p><table><tr><td>1</td></tr></table>", content_type=HTML),
    document(
        101,
        content="Zwölf Räder. 水車は回る。",
        content_type=PLAIN_TEXT,
        url="https://example.com/acme/pumps/issues/71",
    ),
    document(102, content="", title="Only a title"),
]


def chunk(*documents: Document) -> BulkAnswer:
    (table,) = document_batches(documents)
    return parse_answer(chunk_documents(table))


def test_chunks_payloads_and_rows_are_those_of_a_document_that_is_chunked_here() -> None:
    found = chunk(*TEXTS)
    here = [chunked_document(one, one.version, chunk_content(one)) for one in TEXTS]
    for one, expected in zip(found.documents, here, strict=True):
        assert isinstance(one, VectorizedDocument)
        assert (one.document_id, one.version, one.payload, one.chunks) == (
            expected.document_id,
            expected.version,
            expected.payload,
            expected.chunks,
        )
    assert found.table is not None
    assert found.table.equals(chunk_table(here))


def test_lexical_vectors_are_those_that_the_index_makes() -> None:
    for one, text in zip(chunk(*TEXTS).documents, TEXTS, strict=True):
        assert isinstance(one, VectorizedDocument)
        for one_chunk, made in zip(one.chunks, one.lexical, strict=True):
            expected = document_vector(lexical_text(one_chunk, text.url))
            assert list(zip(*made, strict=True)) == list(zip(expected.indices, expected.values, strict=True))


@pytest.mark.parametrize("content_type", [MARKDOWN, PLAIN_TEXT])
def test_what_cannot_be_chunked_says_why_and_keeps_no_other(content_type: str) -> None:
    empty = document(2, content=" ", title="", content_type=content_type)
    first, error, last = chunk(document(1), empty, document(3)).documents
    assert isinstance(first, VectorizedDocument)
    assert isinstance(last, VectorizedDocument)
    assert isinstance(error, DocumentError)
    assert (error.reason, error.skip) == ("empty: there is no text in it", True)
    assert chunk(document(1), empty).table is None


def test_the_process_beside_imports_no_more_than_it_needs() -> None:
    heavy = "[one for one in ('dlt', 'sqlalchemy', 'openai') if one in sys.modules]"
    program = f"import sys, pipelines.bulk_chunking.child; print({heavy})"
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT)
    assert said.stdout.strip() == "[]"
