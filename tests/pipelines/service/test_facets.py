"""What filters can ask for is told to whoever may see a document that has it, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from pipelines.catalog.revocations import Revocation
from pipelines.services import Services
from tests.pipelines.documents import document
from tests.pipelines.service.conftest import ADA, BO, SEES

KEY = {"Authorization": "Bearer people-key"}


def facets(client: TestClient, person: str | None, **asked: Any) -> Any:
    named = {"X-Headrace-User": person} if person else {}
    answer = client.get("/v1/facets", headers=KEY | named, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def search(client: TestClient, person: str, filters: dict[str, Any]) -> Any:
    body = {"query": "certificate", "filters": filters}
    return client.post("/v1/search", headers=KEY | {"X-Headrace-User": person}, json=body)


def tags(client: TestClient, person: str) -> set[str]:
    return {one["value"] for one in facets(client, person, fields="tags")["tags"]}


@pytest.mark.parametrize(("person", "sees"), SEES.items())
def test_values_are_those_of_visible_documents(client: TestClient, person: str, sees: set[int]) -> None:
    assert tags(client, person) == {f"tag{number}" for number in sees}
    found = facets(client, person, fields=["units", "authors", "kinds", "sources", "parents"])
    assert found["units"] == [
        {"value": "unit", "name": "Unit", "documents": len(sees), "source": "github", "connection": "acme"}
    ]
    assert found["authors"] == [{"value": "Ada L.", "name": "Ada L.", "documents": len(sees)}]
    assert found["kinds"] == [{"value": "issue", "name": "issue", "documents": len(sees)}]
    assert found["sources"] == [{"value": "github", "name": "GitHub", "documents": len(sees)}]
    assert found["parents"] == [{"value": "github:acme/acme/api", "name": "acme/api", "documents": len(sees)}]
    assert found["tags"] == []


def test_values_are_found_by_a_part(client: TestClient) -> None:
    assert [one["value"] for one in facets(client, ADA, fields="tags", like="G2")["tags"]] == ["tag2"]
    assert len(facets(client, ADA, fields="tags", limit=1)["tags"]) == 1


def test_an_error_confirms_nothing_that_may_not_be_seen(client: TestClient) -> None:
    """A tag of a hidden document, and one that nobody has: told alike, with the values that may be seen."""
    hidden, absent = (search(client, ADA, {"tags_in": [tag]}).json() for tag in ("tag3", "tag9"))
    assert hidden["detail"].replace("tag3", "tag9") == absent["detail"]
    assert "tag2" in absent["detail"]
    assert search(client, BO, {"tags_in": ["tag3"]}).status_code == 200
    eve, nobody = (search(client, ADA, {"authors": [one]}).json() for one in ("eve@example.com", "bob@example.com"))
    assert eve["detail"].replace("eve", "bob") == nobody["detail"]


@pytest.fixture
def revoked(services: Services) -> Iterator[None]:
    """Ada has lost the second document, and the index does not know it yet."""
    unit = ("acme", "unit")
    services.catalog.revocations.revoke([Revocation(*unit, f"user:{ADA}", "unshared", document(2).id)])
    yield
    from sqlalchemy import delete

    from pipelines.catalog import tables
    from pipelines.catalog.stamps import raise_stamp

    with services.catalog._engine.begin() as transaction:
        transaction.execute(delete(tables.revocations))
        raise_stamp(transaction)


@pytest.mark.usefixtures("revoked")
def test_what_is_taken_away_is_gone_at_once(client: TestClient) -> None:
    assert tags(client, ADA) == {"tag1"}
    assert search(client, ADA, {"tags_in": ["tag2"]}).status_code == 422


def test_who_asks_is_asked_for_as_everywhere(client: TestClient) -> None:
    assert client.get("/v1/facets").status_code == 401
    assert client.get("/v1/facets", headers=KEY).status_code == 403
    answer = client.get("/v1/facets", headers=KEY, params={"user": ADA, "fields": "passwords"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_a_renamed_unit_has_its_new_name_without_being_read(client: TestClient, services: Services) -> None:
    from connectors.model import Unit

    try:
        services.catalog.units.replace_listing("acme", "github", [Unit("unit", "Renamed")])
        assert [one["name"] for one in facets(client, ADA, fields="units")["units"]] == ["Renamed"]
        assert search(client, ADA, {"units": ["renamed"]}).json()["results"]
        assert search(client, ADA, {"units": ["Unit"]}).json()["results"]  # as people have it in their heads
    finally:
        services.catalog.units.replace_listing("acme", "github", [Unit("unit", "Unit")])


@pytest.mark.parametrize("source", ["github", "GITHUB", "GitHub"])
def test_a_source_is_named_in_any_case_or_as_people_do(client: TestClient, source: str) -> None:
    assert search(client, ADA, {"sources": [source]}).json()["results"]
    assert len(attribute_search(client, "eq", source).json()["data"]) == len(SEES[ADA])


def test_what_is_left_out_may_be_any_source(client: TestClient) -> None:
    assert len(attribute_search(client, "ne", "sharepoint").json()["data"]) == len(SEES[ADA])
    assert attribute_search(client, "eq", "sharepoint").status_code == 400


def test_the_name_of_a_unit_that_a_result_has_finds_it(client: TestClient) -> None:
    (one, *_) = attribute_search(client, "eq", "github").json()["data"]
    found = attribute_search(client, "eq", one["attributes"]["unit_name"], "unit_name").json()["data"]
    assert one["file_id"] in {other["file_id"] for other in found}
    assert attribute_search(client, "ne", one["attributes"]["unit_name"], "unit_name").json()["data"] == []


def attribute_search(client: TestClient, comparison: str, value: str, key: str = "source") -> Any:
    body = {"query": "certificate", "filters": {"type": comparison, "key": key, "value": value}}
    return client.post("/v1/vector_stores/people/search", headers=KEY | {"X-Headrace-User": ADA}, json=body)
