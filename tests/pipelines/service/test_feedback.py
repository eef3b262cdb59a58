"""What people say of their answers is kept, under the rights of whoever says it, and becomes golden questions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete

from pipelines.catalog import tables
from pipelines.errors import UsageError
from pipelines.evaluation.feedback import add_questions, questions_of
from pipelines.evaluation.questions import read_questions
from pipelines.evaluation.run import evaluate
from pipelines.retrieval.schema import SearchResponse
from pipelines.services import Services
from tests.pipelines.documents import document
from tests.pipelines.service.conftest import ADA, BO

KEY = {"Authorization": "Bearer people-key"}
QUESTION = "which certificate has expired?"


@pytest.fixture(autouse=True)
def _forget(services: Services) -> Iterator[None]:
    yield
    with services.catalog._engine.begin() as transaction:
        transaction.execute(delete(tables.feedback))


def ask(client: TestClient, person: str = ADA, headers: dict[str, str] = KEY, **more: Any) -> str:
    answer = client.post("/v1/search", headers=headers, json={"query": QUESTION, "user": person} | more)
    assert answer.status_code == 200
    return str(answer.headers["x-request-id"])


def tell(client: TestClient, request: str, number: int, rating: str = "good", person: str = ADA, **more: Any) -> int:
    said = {"request_id": request, "document_id": document(number).id, "rating": rating, "user": person} | more
    return client.post("/v1/feedback", headers=KEY, json=said).status_code


def test_what_was_good_becomes_a_question(client: TestClient, services: Services, tmp_path: Path) -> None:
    request = ask(client)
    assert tell(client, request, 1, "bad", comment="no") == 204
    assert tell(client, request, 2, "bad") == 204
    assert tell(client, request, 2) == 204  # another opinion
    assert tell(client, ask(client, BO), 1, "bad", BO) == 204
    kept = services.catalog.feedback.all()
    assert (kept[0].person, kept[0].rating, kept[0].comment) == (ADA, "bad", "no")
    (question,) = questions_of(kept)
    assert (question.query, question.user, dict(question.documents)) == (QUESTION, ADA, {document(2).id: 1})
    file = tmp_path / "golden.jsonl"
    file.write_text('{"id": "own", "query": "a", "expected": ["b"]}\n')
    for _ in range(2):
        add_questions(file, questions_of(kept))
        assert [one.id for one in read_questions(file)] == ["own", question.id]


def test_a_file_that_holds_no_questions_stays(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("notes")
    with pytest.raises(UsageError, match="line 1: not valid JSON"):
        add_questions(file, [])
    assert file.read_text() == "notes"


def test_an_old_answer_takes_its_question_along(client: TestClient, services: Services) -> None:
    assert tell(client, "long-ago", 1) == 404
    assert tell(client, "long-ago", 1, query=QUESTION) == 204
    assert [one.query for one in services.catalog.feedback.all()] == [QUESTION]


def test_nobody_speaks_of_what_they_may_not_see(client: TestClient, services: Services) -> None:
    request = ask(client)
    assert tell(client, request, 3) == tell(client, request, 99) == 404
    assert tell(client, request, 1, person=BO) == 404  # it is Ada's question
    assert client.post("/v1/feedback", json={}).status_code == 401
    assert tell(client, request, 1, "great") == 422
    assert services.catalog.feedback.all() == []


def test_the_audit_log_has_the_rating_and_no_words(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    request = ask(client)
    with caplog.at_level("INFO", logger="headrace.audit"):
        assert tell(client, request, 1, comment="secret words") == 204
    lines = [record.getMessage() for record in caplog.records if record.name == "headrace.audit"]
    (line,) = [one for one in map(json.loads, lines) if one["event"] == "feedback"]
    assert (line["about"], line["document"], line["rating"]) == (request, document(1).id, "good")
    assert not any("secret words" in one or QUESTION in one for one in lines)


def test_a_document_that_the_answer_did_not_have_is_refused(client: TestClient, services: Services) -> None:
    request = ask(client, top_k=1)
    assert sorted(tell(client, request, number) for number in (1, 2)) == [204, 404]
    assert len(services.catalog.feedback.all()) == 1


def test_a_question_is_asked_again_with_its_filters(client: TestClient, services: Services, tmp_path: Path) -> None:
    assert tell(client, ask(client, filters={"tags_in": ["TAG2"], "units": ["#unit"]}), 2) == 204
    assert tell(client, ask(client), 1) == 204
    asked: list[Mapping[str, Any]] = []

    def answer(request: Mapping[str, Any]) -> SearchResponse:
        asked.append(request)
        return SearchResponse(results=[], took_ms=0)

    add_questions(tmp_path / "golden.jsonl", questions_of(services.catalog.feedback.all()))
    evaluate(read_questions(tmp_path / "golden.jsonl"), answer, model="fake")
    assert [one.get("filters") for one in asked] == [{"tags_in": ["tag2"], "units": ["unit"]}, None]


def test_what_was_narrowed_by_more_than_filters_becomes_no_question(client: TestClient, services: Services) -> None:
    """It is kept for whoever reads it; asked of everything, the question would be another one."""
    robot = {"Authorization": "Bearer robot-key"}
    request = client.post("/v1/search", headers=robot, json={"query": QUESTION}).headers["x-request-id"]
    said = {"request_id": request, "document_id": document(1).id, "rating": "good"}
    assert client.post("/v1/feedback", headers=robot, json=said).status_code == 204
    body = {"query": QUESTION, "filters": {"type": "eq", "key": "tags", "value": "tag1"}}
    found = client.post("/v1/vector_stores/people/search", headers=KEY | {"X-Headrace-User": ADA}, json=body)
    assert tell(client, found.headers["x-request-id"], 1) == 204
    kept = services.catalog.feedback.all()
    assert ([one.filters for one in kept], questions_of(kept)) == ([None, None], [])
