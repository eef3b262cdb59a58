"""OpenAI's own client against the service, with nothing changed but its base URL and key."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import openai
import pytest
from fastapi.testclient import TestClient

from pipelines.errors import EmbeddingUnavailable
from tests.pipelines.documents import document
from tests.pipelines.service.conftest import ADA, BO, SEES, UNKNOWN_SOURCE

CREATED, UPDATED = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
"""Of every document of the sample."""
NAMED = {"X-Headrace-User": ADA}


@pytest.fixture
def openai_client(url: str) -> Callable[..., openai.OpenAI]:
    def opened() -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{url}/v1", api_key="people-key", default_headers=NAMED, max_retries=0)

    return opened


@pytest.fixture
def ask(url: str) -> Callable[..., Any]:
    def asked(
        assistant: str = "people",
        key: str = "people-key",
        query: str = "certificate",
        person: str = ADA,
        **options: Any,
    ) -> Any:
        options = {"extra_headers": {"X-Headrace-User": person}} | options if person else options
        with openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
            return client.vector_stores.search(assistant, query=query, **options)

    return asked


def numbers(page: Any) -> set[int]:
    return {int(one.file_id.rpartition("/")[2]) for one in page.data}


@pytest.mark.parametrize(("person", "expected"), SEES.items())
def test_people_find_what_they_may_see(ask: Callable[..., Any], person: str, expected: set[int]) -> None:
    assert numbers(ask(person=person)) == expected
    assert numbers(ask(person=None, extra_body={"user": person})) == expected


@pytest.mark.parametrize(("person", "is_known"), [(ADA, True), ("stranger@example.com", False)])
def test_a_header_says_that_no_source_knows_the_person(url: str, person: str, is_known: bool) -> None:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="people-key", max_retries=0) as client:
        asking = client.vector_stores.with_raw_response
        answer = asking.search("people", query=["pump", "valve"], extra_headers={"X-Headrace-User": person})
    warnings = answer.headers.get("x-headrace-warnings", "")
    assert warnings.count("no source knows the person") == (0 if is_known else 1)


def test_a_result_is_a_file_with_its_passages(ask: Callable[..., Any]) -> None:
    page = ask(max_num_results=1, query=["certificate number 2", "has expired"])
    assert page.model_dump(exclude={"data"}) == {
        "object": "vector_store.search_results.page",
        "search_query": ["certificate number 2", "has expired"],
        "has_more": False,
        "next_page": None,
    }
    (found,) = page.data
    known = document(2)
    assert (found.filename, found.content[0].type) in {(known.title, "text"), ("Issue 1", "text")}
    assert "has expired" in found.content[0].text
    assert found.attributes == {
        "title": found.filename,
        "url": "https://example.com/1",
        "source": "github",
        "connection": "acme",
        "unit": "unit",
        "unit_name": "Unit",
        "kind": "issue",
        "author": "Ada L.",
        "created_at": CREATED.timestamp(),
        "updated_at": UPDATED.timestamp(),
    }


def eq(key: str, value: object, type: str = "eq") -> dict[str, Any]:
    return {"type": type, "key": key, "value": value}


def any_of(*filters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "or", "filters": list(filters)}


def nested(levels: int) -> dict[str, Any]:
    return all_of(nested(levels - 1)) if levels else eq("kind", "issue")


def all_of(*filters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "and", "filters": list(filters)}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (eq("source", "github"), {1, 2}),
        (all_of(eq("source", "github"), eq("source", ["slack", "notion"], "in")), set()),
        (all_of(eq("kind", "issue"), all_of(eq("author", "ada"))), {1, 2}),
        (eq("author", ""), set()),
        (eq("author", "", "ne"), {1, 2}),
        (eq("tags", ["tag2", "Tag1"], "in"), {1, 2}),
        (eq("tags", "tag2", "ne"), {1}),
        (eq("tags", ["tag2", "tag3"], "nin"), {1}),
        (any_of(eq("tags", "tag1"), any_of(eq("author", "nobody", "ne"))), {1, 2}),
        (any_of(eq("tags", "tag1"), eq("title", "Issue 2")), {1, 2}),
        (all_of(any_of(eq("tags", "tag1"), eq("kind", "issue")), eq("tags", "tag2")), {2}),
        (all_of(eq("tags", "tag1"), eq("tags", "tag2")), set()),
        (eq("source", "slack", "ne"), {1, 2}),
        (eq("unit", "#UNIT"), {1, 2}),
        (eq("title", "Issue 2"), {2}),
        (eq("title", ["Issue 1", "Issue 2"], "nin"), set()),
        (eq("title", "Issue 4"), set()),
        (eq("url", "https://example.com/1"), {1, 2}),
        (eq("url", "https://example.com/1", "ne"), set()),
        (eq("created_at", CREATED.timestamp()), {1, 2}),
        (eq("created_at", CREATED.timestamp(), "gt"), set()),
        (any_of(eq("updated_at", UPDATED.timestamp(), "gt"), eq("tags", "tag1")), {1}),
        (eq("parents", ["github:acme/acme/api"], "nin"), set()),
        (eq("updated_at", UPDATED.timestamp(), "gte"), {1, 2}),
        (eq("updated_at", UPDATED.timestamp(), "gt"), set()),
        (eq("updated_at", UPDATED.isoformat(), "lte"), {1, 2}),
        (eq("updated_at", UPDATED.isoformat(), "lt"), set()),
    ],
)
def test_attribute_filters(ask: Callable[..., Any], filters: dict[str, Any], expected: set[int]) -> None:
    assert numbers(ask(filters=filters)) == expected


def test_what_is_wrong_is_named_without_the_types_that_it_may_have(client: TestClient) -> None:
    headers = {"Authorization": "Bearer people-key"}
    asked = client.post("/v1/vector_stores/people/search", headers=headers, json={"query": [[1]], "user": ADA})
    assert asked.json()["detail"].startswith("query: Input should be")


def test_low_scores_can_be_left_out(ask: Callable[..., Any]) -> None:
    best = max(one.score for one in ask().data)
    assert {one.score for one in ask(ranking_options={"ranker": "none", "score_threshold": best}).data} == {best}
    assert 0 < best <= 1
    worst = min(one.score for one in ask().data)
    assert worst < best
    left = ask(ranking_options={"score_threshold": (worst + best) / 2}).data
    assert 0 < len(left) < len(ask().data)


def test_a_key_has_one_store_with_what_may_be_seen(openai_client: Callable[..., openai.OpenAI]) -> None:
    with openai_client() as client:
        (store,) = client.vector_stores.list().data
        assert (store.id, store.file_counts.total) == ("people", len(SEES[ADA]))
        assert client.vector_stores.retrieve("people") == store
        with pytest.raises(openai.NotFoundError):
            client.vector_stores.retrieve("robot")


def test_the_whole_text_of_a_file(openai_client: Callable[..., openai.OpenAI]) -> None:
    with openai_client() as client:
        (content,) = client.vector_stores.files.content(document(2).id, vector_store_id="people").data
        assert content.text == "The certificate number 2 has expired."
        for hidden in (3, 99):
            with pytest.raises(openai.NotFoundError):
                client.vector_stores.files.content(document(hidden).id, vector_store_id="people")


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"key": "wrong"}, openai.AuthenticationError, "Authorization: Bearer"),
        ({"key": "robot-key", "person": None}, openai.NotFoundError, "vector store"),
        ({"key": "robot-key"}, openai.PermissionDeniedError, "key of a service"),
        ({"assistant": "unknown"}, openai.NotFoundError, "vector store"),
        ({"person": None}, openai.PermissionDeniedError, "X-Headrace-User"),
        ({"extra_body": {"user": BO}}, openai.BadRequestError, "names one person"),
        ({"query": ""}, openai.BadRequestError, "query"),
        ({"max_num_results": 51}, openai.BadRequestError, "max_num_results"),
        ({"filters": eq("user", ADA)}, openai.BadRequestError, "filters.key: unknown attribute: must be one of sou"),
        ({"filters": eq("source", "sharepoint")}, openai.BadRequestError, f"filters.value: {UNKNOWN_SOURCE}"),
        ({"filters": eq("kind", "issue", "gt")}, openai.BadRequestError, "filters.type: kind takes"),
        (
            {"filters": eq("tags", "tag3")},
            openai.BadRequestError,
            "filters.value: no tag 'tag3' among what you may see; n",
        ),
        ({"filters": eq("updated_at", "soon", "gt")}, openai.BadRequestError, "filters.value: updated_at takes"),
        ({"filters": all_of(eq("kind", 3))}, openai.BadRequestError, "filters.filters.0.value: kind takes text"),
        ({"filters": any_of(eq("kind", True))}, openai.BadRequestError, "filters.filters.0.value: kind takes text"),
        ({"filters": eq("kind", [], "in")}, openai.BadRequestError, "at least one"),
        ({"filters": eq("updated_at", 1e300, "lt")}, openai.BadRequestError, "filters.value: updated_at takes"),
        ({"filters": nested(9)}, openai.BadRequestError, "filters: may be nested at most 8 deep"),
        ({"extra_body": {"colour": "red"}}, openai.BadRequestError, "colour"),
        ({"query": "x" * 1_000_000}, openai.APIStatusError, "bytes"),
    ],
)
def test_refusals_raise_the_clients_own_errors(
    ask: Callable[..., Any], asked: dict[str, Any], error: type[openai.APIError], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)) as refused:
        ask(**asked)
    body = refused.value.body
    assert isinstance(body, dict)
    assert body["message"] in str(refused.value)


def test_trouble_behind_the_service_is_the_servers(
    ask: Callable[..., Any], failing: Callable[[Exception], None]
) -> None:
    failing(EmbeddingUnavailable("secret details"))
    with pytest.raises(openai.InternalServerError, match="try again later") as refused:
        ask()
    assert (refused.value.status_code, "secret" in str(refused.value)) == (503, False)
