"""Golden questions made of what people said of their answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

from pipelines.atomic_files import write_text
from pipelines.catalog.feedback import Feedback
from pipelines.evaluation.questions import RELEVANT, Question, read_questions
from pipelines.retrieval.schema import SearchFilters

_PREFIX = "feedback-"
_Asked: TypeAlias = tuple[str, str | None, str]
"""The question, who asked it, and its filters as JSON."""


def questions_of(given: Iterable[Feedback]) -> list[Question]:
    """A question for each that somebody asked and has found something good for; that is what it expects. Of one
    document the word said last counts. Without those that were narrowed by what no filters say: they cannot be asked
    again alike."""
    said: dict[_Asked, dict[str, bool]] = {}
    for one in given:
        if one.filters is not None:
            said.setdefault((one.query, one.person, one.filters), {})[one.document] = one.rating == "good"
    good = {asked: [document for document, is_good in of.items() if is_good] for asked, of in said.items()}
    return [_question(asked, documents) for asked, documents in good.items() if documents]


def _question(asked: _Asked, documents: Sequence[str]) -> Question:
    query, person, filters = asked
    expected = dict.fromkeys(documents, RELEVANT)
    narrowed = SearchFilters.model_validate_json(filters)
    return Question(id=_id(asked), query=query, documents=expected, user=person, filters=narrowed)


def add_questions(file: Path, found: Sequence[Question]) -> None:
    """Let a file hold these questions beside its own. Those that feedback had made before are made anew.

    Raises UsageError for a file that holds something else.
    """
    before = read_questions(file) if file.exists() and file.read_text(encoding="utf-8").strip() else []
    kept = [one for one in before if not one.id.startswith(_PREFIX)]
    lines = (one.model_dump_json(exclude_none=True, exclude_defaults=True) for one in (*kept, *found))
    write_text(file, "".join(f"{line}\n" for line in lines))


def _id(asked: _Asked) -> str:
    query, person, filters = asked
    narrowed = "" if filters == "{}" else f"\n{filters}"
    return _PREFIX + hashlib.sha256(f"{person or ''}\n{query}{narrowed}".encode()).hexdigest()[:16]
