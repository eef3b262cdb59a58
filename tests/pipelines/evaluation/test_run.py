"""Figures, runs and their comparison, on answers that are made up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import UsageError
from pipelines.evaluation.comparison import compare
from pipelines.evaluation.measures import DEPTH, Figures, mean, measure
from pipelines.evaluation.questions import Question
from pipelines.evaluation.report import page, write_report
from pipelines.evaluation.run import Run, evaluate, read_run, save
from pipelines.retrieval.schema import DocumentResult, SearchResponse

DOCUMENTS = [f"github:d{number}" for number in range(15)]


def by_trec_eval(expected: dict[str, dict[str, int]], found: dict[str, list[str]]) -> dict[str, Figures]:
    """What trec_eval says of the first ten; it knows no cut-off of the reciprocal rank."""
    scored = {
        question: {document: 1 / place for place, document in enumerate(documents[:DEPTH], start=1)}
        for question, documents in found.items()
    }
    names = ("ndcg_cut_10", "recall_10", "recip_rank")
    told = pytrec_eval.RelevanceEvaluator(expected, set(names)).evaluate(scored)
    return {question: Figures(*(figures[name] for name in names)) for question, figures in told.items()}


def by_hand(expected: dict[str, int], found: list[str]) -> Figures:
    """trec_eval's definitions, told once more: gain is the relevance, discount log2(rank + 1)."""
    gains = [expected.get(document, 0) for document in found[:DEPTH]]
    ideal = sorted(expected.values(), reverse=True)[:DEPTH]
    first = next((place for place, gain in enumerate(gains, start=1) if gain), None)
    return Figures(
        _discounted(gains) / _discounted(ideal),
        sum(gain > 0 for gain in gains) / len(expected),
        1 / first if first else 0.0,
    )


def _discounted(gains: list[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, start=1))


@given(
    expected=st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(1, 3), min_size=1),
    found=st.lists(st.sampled_from(DOCUMENTS), unique=True),
)
def test_figures_follow_the_definitions(expected: dict[str, int], found: list[str]) -> None:
    figures = measure({"q": expected}, {"q": found})["q"]
    assert tuple(asdict(figures).values()) == pytest.approx(tuple(asdict(by_hand(expected, found)).values()), abs=1e-6)


@given(
    st.dictionaries(
        st.sampled_from("abcdef"),
        st.tuples(
            st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(1, 3), min_size=1),
            st.lists(st.sampled_from(DOCUMENTS), unique=True, min_size=1),
        ),
        min_size=1,
    )
)
def test_figures_equal_those_of_pytrec_eval(judged: dict[str, tuple[dict[str, int], list[str]]]) -> None:
    expected = {question: documents for question, (documents, _) in judged.items()}
    found = {question: documents for question, (_, documents) in judged.items()}
    ours, theirs = measure(expected, found), by_trec_eval(expected, found)
    assert {question: asdict(figures) for question, figures in ours.items()} == {
        question: pytest.approx(asdict(figures), abs=1e-6) for question, figures in theirs.items()
    }
    assert asdict(mean(ours.values())) == pytest.approx(asdict(mean(theirs.values())), abs=1e-6)


def test_questions_without_any_answer_count_as_nothing() -> None:
    figures = measure({"a": {"x": 1}, "b": {"x": 1}}, {"a": [], "b": ["x"]})
    assert figures == {"a": Figures(), "b": Figures(1.0, 1.0, 1.0)}
    assert mean(figures.values()) == Figures(0.5, 0.5, 0.5)
    assert mean([]) == Figures()


def result(document_id: str) -> DocumentResult:
    return DocumentResult(
        document_id=document_id,
        title=f"<{document_id}>",
        url=f"https://example.com/{document_id}",
        source=document_id.partition(":")[0],
        connection="acme",
        unit="unit",
        kind="page",
        parents=[],
        breadcrumb=[],
        author="",
        created_at=None,
        updated_at=None,
        score=1.0,
        chunks=[],
    )


QUESTIONS = [
    Question(id="1", query="perfect?", documents={"slack:a": 1}),
    Question(id="2", query="<b>half?</b>", documents={"github:b": 1, "slack:c": 1}, user="ada@example.com"),
    Question(id="3", query="by its address?", documents={"https://example.com/github:d": 1}),
    Question(id="4", query="nothing?", documents={"notion:e": 1}),
]
ANSWERS = {"1": ["slack:a", "slack:x"], "2": ["slack:x", "github:b"], "3": ["github:d"], "4": []}


