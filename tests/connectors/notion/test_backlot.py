"""The bundled company of backlot, which emulates Notion by its own measurements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from connectors.contract import Checkpoint
from connectors.model import Document, Unit
from connectors.notion.client import API_VERSION
from connectors.notion.settings import NotionConnection
from connectors.notion.source import NotionConnector, connect
from tests.connectors.notion.conftest import without_parts
from tests.emulators.company import TOKEN


@pytest.fixture(scope="module")
def base_url(company: str) -> str:
    return f"{company}/notion"


@pytest.fixture
def connector(base_url: str) -> Iterator[NotionConnector]:
    connector = connected(base_url)
    yield connector
    connector.close()


def connected(base_url: str, token: str = TOKEN) -> NotionConnector:
    settings = {"id": "acme-notion", "source": "notion", "token": token, "base_url": base_url, "readers": ["workspace"]}
    return connect(NotionConnection.model_validate(settings))


def read_all(connector: NotionConnector) -> dict[str, list[Document]]:
    return {
        unit.id: [item for item in connector.read(unit) if isinstance(item, Document)] for unit in connector.units()
    }


def listed(base_url: str) -> dict[str, str]:
    """Ids of pages and databases with their content, from the emulator's own listings."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Notion-Version": API_VERSION}
    found: dict[str, str] = {}
    with httpx.Client(headers=headers, base_url=f"{base_url}/v1") as client:
        for one in client.post("/search", json={}).json()["results"]:
            if one["object"] == "page":
                blocks = client.get(f"/blocks/{one['id']}/children").json()["results"]
                texts = [run["plain_text"] for block in blocks for run in block[block["type"]]["rich_text"]]
                found[one["id"]] = "\n".join(texts)
            else:
                found[one["parent"]["database_id"]] = one["description"][0]["plain_text"]
    return found


def test_every_page_and_database_comes_out_whole(connector: NotionConnector, base_url: str) -> None:
    expected = listed(base_url)
    documents = [document for inside in read_all(connector).values() for document in inside]
    assert {document.id.removeprefix("notion:acme-notion/") for document in documents} == set(expected)
    assert len(documents) == len(expected) == 9
    for document in documents:
        for line in expected[document.id.rpartition("/")[2]].splitlines():
            assert line.strip() in str(document.content)
        assert document.author
        assert document.readers == ("group:acme-notion:workspace",)


def test_rows_stand_in_their_database(connector: NotionConnector) -> None:
    rows = [one for inside in read_all(connector).values() for one in inside if one.kind == "database_row"]
    assert len(rows) == 4
    assert {parent.title for row in rows for parent in row.parents} == {"Sprint Board"}
    assert all("Status: " in str(row.content) and "Points: " in str(row.content) for row in rows)


def test_reading_again_costs_one_request_in_all_and_yields_nothing(connector: NotionConnector, base_url: str) -> None:
    cursors: dict[Unit, Checkpoint] = {}
    for unit in connector.units():
        *_, last = connector.read(unit)
        assert isinstance(last, Checkpoint)
        assert last.complete
        cursors[unit] = last
    with closing(connected(base_url)) as later:
        for unit, last in cursors.items():
            (end,) = without_parts(later.read(unit, last.cursor))
            assert isinstance(end, Checkpoint)
            assert end == Checkpoint(last.cursor | {"asked": end.cursor["asked"]})  # by the server's clock
        assert later.requests == 1


def test_fetch_gives_what_read_gave(connector: NotionConnector) -> None:
    for unit_id, documents in read_all(connector).items():
        again = list(connector.fetch(Unit(unit_id, ""), [document.id for document in documents]))
        assert again == documents


def test_check(connector: NotionConnector, base_url: str) -> None:
    assert all(finding.ok for finding in connector.check())
    with closing(connected(base_url, "wrong")) as refused:
        (finding,) = refused.check()
    assert not finding.ok
    assert "API token is invalid" in finding.detail
