"""The page of a passage, from a PDF to the answers of every interface."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.settings import AssistantSettings
from tests.pipelines.chunking import files
from tests.pipelines.documents import document
from tests.pipelines.service.indexed import indexed
from tests.pipelines.service.interfaces import Client
from tests.pipelines.service.serving import app_of

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
ROBOT = AssistantSettings(id="robot", api_key=SecretStr("robot-key"), identity="service", readers=("public",))
MANUAL, NOTE = document(1).id, document(2).id


@pytest.fixture(scope="module")
def client(module_folder: Callable[[str], Path]) -> Iterator[Client]:
    manual = document(1, content=files.pdf("intake", "weir", "outlet"), content_type=files.PDF)
    documents = [manual, document(2, content="a note on the weir")]
    with (
        indexed(module_folder("pages"), [(CONNECTION, Unit("unit", "Unit"), documents)], ROBOT) as services,
        TestClient(app_of(services)) as http,
    ):
        yield Client(http, ROBOT, None)


def test_search_names_the_page(client: Client) -> None:
    found = client._post("/v1/search", {"query": "weir", "mode": "lexical"})["results"]
    assert {one["document_id"]: [chunk.get("page") for chunk in one["chunks"]] for one in found} == {
        MANUAL: [2],
        NOTE: [None],
    }
    assert all("page" not in chunk for one in found if one["document_id"] == NOTE for chunk in one["chunks"])


def test_a_whole_document_says_where_its_pages_begin(client: Client) -> None:
    whole = client.http.get(f"/v1/documents/{MANUAL}", headers=client._headers()).json()
    assert {page["page"]: whole["text"][page["start"] :].split()[0] for page in whole["pages"]} == {
        1: "intake",
        2: "weir",
        3: "outlet",
    }
    assert "pages" not in client.http.get(f"/v1/documents/{NOTE}", headers=client._headers()).json()


def test_models_read_the_page_above_the_passage(client: Client) -> None:
    answer = client._call("search", {"query": "weir"})
    texts = {one["id"]: one["text"] for one in json.loads(answer["content"][0]["text"])["results"]}
    assert "[page 2]\nweir" in texts[MANUAL]
    assert "[page" not in texts[NOTE]


def test_openais_form_has_it_among_the_attributes(client: Client) -> None:
    found = client._post("/v1/vector_stores/robot/search", {"query": "weir"})["data"]
    attributes = {one["file_id"]: one["attributes"] for one in found}
    assert attributes[MANUAL]["page"] in (1, 2, 3)
    assert "page" not in attributes[NOTE]
