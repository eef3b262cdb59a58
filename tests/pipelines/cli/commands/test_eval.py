"""`headrace eval`: what it writes, prints and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.cli.conftest import Done
from tests.pipelines.documents import document

VALVE, TURBINE = document(1).id, document(2).id
QUESTIONS = [
    {"id": "valve", "query": "penstock valve", "expected": [VALVE]},
    {"id": "address", "query": "turbine hums", "expected": {"https://example.com/2?from=mail#top": 2}},
    {"id": "hidden", "query": "who says <b>valve</b>?", "expected": [VALVE], "user": "noor@example.com"},
    {"id": "gone", "query": "nothing", "expected": ["slack:acme/C1/2"]},
]


def test_an_evaluation_is_printed_saved_and_shown(
    headrace: Callable[..., Done], embedder: FakeEmbedder, tmp_path: Path
) -> None:
    file = written(tmp_path, *QUESTIONS)
    done = headrace("eval", file, "--save", tmp_path / "run.json", "--html", tmp_path / "report.html", "--json")
    assert done.code == 0
    assert embedder.requests == 1, "all questions are embedded together"
    found = done.json
    assert (found["questions"], found["mode"], found["total"]["recall_at_10"]) == (4, "hybrid", 0.5)
    assert found["by_source"]["github"]["questions"] == 3
    assert found["unknown"] == ["slack:acme/C1/2"]
    worst = {one["id"]: one for one in found["worst"]}
    assert (worst["hidden"]["missing"], [one["document_id"] for one in worst["hidden"]["instead"]]) == (
        [VALVE],
        [TURBINE],
    )
    report = (tmp_path / "report.html").read_text()
    assert "who says &lt;b&gt;valve&lt;/b&gt;?" in report
    compared = headrace("eval", file, "--against", tmp_path / "run.json", "--json").json["against"]
    assert (compared["questions"], set(compared["total"].values()), compared["worse"]) == (4, {0.0}, [])


def test_people_read_figures_changes_and_the_worst_questions(headrace: Callable[..., Done], tmp_path: Path) -> None:
    file = written(tmp_path, *QUESTIONS)
    headrace("eval", file, "--save", tmp_path / "run.json")
    kept = json.loads((tmp_path / "run.json").read_text())
    kept["asked"][0]["figures"]["ndcg_at_10"] = 0.25
    kept["asked"][3]["figures"]["ndcg_at_10"] = 0.75
    (tmp_path / "run.json").write_text(json.dumps(kept))
    done = headrace("eval", file, "--against", tmp_path / "run.json")
    lines = done.out.splitlines()
    assert done.code == 0
    assert any(line.split()[:4] == ["github", "3", "0.667", "(+0.250)"] for line in lines)
    assert "compared with hybrid search with fake-words, over the 4 questions of both runs" in lines
    assert "worse  0.750 → 0.000  nothing" in lines
    assert "better 0.250 → 1.000  penstock valve" in lines
    assert f"   missing  {VALVE}" in lines
    assert f"   instead  {TURBINE}  [b]Turbine" in lines
    assert "unknown  slack:acme/C1/2: expected, and in no connection" in lines


def test_words_alone_need_no_embedding(headrace: Callable[..., Done], embedder: FakeEmbedder, tmp_path: Path) -> None:
    done = headrace("eval", written(tmp_path, QUESTIONS[0]), "--mode", "lexical", "--json")
    assert (done.json["total"]["ndcg_at_10"], embedder.requests) == (1.0, 0)


@pytest.mark.parametrize(
    ("lines", "options", "said"),
    [
        ([QUESTIONS[0], {"query": "x"}], [], "questions.jsonl: line 2: expected: Field required"),
        ([QUESTIONS[0]], ["--mode", "fuzzy"], "--mode: 'fuzzy' must be one of hybrid, dense, lexical"),
        ([QUESTIONS[0]], ["--against", "none.json"], "none.json: cannot be read"),
        ([QUESTIONS[0]], ["--save", "no/folder/run.json"], "--save no/folder/run.json: no/folder is not a directory"),
    ],
)
def test_wrong_use_is_named(
    headrace: Callable[..., Done], tmp_path: Path, lines: list[Any], options: list[str], said: str
) -> None:
    done = headrace("eval", written(tmp_path, *lines), *options)
    assert (done.code, said in done.err) == (2, True)


def test_a_place_to_write_that_is_not_there_costs_no_question(
    headrace: Callable[..., Done], embedder: FakeEmbedder, tmp_path: Path
) -> None:
    done = headrace("eval", written(tmp_path, QUESTIONS[0]), "--html", tmp_path / "none" / "report.html")
    assert (done.code, "is not a directory" in done.err, embedder.requests) == (2, True, 0)


def test_a_provider_that_does_not_answer_is_a_failure(
    headrace: Callable[..., Done], embedder: FakeEmbedder, tmp_path: Path
) -> None:
    embedder.fail_after = 0
    done = headrace("eval", written(tmp_path, QUESTIONS[0]))
    assert (done.code, done.out, done.err) == (1, "", "error: the fake provider is out of order\n")


def written(tmp_path: Path, *questions: Any) -> Path:
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(map(json.dumps, questions)))
    return file
