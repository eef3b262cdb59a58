"""`make bench-quality`: how well the search finds, on public sets and with the local embedding model.

`make bench-quality DATA=folder` names the folder of the sets, which holds `scifact/` (`corpus.jsonl` {id, title,
text}, `queries.jsonl` {id, text}, `qrels.jsonl` {query, doc, rel}) and `chunkspans/` (`corpora.jsonl` {id, text},
`questions.jsonl` {corpus, text, spans}). With `--state FOLDER` texts are embedded once: about ten minutes on two cores.
`--save FILE` keeps the figures of each question, and a later run with `--against FILE` says what differs by more than
chance.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

from connectors.model import PLAIN_TEXT, Document
from pipelines.chunking import Chunk, chunk_document
from pipelines.chunking.blocks import CHUNK_TOKENS
from pipelines.evaluation.questions import Question
from pipelines.evaluation.run import evaluate
from pipelines.index.contract import Filters, IndexReader, Mode
from pipelines.retrieval import search
from pipelines.retrieval.schema import SearchRequest, SearchResponse
from pipelines.services import Services
from pipelines.settings import Settings
from tests.bench.depths import show_depths
from tests.bench.indexing import indexed
from tests.bench.paired import Figures, save, show_against
from tests.bench.spans import Piece, Placed, covered, placed

MODES: tuple[Mode, ...] = ("lexical", "dense", "hybrid")
CHUNK_SIZES = (256, 512, 1024)
TOP_CHUNKS = 5
READING_BUDGET = 8_000
"""Characters that an assistant reads, whatever the chunks' size."""


def main() -> None:
    arguments = _arguments()
    data: Path = arguments.data
    missing = [name for name in ("scifact", "chunkspans") if not (data / name).is_dir()]
    if missing:
        sys.exit(f"{data}: there is no {' and no '.join(missing)} in it; see the top of tests/bench/quality.py")
    with _state(arguments.state) as state, Services(Settings(directory=state)) as services:
        figures = {**_scifact(services, data / "scifact"), **_chunkspans(services, data / "chunkspans")}
    if arguments.against:
        show_against(figures, arguments.against)
    if arguments.save:
        save(figures, arguments.save)


def _scifact(services: Services, folder: Path) -> Figures:
    figures: dict[str, Sequence[float]] = {}
    expected: dict[str, dict[str, int]] = {}
    for row in _rows(folder / "qrels.jsonl"):
        expected.setdefault(row["query"], {})[_document_id(row["doc"])] = row["rel"]
    questions = [
        Question(id=row["id"], query=row["text"], documents=expected[row["id"]])
        for row in _rows(folder / "queries.jsonl")
    ]
    documents = [_document(row["id"], row["title"], row["text"]) for row in _rows(folder / "corpus.jsonl")]
    with indexed(services, "scifact", documents, CHUNK_TOKENS) as index:

        def ask(fields: Any) -> SearchResponse:
            return search(SearchRequest.model_validate(fields), None, index=index, embedder=services.embedder)

        for mode in MODES:
            run = evaluate(questions, ask, model=services.embedder.model, mode=mode)
            total = run.total
            figures[f"scifact {mode}"] = [one.figures.ndcg_at_10 for one in run.asked]
            print(
                f"scifact {mode}: nDCG@10 {total.ndcg_at_10:.4f}, recall@10 {total.recall_at_10:.4f}, "
                f"MRR@10 {total.mrr_at_10:.4f}",
                flush=True,
            )
        show_depths(questions, ask)
    return figures


def _chunkspans(services: Services, folder: Path) -> Figures:
    figures: dict[str, Sequence[float]] = {}
    texts = {row["id"]: row["text"] for row in _rows(folder / "corpora.jsonl")}
    questions = _rows(folder / "questions.jsonl")
    for tokens in CHUNK_SIZES:
        documents = [_document(name, name, text) for name, text in texts.items()]
        chunks = [chunk for document in documents for chunk in chunk_document(document, tokens)]
        places = {one.id: one for name, text in texts.items() for one in placed(_of(chunks, name), name, text)}
        with indexed(services, f"chunkspans-{tokens}", documents, tokens) as index:
            for mode in MODES:
                found = [_answer(services, index, question["text"], mode) for question in questions]
                located = [[places[one] for one in ids] for ids in found]
                _show(tokens, mode, len(chunks), questions, located)
                first = zip(questions, located, strict=True)
                figures[f"chunkspans {tokens} {mode}"] = [_share(one, some[:TOP_CHUNKS]) for one, some in first]
    return figures


def _show(
    tokens: int, mode: Mode, chunks: int, questions: Sequence[dict[str, Any]], found: Sequence[Sequence[Placed]]
) -> None:
    first = [places[:TOP_CHUNKS] for places in found]
    budget = [_within(places, READING_BUDGET) for places in found]
    shares = [
        fmean(_share(question, places) for question, places in zip(questions, some, strict=True))
        for some in (first, budget)
    ]
    read = fmean(sum(one.piece.length for one in places) for places in first)
    print(
        f"chunkspans, chunks of {tokens} tokens, {mode}: {shares[0]:.3f} of the asked spans in the first "
        f"{TOP_CHUNKS} chunks ({read:.0f} characters), {shares[1]:.3f} in the first {READING_BUDGET} characters; "
        f"{chunks} chunks",
        flush=True,
    )


def _share(question: dict[str, Any], found: Sequence[Placed]) -> float:
    mine = [one.piece for one in found if one.corpus == question["corpus"]]
    return covered([Piece(*span) for span in question["spans"]], mine)


def _within(found: Sequence[Placed], budget: int) -> list[Placed]:
    """The first chunks that fit together; always one."""
    kept: list[Placed] = []
    for one in found:
        budget -= one.piece.length
        if kept and budget < 0:
            break
        kept.append(one)
    return kept


def _answer(services: Services, index: IndexReader, text: str, mode: Mode) -> list[str]:
    (batch,) = services.embedder.embed([text], purpose="query")
    hits = index.search(mode=mode, text=text, dense=batch.vectors[0], filters=Filters(readers=None), limit=50)
    return [hit.id for hit in hits]


def _document(key: str, title: str, text: str) -> Document:
    return Document(
        id=_document_id(key),
        source="drive",
        connection="bench",
        unit="bench",
        kind="file",
        title=title,
        url=f"https://example.com/{key}",
        content=text,
        content_type=PLAIN_TEXT,
        readers=("public",),
    )


def _document_id(key: str) -> str:
    return f"drive:bench/{key}"


def _of(chunks: Sequence[Chunk], name: str) -> list[Chunk]:
    return [chunk for chunk in chunks if chunk.document_id == _document_id(name)]


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@contextmanager
def _state(given: Path | None) -> Iterator[Path]:
    if given:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="Folder of the sets")
    parser.add_argument("--save", type=Path, help="Where to keep the figures of each question")
    parser.add_argument("--against", type=Path, help="Kept figures of an earlier run")
    parser.add_argument("--state", type=Path, help="Keeps embeddings from one run to the next")
    return parser.parse_args()


if __name__ == "__main__":
    main()
