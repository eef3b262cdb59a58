"""Golden questions made of what people said of their answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipelines.atomic_files import write_text
from pipelines.catalog.feedback import Feedback
from pipelines.evaluation.questions import RELEVANT, Question, read_questions

_PREFIX = "feedback-"


def questions_of(given: Iterable[Feedback]) -> list[Question]:
    """A question for each that somebody asked and has found something good for; that is what it expects. Of one
    document the word said last counts."""
    said: dict[tuple[str, str | None], dict[str, bool]] = {}
    for one in given:
        said.setdefault((one.query, one.person), {})[one.document] = one.rating == "good"
    good = {asked: [document for document, is_good in of.items() if is_good] for asked, of in said.items()}
    return [
        Question(id=_id(query, person), query=query, documents=dict.fromkeys(documents, RELEVANT), user=person)
        for (query, person), documents in good.items()
        if documents
    ]


def add_questions(file: Path, found: Sequence[Question]) -> None:
    """Let a file hold these questions beside its own. Those that feedback had made before are made anew.

    Raises UsageError for a file that holds something else.
    """
    before = read_questions(file) if file.exists() and file.read_text(encoding="utf-8").strip() else []
    kept = [one for one in before if not one.id.startswith(_PREFIX)]
    lines = (one.model_dump_json(exclude_none=True) for one in (*kept, *found))
    write_text(file, "".join(f"{line}\n" for line in lines))


def _id(query: str, person: str | None) -> str:
    return _PREFIX + hashlib.sha256(f"{person or ''}\n{query}".encode()).hexdigest()[:16]
