"""The bundled company of backlot, which emulates Drive by its own measurements and has no changes feed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from connectors.connection import DriveConnection
from connectors.drive.payload import FOLDER
from connectors.drive.source import DriveConnector, connect
from connectors.model import Checkpoint, Document, Item, Skipped

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
        yield _answering(f"http://127.0.0.1:{port}/drive/v3/", server)
    finally:
        server.terminate()
        server.wait(timeout=20)


def _answering(url: str, server: subprocess.Popen[bytes]) -> str:
    for _ in range(300):
        assert server.poll() is None, "backlot ended"
        try:
            httpx.get(f"{url}about")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return url
    raise AssertionError("backlot does not answer")


@pytest.fixture
def connector(base_url: str) -> Iterator[DriveConnector]:
    connector = connect(DriveConnection(id="acme", source="drive", token=ADMIN, base_url=base_url))
    yield connector
    connector.close()


@pytest.fixture
def listed(base_url: str) -> set[str]:
    """Ids of the files that backlot itself lists."""
    answer = httpx.get(
        f"{base_url}files",
        params={"q": f"trashed = false and mimeType != '{FOLDER}'", "pageSize": 1000, "fields": "files(id)"},
        headers={"Authorization": f"Bearer {ADMIN}"},
    )
    return {file["id"] for file in answer.json()["files"]}


def ids(items: list[Item]) -> list[str]:
    found = [item.id if isinstance(item, Document) else item.document_id for item in items if not _is_mark(item)]
    return [one.removeprefix("drive:acme/") for one in found]


def _is_mark(item: Item) -> bool:
    return isinstance(item, Checkpoint)


def test_every_file_comes_out_once(connector: DriveConnector, listed: set[str]) -> None:
    items = [item for unit in connector.units() for item in connector.read(unit)]
    assert sorted(ids(items)) == sorted(listed)
    assert all(isinstance(item, Document | Skipped | Checkpoint) for item in items)
    documents = [item for item in items if isinstance(item, Document)]
    assert all(document.readers and document.author and document.parents and document.url for document in documents)
    assert {"document", "spreadsheet", "presentation", "pdf", "file"} == {document.kind for document in documents}


def test_a_second_read_costs_one_request_and_finds_nothing(connector: DriveConnector) -> None:
    for unit in connector.units():
        *_, last = connector.read(unit)
        assert isinstance(last, Checkpoint)
        assert last.complete
        before = connector.requests
        again = list(connector.read(unit, last.cursor))
        assert ids(again) == []
        assert connector.requests == before + 1
        assert isinstance(again[-1], Checkpoint)
        assert again[-1].cursor == last.cursor


def test_the_credentials_are_well(connector: DriveConnector) -> None:
    assert all(finding.ok for finding in connector.check())


def test_looking_again_gives_the_same_documents(connector: DriveConnector) -> None:
    unit = next(connector.units())
    read = [item for item in connector.read(unit) if isinstance(item, Document)]
    fetched = [item for item in connector.fetch(unit, [one.id for one in read]) if isinstance(item, Document)]
    assert [one.version for one in fetched] == [one.version for one in read]
