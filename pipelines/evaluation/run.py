"""A run: every question asked once, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import TypeAdapter, ValidationError

from pipelines.errors import UsageError
from pipelines.evaluation.measures import DEPTH, Figures, mean, measured
from pipelines.evaluation.questions import Question
from pipelines.retrieval.model import SearchResponse

Ask: TypeAlias = Callable[[Mapping[str, Any]], SearchResponse]
"""Answers a search request, given as the fields of `SearchRequest`."""

WORST = 10


@dataclass(frozen=True, slots=True)
class Found:
    document_id: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the documents that it expects and those that came, the best first."""

    id: str
    query: str
    user: str | None
    expected: tuple[str, ...]
    found: tuple[Found, ...]
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
    def instead(self) -> tuple[Found, ...]:
        """What came and was not expected."""
        return tuple(one for one in self.found if one.document_id not in self.expected)


@dataclass(frozen=True, slots=True)
class Run:
    """`model` and `mode` say what was evaluated."""

    model: str
    mode: str
    asked: tuple[Asked, ...] = field(default=())

    @property
    def total(self) -> Figures:
        return mean(one.figures for one in self.asked)

    @property
    def by_source(self) -> dict[str, tuple[int, Figures]]:
        """How many questions expect documents of a source, and their figures."""
        sources = sorted({source for one in self.asked for source in one.sources})
        mine = {source: [one.figures for one in self.asked if source in one.sources] for source in sources}
        return {source: (len(figures), mean(figures)) for source, figures in mine.items()}

    def worst(self, count: int = WORST) -> list[Asked]:
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
        }


def evaluate(questions: Sequence[Question], ask: Ask, *, model: str, mode: str = "hybrid") -> Run:
    """Ask all questions. Raises what `ask` raises."""
    answers = {one.id: _answer(one, ask, mode) for one in questions}
    expected = {one.id: _by_id(one.documents, answers[one.id]) for one in questions}
    found = {question: [one.document_id for one in documents] for question, documents in answers.items()}
    figures = measured(expected, found)
    return Run(
        model,
        mode,
        tuple(
            Asked(one.id, one.query, one.user, tuple(expected[one.id]), answers[one.id], figures[one.id])
            for one in questions
        ),
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


def _answer(question: Question, ask: Ask, mode: str) -> tuple[Found, ...]:
    response = ask({"query": question.query, "user": question.user, "top_k": DEPTH, "mode": mode})
    return tuple(Found(one.document_id, one.title, one.url) for one in response.results)


def _by_id(documents: Mapping[str, int], found: Sequence[Found]) -> dict[str, int]:
    """Expected documents by id: a URL that was found becomes the id of its document."""
    ids = {one.url: one.document_id for one in found}
    return {ids.get(name, name): relevance for name, relevance in documents.items()}


def _worst_as_json(asked: Asked) -> dict[str, Any]:
    return {
        "id": asked.id,
        "query": asked.query,
        "user": asked.user,
        **asked.figures.as_json(),
        "missing": list(asked.missing),
        "instead": [asdict(one) for one in asked.instead],
    }
