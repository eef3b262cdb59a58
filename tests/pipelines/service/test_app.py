"""The HTTP service on a real embedded index, with documents of three people's rights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from connectors.contract import Membership, UnreadableGroup
from connectors.model import Unit
from pipelines.errors import EmbeddingUnavailable
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.documents import document
from tests.pipelines.service.conftest import ADA, BO, METRICS_KEY, READERS, SEES, UNKNOWN_SOURCE
from tests.pipelines.service.serving import app_of


def ask(client: TestClient, key: str | None = "people-key", **body: Any) -> Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return client.post("/v1/search", headers=headers, json={"query": "certificate", "user": ADA} | body)


def numbers(response: Response) -> set[int]:
    assert response.status_code == 200, response.text
    return {int(one["document_id"].rpartition("/")[2]) for one in response.json()["results"]}


@pytest.mark.parametrize(("user", "expected"), SEES.items())
@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_people_find_what_they_may_see(client: TestClient, user: str, expected: set[int], mode: str) -> None:
    assert numbers(ask(client, user=user, mode=mode)) == expected
    assert numbers(ask(client, user=user.upper())) == expected


@pytest.mark.parametrize(("user", "expected"), SEES.items())
def test_a_document_is_shown_or_does_not_exist(client: TestClient, user: str, expected: set[int]) -> None:
    headers = {"Authorization": "Bearer people-key"}
    answers = {}
    for number in [*READERS, 99]:
        path = f"/v1/documents/{quote(document(number).id)}"
        answers[number] = client.get(path, params={"user": user}, headers=headers)
    assert {number for number, answer in answers.items() if answer.status_code == 200} == expected
    assert answers[1].json()["text"] == "The certificate number 1 has expired."
    hidden = [answer.json() | {"request_id": ""} for number, answer in answers.items() if number not in expected]
    assert all(body == hidden[0] for body in hidden)


@pytest.mark.parametrize(("user", "expected"), SEES.items())
def test_a_document_is_found_by_a_former_name_under_the_same_rights(
    client: TestClient, services: Services, user: str, expected: set[int]
) -> None:
    units = services.catalog.units
    for name in ("mills/water", "mills/wind"):
        units.replace_listing("acme", "github", [Unit("unit", "Unit"), Unit("acme/api", name)])
    found = set()
    for number in READERS:
        path = f"/v1/documents/github:acme/mills/water/issues/{number}"
        answer = client.get(path, params={"user": user}, headers={"Authorization": "Bearer people-key"})
        assert answer.status_code == 404 or answer.json()["document_id"] == document(number).id
        found |= {number} if answer.status_code == 200 else set()
    units.replace_listing("acme", "github", [Unit("unit", "Unit")])
    assert found == expected


def test_a_revoked_membership_changes_the_next_answer(client: TestClient, services: Services) -> None:
    assert 3 in numbers(ask(client, user=BO))
    services.catalog.memberships.replace("acme", [])
    assert 3 not in numbers(ask(client, user=BO))
    services.catalog.memberships.replace("acme", [Membership("team", BO)])
    assert 3 in numbers(ask(client, user=BO))


def test_a_service_sees_what_it_is_granted_and_names_nobody(client: TestClient) -> None:
    assert numbers(ask(client, key="robot-key", user=None)) == {1, 3}
    assert numbers(ask(client, key="robot-key", user=" ")) == {1, 3}
    headers = {"Authorization": "Bearer robot-key"}
    named = headers | {"X-Headrace-User": ADA}
    refused = [
        ask(client, key="robot-key", user=ADA),
        client.post("/v1/search", headers=named, json={"query": "certificate"}),
        client.get(f"/v1/documents/{document(3).id}", params={"user": ADA}, headers=headers),
        client.get(f"/v1/documents/{document(3).id}", headers=named),
        client.post("/v1/vector_stores/robot/search", headers=headers, json={"query": "certificate", "user": ADA}),
        client.post("/mcp", headers=named, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
    ]
    assert [one.status_code for one in refused] == [403] * 6
    assert all("leave out `user`" in one.json()["detail"] for one in refused)


@pytest.mark.parametrize(
    "name",
    ["ada", "Ada Lovelace", "ada@", "@example.com", "ada@example.com, bo@example.com", "\u212aim@example.com",
     "ada@example.com\u200b", "a\u0456da@example.com", "ada@ex\u0430mple.com"],
)  # fmt: skip
def test_what_is_no_address_names_nobody(client: TestClient, name: str) -> None:
    path, headers = f"/v1/documents/{document(1).id}", {"Authorization": "Bearer people-key"}
    by_body, by_query = ask(client, user=name), client.get(path, params={"user": name}, headers=headers)
    by_header = client.get(
        path, headers=[(b"Authorization", b"Bearer people-key"), (b"X-Headrace-User", name.encode())]
    )
    by_store = client.post("/v1/vector_stores/people/search", headers=headers, json={"query": "a", "user": name})
    assert [one.status_code for one in (by_body, by_query, by_header, by_store)] == [422, 422, 422, 400]
    assert by_body.json()["errors"][0]["field"] == "user"
    assert "must be an e-mail address" in by_body.json()["detail"]


def test_a_person_whom_no_source_knows_is_told_so(client: TestClient) -> None:
    answers = {user: ask(client, user=user).json() for user in SEES}
    assert [answer.get("person") for answer in answers.values()] == [None, None, "unknown"]
    (warning,) = answers["stranger@example.com"]["warnings"]
    assert "check how the address is spelled" in warning
    assert "person" not in ask(client, key="robot-key", user=None).json()


def test_a_scope_narrows_and_never_widens(client: TestClient) -> None:
    assert numbers(ask(client, key="narrow-key")) == set()
    assert numbers(ask(client, key="narrow-key", filters={"sources": ["github"]})) == set()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"sources": ["github"]}, {1, 2}),
        ({"sources": ["slack"]}, set()),
        ({"connections": ["acme"]}, {1, 2}),
        ({"units": ["#UNIT"]}, {1, 2}),
        ({"kinds": ["Issue"], "authors": ["ada"]}, {1, 2}),
        ({"authors": ["ADA L."]}, {1, 2}),
        ({"authors": ["Lovelace@Example.com"]}, {1, 2}),
        ({"tags_in": ["TAG2"]}, {2}),
        ({"tags_not": ["tag2", "tag3", "nothing"]}, {1}),
        ({"parents_in": ["ACME/api"]}, {1, 2}),
        ({"tags_not": ["tag2"]}, {1}),
        ({"parents_in": ["github:acme/acme/api"]}, {1, 2}),
        ({"parents_not": ["github:acme/acme/api"]}, set()),
        ({"updated_after": "2026-01-03T00:00:00Z"}, {1, 2}),
        ({"updated_before": "2026-01-03T00:00:00Z"}, set()),
    ],
)
def test_filters(client: TestClient, filters: dict[str, Any], expected: set[int]) -> None:
    assert numbers(ask(client, filters=filters)) == expected


def test_the_response_has_the_fields_of_the_contract(client: TestClient) -> None:
    body = ask(client, top_k=1).json()
    assert set(body) == {"results", "took_ms"}
    (result,) = body["results"]
    fields = (
        "document_id title url source connection unit unit_name kind parents breadcrumb author created_at updated_at"
    )
    assert set(result) == {*fields.split(), "score", "chunks"}
    assert set(result["chunks"][0]) == {"text", "score", "position", "headings"}
    assert result["created_at"] == "2026-01-02T00:00:00Z"
    assert (result["unit_name"], result["author"], result["breadcrumb"]) == ("Unit", "Ada L.", ["acme/api"])


@pytest.mark.parametrize(
    ("request_", "status", "detail"),
    [
        ({"key": None}, 401, "Authorization: Bearer"),
        ({"key": "wrong"}, 401, "Authorization: Bearer"),
        ({"user": None}, 403, "`user`"),
        ({"user": "  "}, 403, "`user`"),
        ({"query": ""}, 422, "query"),
        ({"query": "x" * 10_001}, 422, "query"),
        ({"top_k": 0}, 422, "top_k"),
        ({"top_k": "many"}, 422, "top_k"),
        ({"mode": "magic"}, 422, "mode"),
        ({"filters": {"colour": ["red"]}}, 422, "filters.colour"),
        ({"filters": {"sources": ["github", "sharepoint"]}}, 422, f"filters.sources.1: {UNKNOWN_SOURCE}"),
        ({"filters": {"updated_after": "yesterday"}}, 422, "filters.updated_after"),
        (
            {"filters": {"kinds": ["issues"]}},
            422,
            "filters.kinds.0: no kind 'issues' among what you may see; near it",
        ),
        ({"filters": {"units": ["unt"]}}, 422, "filters.units.0: no unit 'unt' among what you may see; near it: Unit"),
        (
            {"filters": {"connections": ["nope"]}},
            422,
            "filters.connections.0: no connection 'nope' among what you may see; there are acme",
        ),
        (
            {"filters": {"authors": ["ada", "ad"]}},
            422,
            "filters.authors.1: no author 'ad' among what you may",
        ),
        ({"filters": {"parents_in": ["nowhere"]}}, 422, "filters.parents_in.0: no container 'nowhere'"),
        ({"surprise": 1}, 422, "surprise"),
        ({"query": "x" * 1_000_000}, 413, "bytes"),
    ],
)
def test_what_is_refused_is_a_problem_that_names_the_field(
    client: TestClient, request_: dict[str, Any], status: int, detail: str
) -> None:
    response = ask(client, **request_)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    body = response.json()
    assert detail in body["detail"]
    assert (body["status"], body["request_id"]) == (status, response.headers["x-request-id"])


@pytest.mark.parametrize("content", [b'{"query": "\xff"}', b"{", b"[]", b"", b'{"query": NaN}'])
def test_broken_bodies_are_refused(client: TestClient, content: bytes) -> None:
    headers = {"Authorization": "Bearer people-key", "Content-Type": "application/json"}
    response = client.post("/v1/search", headers=headers, content=content)
    assert response.status_code in (400, 422)
    assert {one["field"] for one in response.json().get("errors", ())} <= {"body", "query"}


def test_a_body_of_unknown_length_is_refused(client: TestClient) -> None:
    response = client.post("/v1/search", content=iter([b"{", b"}"]))
    assert response.status_code == 411


def test_unknown_paths_and_methods_are_problems(client: TestClient) -> None:
    assert client.get("/nothing").json()["status"] == 404
    assert client.get("/v1/search").json()["status"] == 405


def test_trouble_behind_the_service_is_a_503_without_details(
    client: TestClient, failing: Callable[[Exception], None]
) -> None:
    failing(EmbeddingUnavailable("secret details"))
    response = ask(client)
    assert (response.status_code, "secret" in response.text) == (503, False)


def test_a_defect_is_a_500_without_details(client: TestClient, failing: Callable[[Exception], None]) -> None:
    failing(ZeroDivisionError("secret details"))
    response = ask(client)
    assert (response.status_code, "secret" in response.text) == (500, False)


def test_the_header_names_the_person_too(client: TestClient) -> None:
    headers = {"Authorization": "Bearer people-key", "X-Headrace-User": BO}
    body = {"query": "certificate"}
    assert numbers(client.post("/v1/search", headers=headers, json=body)) == SEES[BO]
    assert numbers(client.post("/v1/search", headers=headers, json=body | {"user": BO.title()})) == SEES[BO]
    assert client.post("/v1/search", headers=headers, json=body | {"user": ADA}).status_code == 400
    path = f"/v1/documents/{document(3).id}"
    assert client.get(path, headers=headers).status_code == 200
    assert client.get(path, headers=headers, params={"user": ADA}).status_code == 400


def test_an_assistant_with_an_empty_key_is_nobodys(client: TestClient) -> None:
    for value in ("Bearer ", "Bearer", "Bearer  "):
        headers = {"Authorization": value}
        assert client.post("/v1/search", headers=headers, json={"query": "a", "user": ADA}).status_code == 401


def test_health(client: TestClient) -> None:
    assert client.get("/healthz").text == "ok"
    assert client.get("/readyz").text == "ok"
    before = searches(client)
    ask(client)
    assert searches(client) == before + 1


def figures_of(client: TestClient) -> str:
    return client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"}).raise_for_status().text


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer people-key"}, {"Authorization": METRICS_KEY}])
def test_figures_are_behind_their_own_key(client: TestClient, headers: dict[str, str]) -> None:
    assert client.get("/metrics", headers=headers).status_code == 401


def searches(client: TestClient) -> float:
    counted = 'headrace_search_seconds_count{assistant="people",interface="search"} '
    lines = figures_of(client).splitlines()
    return sum(float(line.removeprefix(counted)) for line in lines if line.startswith(counted))


def test_the_age_of_memberships_is_a_figure(services: Services, client: TestClient) -> None:
    """Names of groups are not: whoever reaches the service reads its figures."""
    services.catalog.memberships.replace("other", [UnreadableGroup("board", "no scope"), Membership("team", BO)])
    figures = figures_of(client)
    assert 'headrace_unreadable_groups{connection="other"} 1.0' in figures
    age = float(figures.partition('headrace_memberships_age_seconds{connection="other"} ')[2].split()[0])
    assert 0 < age < 60
    assert "board" not in figures


def test_revocations_in_force_are_counted_at_each_scrape(client: TestClient, services: Services) -> None:
    counted = 'headrace_revocations_in_force{connection="elsewhere"} 1.0'
    assert counted not in figures_of(client)
    services.catalog.rights.revoke("elsewhere", "unit", {"its document": ("public",)})
    assert counted in figures_of(client)


def test_nothing_published_is_not_ready(settings: Settings) -> None:
    with Services(settings, FakeEmbedder()) as empty:
        assert TestClient(app_of(empty)).get("/readyz").status_code == 503


def test_the_page_may_run_only_its_own_script(client: TestClient) -> None:
    page = client.get("/")
    assert "<script>" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'sha256-")


def test_the_api_describes_itself(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert set(described["paths"]) == {
        "/v1/search",
        "/v1/documents/{document_id}",
        "/v1/facets",
        "/v1/feedback",
        "/v1/vector_stores",
        "/v1/vector_stores/{assistant}",
        "/v1/vector_stores/{assistant}/search",
        "/v1/vector_stores/{assistant}/files/{document_id}/content",
        "/healthz",
        "/readyz",
        "/webhooks/{connection}",
    }
    body = described["paths"]["/v1/search"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/SearchRequest"}
    assert ask(client, **body["example"]).status_code == 200
