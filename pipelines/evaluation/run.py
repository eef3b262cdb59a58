"""A run: every question asked once, with the figures of its answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import TypeAdapter, ValidationError

from pipelines.errors import UsageError
from pipelines.evaluation.measures import DEPTH, Figures, mean, measure
from pipelines.evaluation.questions import Question, expected_names
from pipelines.retrieval.filter_values import UnknownValue
from pipelines.retrieval.schema import SearchResponse

Ask: TypeAlias = Callable[[Mapping[str, Any]], SearchResponse]
"""Answers a search request, given as the fields of `SearchRequest`."""

WORST = 10


@dataclass(frozen=True, slots=True)
class RetrievedDocument:
    document_id: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question, the documents that it expects and those that came, the best first."""

    id: str
    query: str
    user: str | None
    expected: tuple[str, ...]
    found: tuple[RetrievedDocument, ...]
    figures: Figures

    @property
    def sources(self) -> frozenset[str]:
        """Sources of the expected documents."""
        return frozenset(one.partition(":")[0] for one in self.expected)

    @property
    def missing(self) -> tuple[str, ...]:
        """Expected documents that did not come."""
        came = {one.document_id for one in self.found}
        return tuple(one for one in self.expected if one not in came)

    @property
    def instead(self) -> tuple[RetrievedDocument, ...]:
        """What came and was not expected."""
        return tuple(one for one in self.found if one.document_id not in self.expected)


@dataclass(frozen=True, slots=True)
class Run:
    """`model` and `mode` say what was evaluated; `unknown` are expected documents that the catalog does not know."""

    model: str
    mode: str
    asked: tuple[AskedQuestion, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def total(self) -> Figures:
        return mean(one.figures for one in self.asked)

    @property
    def by_source(self) -> dict[str, tuple[int, Figures]]:
        """How many questions expect documents of a source, and their figures."""
        sources = sorted({source for one in self.asked for source in one.sources})
        mine = {source: [one.figures for one in self.asked if source in one.sources] for source in sources}
        return {source: (len(figures), mean(figures)) for source, figures in mine.items()}

    def worst(self, count: int = WORST) -> list[AskedQuestion]:
        """Questions that did not go perfectly, the worst first."""
        imperfect = [one for one in self.asked if one.figures.ndcg_at_10 < 1]
        return sorted(imperfect, key=lambda one: (one.figures.ndcg_at_10, one.figures.mrr_at_10))[:count]

    def as_json(self) -> dict[str, Any]:
        """What `headrace eval --json` prints."""
        return {
            "questions": len(self.asked),
            "model": self.model,
            "mode": self.mode,
            "total": self.total.as_json(),
            "by_source": {
                source: {"questions": count, **figures.as_json()} for source, (count, figures) in self.by_source.items()
            },
            "worst": [_worst_as_json(one) for one in self.worst()],
            "unknown": list(self.unknown),
        }


def evaluate(
    questions: Sequence[Question],
    ask: Ask,
    *,
    model: str,
    mode: str = "hybrid",
    ids: Mapping[str, Sequence[str]] | None = None,
) -> Run:
    """Ask all questions. Raises what `ask` raises.

    `ids` says which documents the expected names stand for, as `catalog.lookup.resolve_ids` tells; where several are at
    one URL, one of them is enough. Without it, a name is an id, or the URL of a document that comes.
    """
    asked = [_with_answer(one, _answer(one, ask, mode), ids or {}) for one in questions]
    expected = {one.id: grades for one, grades in asked}
    figures = measure(expected, {one.id: [document.document_id for document in one.found] for one, _ in asked})
    return Run(
        model,
        mode,
        tuple(replace(one, figures=figures[one.id]) for one, _ in asked),
        () if ids is None else tuple(sorted(expected_names(questions) - ids.keys())),
    )


def save(run: Run, file: Path) -> None:
    """Keep a run, to compare later ones with. Raises UsageError where it cannot be written."""
    try:
        file.write_text(json.dumps(asdict(run), ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error}") from None


def read_run(file: Path) -> Run:
    """A run that `save` kept. Raises UsageError."""
    try:
        return TypeAdapter(Run).validate_json(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error}") from None
    except ValidationError:
        raise UsageError(f"{file}: not a run that `headrace eval --save` wrote") from None


def _answer(question: Question, ask: Ask, mode: str) -> tuple[RetrievedDocument, ...]:
    filters = question.filters.model_dump(mode="json", exclude_defaults=True)
    asked = {"query": question.query, "user": question.user, **({"filters": filters} if filters else {})}
    try:
        response = ask({**asked, "top_k": DEPTH, "mode": mode})
    except UnknownValue:
        return ()
    return tuple(RetrievedDocument(one.document_id, one.title, one.url) for one in response.results)


def _with_answer(
    question: Question, found: tuple[RetrievedDocument, ...], ids: Mapping[str, Sequence[str]]
) -> tuple[AskedQuestion, dict[str, int]]:
    """A question with its answer, not measured yet, and how relevant each expected document is, by id."""
    grades: dict[str, int] = {}
    for name, relevance in question.documents.items():
        document_id = _id_of(name, found, ids)
        grades[document_id] = max(relevance, grades.get(document_id, 0))
    return AskedQuestion(question.id, question.query, question.user, tuple(grades), found, Figures()), grades


def _id_of(name: str, found: Sequence[RetrievedDocument], ids: Mapping[str, Sequence[str]]) -> str:
    """Which document is meant: of several at one URL the one that came first, if any did."""
    candidates = ids.get(name, (name,))
    came = (one.document_id for one in found if one.document_id in candidates or one.url == name)
    return next(came, candidates[0])


def _worst_as_json(asked: AskedQuestion) -> dict[str, Any]:
    return {
        "id": asked.id,
        "query": asked.query,
        "user": asked.user,
        **asked.figures.as_json(),
        "missing": list(asked.missing),
        "instead": [asdict(one) for one in asked.instead],
    }
