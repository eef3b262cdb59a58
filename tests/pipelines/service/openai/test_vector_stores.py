"""OpenAI's own client against the service, with nothing changed but its base URL and key."""

from __future__ import annotations

import re

import openai
import pytest

from pipelines.errors import EmbeddingUnavailable
from tests.pipelines.documents import document
from tests.pipelines.service.conftest import ADA, BO, SEES, UNKNOWN_SOURCE

NAMED = {"X-Headrace-User": ADA}


@pytest.fixture
def ask(url):
    def asked(assistant="people", key="people-key", query="certificate", person=ADA, **options):
        options = {"extra_headers": {"X-Headrace-User": person}} | options if person else options
        with openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
            return client.vector_stores.search(assistant, query=query, **options)

    return asked


def numbers(page):
    return {int(one.file_id.rpartition("/")[2]) for one in page.data}


@pytest.mark.parametrize(("person", "expected"), SEES.items())
def test_people_find_what_they_may_see(ask, person, expected):
    assert numbers(ask(person=person)) == expected
    assert numbers(ask(person=None, extra_body={"user": person})) == expected


def test_a_result_is_a_file_with_its_passages(ask):
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
        "url": "https://example.com/1",
        "source": "github",
        "connection": "acme",
        "unit": "unit",
        "kind": "issue",
        "author": "ada",
        "created_at": known.created_at.timestamp(),
        "updated_at": known.updated_at.timestamp(),
    }


def eq(key, value, type="eq"):
    return {"type": type, "key": key, "value": value}


def any_of(*filters):
    return {"type": "or", "filters": list(filters)}


def nested(levels):
    return all_of(nested(levels - 1)) if levels else eq("kind", "issue")


def all_of(*filters):
    return {"type": "and", "filters": list(filters)}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (eq("source", "github"), {1, 2}),
        (all_of(eq("source", "github"), eq("source", ["slack", "notion"], "in")), set()),
        (all_of(eq("kind", "issue"), all_of(eq("author", "ada"))), {1, 2}),
        (eq("tags", ["tag2", "tag3"], "in"), {2}),
        (eq("tags", "tag2", "ne"), {1}),
        (any_of(eq("tags", "tag1"), any_of(eq("tags", ["tag4"], "in"))), {1}),
        (eq("parents", ["github:acme/acme/api"], "nin"), set()),
        (eq("updated_at", document().updated_at.timestamp(), "gte"), {1, 2}),
        (eq("updated_at", document().updated_at.timestamp(), "gt"), set()),
        (eq("updated_at", document().updated_at.isoformat(), "lte"), {1, 2}),
        (eq("updated_at", document().updated_at.isoformat(), "lt"), set()),
    ],
)
def test_attribute_filters(ask, filters, expected):
    assert numbers(ask(filters=filters)) == expected


def test_low_scores_can_be_left_out(ask):
    best = max(one.score for one in ask().data)
    assert {one.score for one in ask(ranking_options={"ranker": "none", "score_threshold": best}).data} == {best}
    assert not ask(ranking_options={"score_threshold": best * 1.01}).data


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"key": "wrong"}, openai.AuthenticationError, "Authorization: Bearer"),
        ({"key": "robot-key"}, openai.NotFoundError, "vector store"),
        ({"assistant": "unknown"}, openai.NotFoundError, "vector store"),
        ({"person": None}, openai.PermissionDeniedError, "X-Headrace-User"),
        ({"extra_body": {"user": BO}}, openai.BadRequestError, "names one person"),
        ({"query": ""}, openai.BadRequestError, "query"),
        ({"max_num_results": 51}, openai.BadRequestError, "max_num_results"),
        ({"filters": eq("user", ADA)}, openai.BadRequestError, "filters.key: unknown attribute: must be one of sou"),
        ({"filters": eq("source", "sharepoint")}, openai.BadRequestError, f"filters.value: {UNKNOWN_SOURCE}"),
        ({"filters": eq("source", "slack", "ne")}, openai.BadRequestError, "filters.type: source takes"),
        ({"filters": eq("updated_at", "soon", "gt")}, openai.BadRequestError, "filters.value: updated_at takes"),
        ({"filters": all_of(eq("kind", 3))}, openai.BadRequestError, "filters.filters.0.value: kind takes text"),
        ({"filters": any_of(eq("kind", "a"), eq("unit", "b"))}, openai.BadRequestError, "filters.filters.1: `or` can"),
        ({"filters": any_of(eq("updated_at", 1, "gt"))}, openai.BadRequestError, "filters.filters.0: `or` can"),
        ({"filters": any_of(eq("kind", True))}, openai.BadRequestError, "filters.filters.0.value: kind takes text"),
        ({"filters": all_of(eq("tags", "a"), eq("tags", "b"))}, openai.BadRequestError, "filters.filters.1: tags can"),
        ({"filters": eq("kind", [], "in")}, openai.BadRequestError, "at least one"),
        ({"filters": eq("updated_at", 1e300, "lt")}, openai.BadRequestError, "filters.value: updated_at takes"),
        ({"filters": nested(9)}, openai.BadRequestError, "filters: may be nested at most 8 deep"),
        ({"extra_body": {"colour": "red"}}, openai.BadRequestError, "colour"),
        ({"query": "x" * 1_000_000}, openai.APIStatusError, "bytes"),
    ],
)
def test_refusals_raise_the_clients_own_errors(ask, asked, error, message):
    with pytest.raises(error, match=re.escape(message)) as refused:
        ask(**asked)
    assert refused.value.body["message"] in str(refused.value)


def test_trouble_behind_the_service_is_the_servers(ask, failing):
    failing(EmbeddingUnavailable("secret details"))
    with pytest.raises(openai.InternalServerError, match="try again later") as refused:
        ask()
    assert (refused.value.status_code, "secret" in str(refused.value)) == (503, False)
