"""The bundled company of backlot, which emulates Notion by its own measurements."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from connectors.connection import NotionConnection
from connectors.model import Checkpoint, Document, Unit
from connectors.notion.client import API_VERSION
from connectors.notion.source import NotionConnector, connect

ADMIN = "admin-service-token"


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("backlot")
    program = str(Path(sys.executable).with_name("backlot"))
    environment = {**os.environ, "BACKLOT_TELEMETRY": "0", "DO_NOT_TRACK": "1"}
    run = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([program, "import", "--bundled", "--data-dir", str(folder)], check=True, **run)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [program, "serve", "--data-dir", str(folder), "--port", str(port), "--log-level", "warning"]
    server = subprocess.Popen(command, **run)
    try:
        yield _answering(f"http://127.0.0.1:{port}/notion", server)
    finally:
        server.terminate()
        server.wait(timeout=20)


def _answering(url: str, server: subprocess.Popen[bytes]) -> str:
    for _ in range(300):
        assert server.poll() is None, "backlot ended"
        try:
            httpx.get(f"{url}/v1/users/me")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return url
    raise AssertionError("backlot does not answer")


@pytest.fixture
def connector(base_url: str) -> Iterator[NotionConnector]:
    connector = connected(base_url)
    yield connector
    connector.close()


def connected(base_url: str, token: str = ADMIN) -> NotionConnector:
    settings = {"id": "acme-notion", "source": "notion", "token": token, "base_url": base_url}
    return connect(NotionConnection.model_validate(settings))


def read_all(connector: NotionConnector) -> dict[str, list[Document]]:
    return {
        unit.id: [item for item in connector.read(unit) if isinstance(item, Document)] for unit in connector.units()
    }


def listed(base_url: str) -> dict[str, str]:
    """Ids of pages and databases with their content, from the emulator's own listings."""
    headers = {"Authorization": f"Bearer {ADMIN}", "Notion-Version": API_VERSION}
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
            assert list(later.read(unit, last.cursor)) == [Checkpoint(last.cursor)]
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