def ran(
    answers: Mapping[str, Sequence[str]] = ANSWERS,
    asked: list[Mapping[str, Any]] | None = None,
    ids: Mapping[str, Sequence[str]] | None = None,
) -> Run:
    texts = {question.query: question.id for question in QUESTIONS}

    def ask(request: Mapping[str, Any]) -> SearchResponse:
        if asked is not None:
            asked.append(dict(request))
        found = answers[texts[request["query"]]]
        return SearchResponse(results=[result(one) for one in found], took_ms=0)

    return evaluate(QUESTIONS, ask, model="m", mode="lexical", ids=ids)


def test_every_question_is_asked_as_its_person() -> None:
    asked: list[Mapping[str, Any]] = []
    ran(asked=asked)
    assert [(one["user"], one["mode"], one["top_k"]) for one in asked] == [
        (None, "lexical", 10),
        ("ada@example.com", "lexical", 10),
        (None, "lexical", 10),
        (None, "lexical", 10),
    ]


def test_figures_in_total_and_by_source() -> None:
    figures = ran().as_json()
    assert (figures["questions"], figures["total"]["recall_at_10"]) == (4, 0.625)
    assert {source: (one["questions"], one["recall_at_10"]) for source, one in figures["by_source"].items()} == {
        "github": (2, 0.75),
        "notion": (1, 0.0),
        "slack": (2, 0.75),
    }


def test_expected_addresses_are_those_of_documents_whether_they_came_or_not() -> None:
    address = "https://example.com/github:d"
    ids = {name: (name,) for name in ("slack:a", "github:b", "slack:c")} | {address: ("notion:f", "github:d")}
    run = ran(ids=ids)
    assert run.unknown == ("notion:e",)
    assert [(one.expected, one.missing) for one in run.asked if one.id == "3"] == [(("github:d",), ())]
    assert run.as_json()["by_source"]["github"]["questions"] == 2
    nothing = ran({name: [] for name in ANSWERS}, ids=ids)
    found: list[tuple[tuple[str, ...], frozenset[str]]]
    found = [(one.expected, one.sources) for one in nothing.asked if one.id == "3"]
    assert found == [(("notion:f",), frozenset({"notion"}))]


def test_an_id_and_its_address_are_one_document() -> None:
    question = Question(id="1", query="x", documents={"github:d": 1, "https://example.com/github:d": 3})
    answer = SearchResponse(results=[result("github:d")], took_ms=0)
    (asked,) = evaluate([question], lambda _: answer, model="m").asked
    assert (asked.expected, asked.figures) == (("github:d",), Figures(1.0, 1.0, 1.0))


def test_the_worst_questions_say_what_came_instead() -> None:
    nothing, half = ran().worst()
    assert (nothing.id, nothing.missing, nothing.instead) == ("4", ("notion:e",), ())
    assert (half.id, half.missing, [one.document_id for one in half.instead]) == ("2", ("slack:c",), ["slack:x"])


def test_a_run_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    save(ran(), tmp_path / "run.json")
    assert read_run(tmp_path / "run.json") == ran()
    (tmp_path / "other.json").write_text('{"model": 1}')
    for name, said in (("other.json", "not a run"), ("none.json", "cannot be read")):
        with pytest.raises(UsageError, match=said):
            read_run(tmp_path / name)
    with pytest.raises(UsageError, match="cannot be written"):
        save(ran(), tmp_path / "none" / "run.json")


def test_runs_are_compared_over_the_questions_of_both() -> None:
    before = ran(ANSWERS | {"4": ["notion:e"], "2": []})
    comparison = compare(ran(), before).as_json()
    assert [one["id"] for one in comparison["worse"]] == ["4"]
    assert [one["id"] for one in comparison["better"]] == ["2"]
    assert (comparison["questions"], comparison["total"]["recall_at_10"]) == (4, -0.125)
    assert comparison["by_source"]["notion"]["mrr_at_10"] == -1.0
    assert compare(ran(), ran()).worse == compare(ran(), ran()).better == ()


def test_the_report_shows_all_and_runs_nothing(tmp_path: Path) -> None:
    write_report(ran(), compare(ran(), ran(ANSWERS | {"1": []})), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "<b>" not in text
    assert "&lt;b&gt;half?&lt;/b&gt;" in text
    assert "missing: notion:e" in text
    assert "Better than before" in text
    assert "Worse than before" not in text
    assert "change since lexical search with m, over the 4 questions" in text
    assert "<script" not in text
    assert 'src="' not in text
    assert "in no connection" not in text
    assert 'in no connection</h2><ul><li><span class="missing">github:b' in page(ran(ids={"slack:a": ("slack:a",)}))
    assert page(ran({name: list(question.documents) for name, question in zip("1234", QUESTIONS, strict=True)}))
    with pytest.raises(UsageError, match="cannot be written"):
        write_report(ran(), None, tmp_path / "none" / "report.html")
