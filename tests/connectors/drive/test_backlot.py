"""The bundled company of backlot, which emulates Drive by its own measurements and has no changes feed."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from connectors.contract import Checkpoint, Item, PartState, Skipped
from connectors.drive.account import DriveConnector
from connectors.drive.payloads import FOLDER
from connectors.drive.settings import DriveConnection
from connectors.model import Document
from tests.emulators.company import TOKEN


@pytest.fixture(scope="module")
def base_url(company: str) -> str:
    return f"{company}/drive/v3/"


@pytest.fixture
def connector(base_url: str) -> Iterator[DriveConnector]:
    connector = DriveConnector(DriveConnection(id="acme", source="drive", token=TOKEN, base_url=base_url))
    yield connector
    connector.close()


@pytest.fixture
def listed(base_url: str) -> set[str]:
    """Ids of the files that backlot itself lists."""
    answer = httpx.get(
        f"{base_url}files",
        params={"q": f"trashed = false and mimeType != '{FOLDER}'", "pageSize": 1000, "fields": "files(id)"},
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    return {file["id"] for file in answer.json()["files"]}


def ids(items: list[Item]) -> list[str]:
    found = [
        item.id if isinstance(item, Document) else item.document_id
        for item in items
        if not isinstance(item, Checkpoint | PartState)
    ]
    return [one.removeprefix("drive:acme/") for one in found]


def test_every_file_comes_out_once(connector: DriveConnector, listed: set[str]) -> None:
    items = [item for unit in connector.units() for item in connector.read(unit)]
    assert sorted(ids(items)) == sorted(listed)
    assert all(isinstance(item, Document | Skipped | Checkpoint | PartState) for item in items)
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
    wrong = [finding.subject for finding in connector.check() if not finding.ok]
    assert wrong == ["comments", "changes"], "it is a server that has neither"


def test_looking_again_gives_the_same_documents(connector: DriveConnector) -> None:
    unit = next(connector.units())
    read = [item for item in connector.read(unit) if isinstance(item, Document)]
    fetched = [item for item in connector.fetch(unit, [one.id for one in read]) if isinstance(item, Document)]
    assert [one.version for one in fetched] == [one.version for one in read]
