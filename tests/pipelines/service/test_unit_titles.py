"""The name of a unit is told on no interface to who sees documents of it that do not tell it, and on all to others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from connectors.drive.settings import DriveConnection
from connectors.model import Parent, Unit
from tests.pipelines.service.indexed import indexed, of
from tests.pipelines.service.serving import app_of, served

DRIVE = DriveConnection(id="dr", source="drive", token=SecretStr("t"))
FOLDER = Unit("F1", "Layoffs of May", "https://drive.google.com/drive/folders/F1")
TITLED, UNTITLED = Parent("drive:dr/F1", FOLDER.name), Parent("drive:dr/F1", "")
ADA, BO = "ada@example.com", "bo@example.com"
ALONE = "drive:dr/alone"

Ask = Callable[[str], httpx.Response]


@pytest.fixture(scope="module")
def url(module_folder: Callable[[str], Path]) -> Iterator[str]:
    alone = of(
        DRIVE, FOLDER, ALONE, "Canteen", "u1", "Text.", parents=(UNTITLED,), readers=(f"user:{ADA}", f"user:{BO}")
    )
    plan = of(DRIVE, FOLDER, "drive:dr/plan", "Plan", "u2", "Text.", parents=(TITLED,), readers=(f"user:{ADA}",))
    contents = [(DRIVE, FOLDER, [alone, plan])]
    with indexed(module_folder("titles"), contents) as services, served(app_of(services)) as address:
        yield address


def as_person(url: str, person: str) -> httpx.Client:
    accepted = {"Accept": "application/json, text/event-stream"}
    own = {"Authorization": "Bearer people-key", "X-Headrace-User": person}
    return httpx.Client(base_url=url, headers=accepted | own)


def call(client: httpx.Client, tool: str, **arguments: Any) -> httpx.Response:
    called = {"name": tool, "arguments": arguments}
    return client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": called})


INTERFACES: dict[str, Callable[[httpx.Client], httpx.Response]] = {
    "search": lambda one: one.post("/v1/search", json={"query": "text"}),
    "document": lambda one: one.get(f"/v1/documents/{ALONE}"),
    "facets": lambda one: one.get("/v1/facets"),
    "vector store": lambda one: one.post("/v1/vector_stores/people/search", json={"query": "text"}),
    "list_sources": lambda one: call(one, "list_sources"),
    "recent_changes": lambda one: call(one, "recent_changes"),
    "browse by unit": lambda one: call(one, "browse", container="F1"),
    "browse by container": lambda one: call(one, "browse", container=UNTITLED.id),
    "MCP search": lambda one: call(one, "search", query="text"),
    "fetch": lambda one: call(one, "fetch", id=ALONE),
    "an unknown unit": lambda one: one.post("/v1/search", json={"query": "text", "filters": {"units": ["Layoff"]}}),
    "an unknown container": lambda one: one.post("/v1/search", json={"query": "t", "filters": {"parents_in": ["May"]}}),
}


@pytest.mark.parametrize("interface", INTERFACES)
def test_whoever_may_not_know_it_reads_it_nowhere(url: str, interface: str) -> None:
    with as_person(url, BO) as bo:
        answer = INTERFACES[interface](bo)
    assert FOLDER.name not in answer.text
    assert answer.status_code == (422 if "unknown" in interface else 200), answer.text
    assert "Canteen" in answer.text or interface in ("facets", "list_sources") or "unknown" in interface


@pytest.mark.parametrize("interface", [one for one in INTERFACES if one not in ("document", "fetch")])
def test_whoever_may_know_it_reads_it(url: str, interface: str) -> None:
    with as_person(url, ADA) as ada:
        assert FOLDER.name in INTERFACES[interface](ada).text


@pytest.mark.parametrize("filters", [{"units": [FOLDER.name]}, {"parents_in": [FOLDER.name]}])
def test_nobody_finds_out_by_asking_for_it(url: str, filters: dict[str, list[str]]) -> None:
    question = {"query": "text", "filters": filters}
    with as_person(url, BO) as bo, as_person(url, ADA) as ada:
        assert bo.post("/v1/search", json=question).status_code == 422
        assert ada.post("/v1/search", json=question).json()["results"]


def test_a_unit_is_found_by_its_id_and_address(url: str) -> None:
    with as_person(url, BO) as bo:
        for unit in (FOLDER.id, FOLDER.url):
            answer = bo.post("/v1/search", json={"query": "text", "filters": {"units": [unit]}})
            assert [(one["title"], one["unit_name"]) for one in answer.json()["results"]] == [("Canteen", FOLDER.id)]
