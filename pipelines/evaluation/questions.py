"""Questions with expected documents, as a file holds them: one JSON object a line.

    {"query": "How do I roll back a firmware release?", "expected": ["notion:acme/1f2e"], "user": "ada@example.com"}

`expected` (or `documents`) names what should be found, by id or by URL; an object `{id: relevance}` grades them.
Without `user` the question is asked as an administrator. `filters` are those of a search; one with a value that no
document has finds nothing. `id` (default: the number of the line) tells questions apart between runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, ValidationError

from pipelines.errors import UsageError
from pipelines.retrieval.schema import Person, QuestionText, SearchFilters
from pipelines.validation import first_problem

RELEVANT = 1


def _with_grades(documents: Any) -> Any:
    return dict.fromkeys(documents, RELEVANT) if isinstance(documents, list) else documents


class Question(BaseModel):
    """`documents` maps what should be found to how relevant it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    id: str = ""
    query: QuestionText
    documents: Annotated[Mapping[str, PositiveInt], BeforeValidator(_with_grades)] = Field(
        min_length=1, validation_alias=AliasChoices("expected", "documents")
    )
    user: Person | None = None
    filters: SearchFilters = SearchFilters()


def read_questions(file: Path) -> list[Question]:
    """All questions of a file. Raises UsageError naming the line that is wrong."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from None
    seen: dict[str, int] = {}
    questions = [
        _parse_question(file, number, line, seen) for number, line in enumerate(lines, start=1) if line.strip()
    ]
    if not questions:
        raise UsageError(f"{file}: it holds no questions")
    return questions


def expected_names(questions: Iterable[Question]) -> set[str]:
    """All ids and URLs that some questions expect."""
    return {name for question in questions for name in question.documents}


def _parse_question(file: Path, number: int, line: str, seen: dict[str, int]) -> Question:
    try:
        question = Question.model_validate(json.loads(line))
    except ValueError as error:
        raise UsageError(f"{file}: line {number}: {_reason(error)}") from None
    question = question if question.id else question.model_copy(update={"id": str(number)})
    if (first := seen.setdefault(question.id, number)) != number:
        raise UsageError(f"{file}: line {number}: duplicate id {question.id!r}, first in line {first}")
    return question


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return f"not valid JSON: {error}"
    where, what = first_problem(error)
    return f"{where or 'the line'}: {what}"
