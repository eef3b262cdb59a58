"""The emulated Drive in place of the network: an hour between changes, and ids of the tests' own choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.contract import Checkpoint, Item, ObjectItem, PartState
from connectors.drive.account import DriveConnector
from connectors.drive.settings import DriveConnection
from tests.emulators.drive import BASE_URL, ROOT, TOKEN, GoogleDrive, transport

OpenDrive = Callable[..., DriveConnector]


def without_parts(items: Iterable[Item]) -> list[ObjectItem | Checkpoint]:
    """Items but for the states of parts."""
    return [item for item in items if not isinstance(item, PartState)]


def new_drive() -> GoogleDrive:
    """It names parents that the account does not see."""
    return GoogleDrive(clock=datetime(2026, 1, 1, tzinfo=UTC), step=timedelta(hours=1), hides_parents=False)


def add_folder(drive: GoogleDrive, file_id: str, parent: str | None = ROOT) -> str:
    return drive.folder(f"Name of {file_id}", parent, id=file_id)


def add_doc(drive: GoogleDrive, file_id: str, parent: str | None = ROOT, text: str = "Words.", **fields: Any) -> str:
    return drive.doc(f"Name of {file_id}", text, parent, id=file_id, **fields)


def add_text(
    drive: GoogleDrive, file_id: str, parent: str | None = ROOT, data: bytes = b"Words.", **fields: Any
) -> str:
    return drive.upload(f"Name of {file_id}", data, "text/plain", parent, id=file_id, **fields)


@pytest.fixture
def drive() -> Iterator[GoogleDrive]:
    drive = new_drive()
    yield drive
    assert drive.strayed == [], "the token left for another host"


@pytest.fixture(scope="session")
def connection() -> DriveConnection:
    return DriveConnection(
        id="acme", source="drive", token=SecretStr(TOKEN), base_url=f"{BASE_URL}/", token_uri=f"{BASE_URL}/token"
    )


@pytest.fixture
def open_drive(drive: GoogleDrive, connection: DriveConnection) -> Iterator[OpenDrive]:
    """Opens connectors on `drive`, and closes them."""
    opened: list[DriveConnector] = []

    def connect(**settings: Any) -> DriveConnector:
        opened.append(DriveConnector(connection.model_copy(update=settings), transport(drive)))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


@pytest.fixture
def connector(open_drive: OpenDrive) -> DriveConnector:
    return open_drive()
