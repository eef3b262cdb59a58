"""The drives of many people, over HTTP to the index: each file once, for those whom its permissions name."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from connectors.drive.settings import DriveConnection
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import Settings
from tests.connectors.drive.test_credentials import public_key, service_account
from tests.emulators.drive import ROOT, person
from tests.emulators.drive.workspace import Workspace
from tests.emulators.fake_embedder import FakeEmbedder

__all__ = ["service_account"]
ADMIN, CAT, BOB = "admin@acme.test", "cat@acme.test", "bob@acme.test"
Synced = tuple[Workspace, Services, DriveConnection]


@pytest.fixture
def synced(settings: Settings, service_account: dict[str, str]) -> Iterator[Synced]:
    """Bob has a file that he shares with Cat, and a folder; a third person has no drive that can be opened."""
    workspace = Workspace(public_key(service_account))
    admin = workspace.person("100", ADMIN)
    admin.doc("Lore", "Read by all.", admin.shared_drive("Team", person(CAT), drive="team"))
    workspace.person("101", CAT).doc("Shared", "Three pumps.", None, id="shared")
    bob = workspace.person("102", BOB)
    bob.doc("Shared", "Three pumps.", id="shared")
    bob.share("shared", person(CAT))
    bob.doc("Secret", "A new mill.", bob.folder("Board", ROOT), id="secret")
    workspace.person("103", "eve@acme.test")
    workspace.closed = {"eve@acme.test"}
    with workspace.serving() as url:
        fields = {"id": "acme", "source": "drive", "token": json.dumps(service_account), "base_url": url}
        more = {"token_uri": f"{url}/token", "directory_url": f"{url}/directory", "subject": ADMIN, "subjects": "all"}
        connection = DriveConnection.model_validate(fields | more)
        used = settings.model_copy(update={"connections": (connection,)})
        with Services(used, FakeEmbedder()) as services:
            yield workspace, services, connection


def sync(synced: Synced, options: SyncOptions = SyncOptions()) -> SyncReport:  # noqa: B008
    _, services, connection = synced
    return sync_connection(services, connection, (), options)


def readers(synced: Synced) -> dict[str, list[str]]:
    """By the rest of the documents' ids."""
    with synced[1].store() as store:
        return {
            str(one["document_id"]).removeprefix("drive:acme/"): sorted(one["readers"])
            for one in dict(store.scan()).values()
        }


def test_each_file_is_found_once_by_those_who_may_read_it(synced: Synced) -> None:
    report = sync(synced)
    found = readers(synced)
    assert found.keys() == {"1F00001", "102/shared", "102/secret"}
    assert f"user:{CAT}" in found["102/shared"]
    assert f"user:{CAT}" not in found["102/secret"]
    (unit,) = report.errors
    assert (unit, "their drive cannot be opened" in report.errors[unit]) == ("acme/103", True)


def test_what_changes_in_one_drive_takes_nothing_from_another(synced: Synced) -> None:
    """Cat's feed says that the file is removed: for her."""
    sync(synced)
    workspace = synced[0]
    cat = workspace.drives[CAT]
    cat.files.pop("shared")
    cat.log.append(("shared", None))
    workspace.drives[BOB].edit("secret", "Another mill.")
    report = sync(synced)
    assert (report.documents.changed, report.documents.deleted) == (1, 0)
    assert "102/shared" in readers(synced)


def test_who_leaves_is_hidden_and_stops_nobody(synced: Synced) -> None:
    sync(synced)
    workspace, services, _ = synced
    workspace.users[2]["suspended"] = True
    report = sync(synced)
    assert "acme/102" in {*report.errors, *report.out_of_reach}
    assert services.catalog.units.get("acme", "101") is not None
