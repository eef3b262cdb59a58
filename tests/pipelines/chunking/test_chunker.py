"""What holds for the chunks of any document."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import sys
import zipfile
from datetime import UTC, datetime

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.model import MARKDOWN, PLAIN_TEXT
from pipelines.chunking import chunk_document
from pipelines.chunking.tokens import estimate_tokens
from pipelines.errors import DocumentError
from tests.pipelines.chunking import files
from tests.pipelines.chunking.files import MakeDocument

LIMIT = 512

_words = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=12)
_sentence = st.lists(_words, min_size=1, max_size=60).map(" ".join)
_blocks = st.one_of(
    _sentence,
    st.tuples(st.integers(1, 6), _sentence).map(lambda pair: f"{'#' * pair[0]} {pair[1]}"),
    st.lists(_sentence, min_size=1, max_size=30).map(lambda items: "\n".join(f"- {item}" for item in items)),
    st.lists(_sentence, min_size=1, max_size=12).map(lambda lines: "> " + "\n> ".join(lines)),
    st.lists(st.tuples(_words, _words), min_size=2, max_size=8).map(
        lambda rows: "| a | b |\n|---|---|\n" + "\n".join(f"| {one} | {two} |" for one, two in rows)
    ),
    st.lists(_sentence, min_size=1, max_size=6).map(lambda lines: "~~~\n" + "\n".join(lines) + "\n~~~"),
)
_markdown = st.lists(_blocks, min_size=1, max_size=25).map("\n\n".join)
_slow = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


@_slow
@given(text=_markdown)
def test_markdown_loses_and_invents_nothing(text: str, document: MakeDocument) -> None:
    chunks = chunk_document(document(text))
    assert _letters("".join(chunk.text for chunk in chunks)) == _letters(text)


@_slow
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6000))
def test_any_text_comes_back_whole(text: str, document: MakeDocument) -> None:
    for content_type in (PLAIN_TEXT, MARKDOWN):
        if not _letters(text) or "<!--" in text:
            continue
        chunks = chunk_document(document(text, content_type))
        assert _letters("".join(chunk.text for chunk in chunks)) == _letters(text)


@_slow
@given(text=_markdown)
def test_chunks_are_bounded_numbered_and_the_same_each_time(text: str, document: MakeDocument) -> None:
    chunks = chunk_document(document(text))
    assert all(0 < estimate_tokens(chunk.text) <= LIMIT for chunk in chunks)
    assert all(chunk.text.strip() for chunk in chunks)
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    assert chunk_document(document(text)) == chunks


def test_equal_texts_are_counted(document: MakeDocument) -> None:
    section = "# Same\n\n" + "word " * 390
    chunks = chunk_document(document("\n\n".join([section] * 3)))
    assert [chunk.occurrence for chunk in chunks] == [0, 1, 2]
    assert len({chunk.id for chunk in chunks}) == 3


@pytest.mark.parametrize(
    "text",
    ["x" * 300_000, "word " * 60_000, "字" * 100_000, "👩‍👩‍👧 " * 20_000, "é" * 150_000],
    ids=["no space", "words", "Chinese", "emoji", "accents"],
)
@pytest.mark.parametrize("content_type", [PLAIN_TEXT, MARKDOWN])
def test_one_enormous_line_is_cut(text: str, content_type: str, document: MakeDocument) -> None:
    chunks = chunk_document(document(text, content_type))
    assert max(estimate_tokens(chunk.text) for chunk in chunks) <= LIMIT
    assert "".join("".join(chunk.text.split()) for chunk in chunks) == "".join(text.split())


def test_half_a_surrogate_pair_does_no_harm(document: MakeDocument) -> None:
    chunks = chunk_document(document("before \ud83d after", title="half \ude00"))
    assert chunks[0].text == "before ? after"
    assert chunks[0].id
    assert chunks[0].header.startswith("half ?")


EMPTY = ["", b"", "  \n\n\t", b"\xef\xbb\xbf", "---\n", "<!-- nothing -->"]


@pytest.mark.parametrize("content", EMPTY)
def test_a_document_without_text_is_found_by_its_title(content: str | bytes, document: MakeDocument) -> None:
    (chunk,) = chunk_document(document(content, title=" # Supplier\nregister "))
    assert (chunk.text, chunk.headings, chunk.position) == ("# Supplier register", (), 0)
    assert chunk.header.startswith("# Supplier register\n")


def test_a_title_longer_than_a_chunk_is_cut(document: MakeDocument) -> None:
    chunks = chunk_document(document("", title="word " * 1_000))
    assert max(estimate_tokens(chunk.text) for chunk in chunks) <= LIMIT
    assert " ".join(chunk.text for chunk in chunks).split() == ["word"] * 1_000


@pytest.mark.parametrize("content", EMPTY)
def test_what_has_neither_text_nor_title_is_skipped(content: str | bytes, document: MakeDocument) -> None:
    with pytest.raises(DocumentError, match="empty") as caught:
        chunk_document(document(content, title=" \n"))
    assert caught.value.skip


def _package(*names: str) -> bytes:
    """A Word document without a word, with further parts of these names."""
    data = io.BytesIO()
    docx.Document().save(data)
    with zipfile.ZipFile(data, "a") as package:
        for name in names:
            package.writestr(name, b"...")
    return data.getvalue()


def test_an_office_file_is_empty_unless_it_holds_pictures(document: MakeDocument) -> None:
    (chunk,) = chunk_document(document(_package(), files.DOCX, title="Minutes"))
    assert chunk.text == "Minutes"
    with pytest.raises(DocumentError, match="empty") as caught:
        chunk_document(document(_package("word/media/scan.png"), files.DOCX, title="Minutes"))
    assert caught.value.skip


def _guide() -> list[str]:
    return [
        f"## Part {part}\n\n"
        + "\n\n".join(f"### Step {part}.{step}\n\n" + f"Do {part} {step}. " * 40 for step in range(5))
        for part in range(12)
    ]


@pytest.mark.parametrize("edited", range(12))
def test_an_edit_stays_in_its_section(edited: int, document: MakeDocument) -> None:
    parts = _guide()
    before = chunk_document(document("# Guide\n\n" + "\n\n".join(parts)))
    parts[edited] = parts[edited].replace(f"Do {edited} 2. ", "A sentence that somebody wrote anew. ", 3)
    after = chunk_document(document("# Guide\n\n" + "\n\n".join(parts)))
    changed = {chunk.id for chunk in after} - {chunk.id for chunk in before}
    assert 1 <= len(changed) <= 2


def test_an_update_of_the_document_leaves_what_is_embedded(document: MakeDocument) -> None:
    before = document("# A\n\ntext", updated_at=datetime(2026, 2, 1, tzinfo=UTC))
    after = dataclasses.replace(before, updated_at=datetime(2026, 3, 1, tzinfo=UTC), tags=("bug",))
    assert [chunk.embedded_text for chunk in chunk_document(before)] == [
        chunk.embedded_text for chunk in chunk_document(after)
    ]


def test_importing_the_package_is_light() -> None:
    heavy = (
        "unstructured",
        "markdown_it",
        "lxml",
        "pyromark",
        "pypdfium2",
        "openpyxl",
        "docx",
        "pptx",
        "spacy",
        "numpy",
    )
    program = f"import sys, pipelines.chunking; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
