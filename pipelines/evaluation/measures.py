"""nDCG@10, recall@10 and MRR@10 by trec_eval itself, through `ir_measures` (https://ir-measur.es). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import fmean

DEPTH = 10
"""How many documents of an answer count."""


@dataclass(frozen=True, slots=True)
class Figures:
    """From 0 to 1, of one question or the mean of several."""

    ndcg_at_10: float = 0.0
    recall_at_10: float = 0.0
    mrr_at_10: float = 0.0

    def as_json(self) -> dict[str, float]:
        return {name: round(value, 4) for name, value in asdict(self).items()}

    def minus(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, one.name) - getattr(other, one.name) for one in fields(self)))


def measure(expected: Mapping[str, Mapping[str, int]], found: Mapping[str, Sequence[str]]) -> dict[str, Figures]:
    """Figures of each question by its id. `found` holds document ids, the best first; the first ten count."""
    import ir_measures
    from ir_measures import RR, R, nDCG

    measures = {nDCG @ DEPTH: "ndcg_at_10", R @ DEPTH: "recall_at_10", RR @ DEPTH: "mrr_at_10"}
    judgements = {question: dict(documents) for question, documents in expected.items()}
    scored = {question: _descending_scores(documents) for question, documents in found.items()}
    values: dict[str, dict[str, float]] = {question: {} for question in expected}
    for metric in ir_measures.iter_calc(list(measures), judgements, scored):
        values[metric.query_id][measures[metric.measure]] = float(metric.value)
    return {question: Figures(**figures) for question, figures in values.items()}


def mean(figures: Iterable[Figures]) -> Figures:
    """The mean of each figure; zeros for no question."""
    rows = list(figures)
    if not rows:
        return Figures()
    return Figures(*(fmean(getattr(row, one.name) for row in rows) for one in fields(Figures)))


def _descending_scores(documents: Sequence[str]) -> dict[str, float]:
    """Falling scores: trec_eval puts documents of equal score in an order of its own."""
    first = list(dict.fromkeys(documents))[:DEPTH]
    return {document: float(len(first) - place) for place, document in enumerate(first)}
