"""What a reranker can gain at most by how many documents it is shown: one that judges without error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log2
from statistics import fmean

from pipelines.evaluation.questions import Question
from pipelines.retrieval.schema import SearchRequest, SearchResponse

DEPTHS = (10, 20, 30, 50, 100)
_FIRST = 10


def show_depths(questions: Sequence[Question], ask: Callable[[SearchRequest], SearchResponse]) -> None:
    found = [ask(SearchRequest(query=one.query, top_k=max(DEPTHS))) for one in questions]
    ids = [[result.document_id for result in answer.results] for answer in found]
    for depth in DEPTHS:
        shares = [_judged(one, some[:depth]) for one, some in zip(questions, ids, strict=True)]
        print(
            f"scifact, the first {depth} in the order of a judge without error: nDCG@10 {fmean(shares):.4f}", flush=True
        )


def _judged(question: Question, found: Sequence[str]) -> float:
    best = sorted((question.documents.get(one, 0) for one in found), reverse=True)
    return _gain(best) / _gain(sorted(question.documents.values(), reverse=True))


def _gain(relevance: Sequence[int]) -> float:
    return sum(value / log2(place + 1) for place, value in enumerate(relevance[:_FIRST], start=1))
