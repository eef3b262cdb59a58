"""Files of questions: what they may hold, and what is said of those that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import UsageError
from pipelines.evaluation.questions import read_questions


def written(tmp_path: Path, *lines: Any) -> Path:
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return file


def test_questions_are_read(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        {"query": "first?", "expected": ["github:a", "slack:b"]},
        "",
        {"id": 7, "query": "second?", "documents": {"notion:c": 2}, "user": "ada@example.com"},
    )
    first, second = read_questions(file)
    assert (first.id, first.query, dict(first.documents), first.user) == (
        "1",
        "first?",
        {"github:a": 1, "slack:b": 1},
        None,
    )
    assert (second.id, dict(second.documents), second.user) == ("7", {"notion:c": 2}, "ada@example.com")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "it holds no questions"),
        (["{"], "line 1: not valid JSON"),
        ([{"query": "x", "documents": ["a"]}, {"query": "x"}], "line 2: expected: Field required"),
        ([{"query": " ", "documents": ["a"]}], "line 1: query: String should have at least 1"),
        ([{"query": "x", "documents": []}], "line 1: documents: .* at least 1 item"),
        ([{"query": "x", "documents": {"a": 0}}], "line 1: documents.a: .*greater than 0"),
        ([{"query": "x", "documents": ["a"], "answer": "y"}], "line 1: answer: Extra inputs"),
        (["[1]"], "line 1: the line: Input should be"),
        (
            [{"id": "2", "query": "x", "documents": ["a"]}, {"query": "y", "documents": ["a"]}],
            "line 2: duplicate id '2', first in line 1",
        ),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, lines: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_questions(written(tmp_path, *lines))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.jsonl: cannot be read"):
        read_questions(tmp_path / "none.jsonl")
