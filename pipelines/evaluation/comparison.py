"""Two runs side by side. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.evaluation.measures import Figures, mean
from pipelines.evaluation.run import AskedQuestion, Run


@dataclass(frozen=True, slots=True)
class QuestionChange:
    """A question whose nDCG@10 is not what it was before."""

    asked: AskedQuestion
    before: AskedQuestion

    @property
    def change(self) -> float:
        return self.asked.figures.ndcg_at_10 - self.before.figures.ndcg_at_10


@dataclass(frozen=True, slots=True)
class RunComparison:
    """What changed since an earlier run, over the `questions` that both asked; the largest changes first.

    `model` and `mode` are the earlier run's.
    """

    model: str
    mode: str
    questions: int
    change: Figures
    by_source: dict[str, Figures]
    worse: tuple[QuestionChange, ...]
    better: tuple[QuestionChange, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "mode": self.mode,
            "questions": self.questions,
            "total": self.change.as_json(),
            "by_source": {source: change.as_json() for source, change in self.by_source.items()},
            "worse": [_change_as_json(one) for one in self.worse],
            "better": [_change_as_json(one) for one in self.better],
        }


def compare(run: Run, earlier: Run) -> RunComparison:
    """Questions are the same if their ids and texts are."""
    before = {(one.id, one.query): one for one in earlier.asked}
    pairs = [QuestionChange(one, before[one.id, one.query]) for one in run.asked if (one.id, one.query) in before]
    sources = sorted({source for pair in pairs for source in pair.asked.sources})
    moved = sorted((pair for pair in pairs if pair.change), key=lambda pair: pair.change)
    return RunComparison(
        model=earlier.model,
        mode=earlier.mode,
        questions=len(pairs),
        change=_change(pairs),
        by_source={source: _change([pair for pair in pairs if source in pair.asked.sources]) for source in sources},
        worse=tuple(pair for pair in moved if pair.change < 0),
        better=tuple(pair for pair in reversed(moved) if pair.change > 0),
    )


def _change(pairs: list[QuestionChange]) -> Figures:
    return mean(pair.asked.figures for pair in pairs).minus(mean(pair.before.figures for pair in pairs))


def _change_as_json(one: QuestionChange) -> dict[str, Any]:
    return {
        "id": one.asked.id,
        "query": one.asked.query,
        "ndcg_at_10": round(one.asked.figures.ndcg_at_10, 4),
        "before": round(one.before.figures.ndcg_at_10, 4),
    }
