"""The drives of many people, by domain-wide delegation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Checkpoint, ComparesContents, Deleted, LandedContent, RightsFeed, SameContent
from connectors.drive.delegation import DelegatedConnector
from connectors.drive.settings import DriveConnection
from connectors.errors import AccessDenied
from connectors.model import Document, Unit
from connectors.units import list_units
from tests.connectors.drive.test_credentials import public_key, service_account
from tests.emulators.drive import BASE_URL, person
from tests.emulators.drive.workspace import Workspace

__all__ = ["service_account"]
ADMIN = "admin@acme.test"
SETTINGS: dict[str, Any] = {
    "id": "acme",
    "source": "drive",
    "base_url": BASE_URL,
    "token_uri": f"{BASE_URL}/token",
    "directory_url": f"{BASE_URL}/directory",
    "subject": ADMIN,
    "subjects": "all",
}
ADA, BOB = Unit("101", "ada@acme.test"), Unit("102", "bob@acme.test")


@pytest.fixture
def workspace(service_account: dict[str, str]) -> Workspace:
    """An administrator with a shared drive; Ada with two files, one of them in a folder, and one that Bob owns."""
    workspace = Workspace(public_key(service_account))
    admin = workspace.person("100", ADMIN)
    admin.doc("Lore", "Read by all.", admin.shared_drive("Team", drive="team"))
    ada = workspace.person(ADA.id, ADA.name)
    ada.doc("Diary", "Dear diary.", id="diary")
    ada.doc("Plan", "Three pumps.", ada.folder("Plans", id="plans"), id="plan")
    ada.doc("Bobs", "Not mine.", None, id="bobs")
    workspace.person(BOB.id, BOB.name).doc("Bobs", "Mine.", id="bobs")
    return workspace


@pytest.fixture
def opened(workspace: Workspace, service_account: dict[str, str]) -> Iterator[DelegatedConnector]:
    connection = DriveConnection.model_validate(SETTINGS | {"token": json.dumps(service_account)})
    connector = DelegatedConnector(connection, workspace.transport())
    yield connector
    connector.close()


def texts(connector: DelegatedConnector, unit: Unit, cursor: Any = None) -> tuple[dict[str, str], Any]:
    """By the rest of their ids; and the cursor that is left."""
    items = list(connector.read(unit, cursor))
    assert isinstance(items[-1], Checkpoint)
    found = {one.id.removeprefix("drive:acme/"): str(one.content) for one in items if isinstance(one, Document)}
    return found, items[-1].cursor


def test_each_person_is_a_unit_of_what_they_own(opened: DelegatedConnector) -> None:
    found = list_units(opened)
    people = {unit.id: unit.name for unit in found.found[1:]}
    assert people == {"100": ADMIN, ADA.id: ADA.name, BOB.id: BOB.name}
    assert found.found[0].id == "team"
    assert texts(opened, ADA)[0] == {"101/diary": "Dear diary.", "101/plan": "Three pumps."}
    assert texts(opened, BOB)[0] == {"102/bobs": "Mine."}
    assert list(texts(opened, found.found[0])[0].values()) == ["Read by all."]
    assert isinstance(opened, RightsFeed)


def test_a_persons_changes_are_followed(workspace: Workspace, opened: DelegatedConnector) -> None:
    """Also below a folder that is renamed; what somebody else owns is none of theirs."""
    _, cursor = texts(opened, ADA)
    ada = workspace.drives[ADA.name]
    ada.edit("plan", "Four pumps.")
    ada.touch("bobs")
    changed, cursor = texts(opened, ADA, cursor)
    assert changed == {"101/plan": "Four pumps."}
    ada.touch("plans", name="Great plans")
    assert set(texts(opened, ADA, cursor)[0]) == {"101/plan"}
    ada.unshare("bobs", next(iter(ada.permissions["bobs"])))
    gone = [item for item in opened.read(ADA, cursor) if isinstance(item, Deleted)]
    assert gone in ([], [Deleted("drive:acme/101/bobs")]), "no other's document"


def test_a_persons_uploads_are_not_downloaded_for_a_share(workspace: Workspace, opened: DelegatedConnector) -> None:
    ada = workspace.drives[ADA.name]
    ada.upload("List", b"Three pumps.", "text/plain", "plans", id="list")
    items = list(opened.read(ADA))
    assert isinstance(items[-1], Checkpoint)
    [known] = [one for one in items if isinstance(one, Document) and one.id == "drive:acme/101/list"]
    landed = {known.id: LandedContent(known.content_key, known.readers)}
    ada.share("plans", person(BOB.name))
    assert isinstance(opened, ComparesContents)
    changed = opened.read_changes(ADA, items[-1].cursor, lambda ids: {one: landed[one] for one in ids if one in landed})
    [found] = [one for one in changed if isinstance(one, SameContent)]
    assert (found.document_id, found.readers) == (known.id, ("user:ada@acme.test", "user:bob@acme.test"))


def test_documents_are_found_by_their_owner(opened: DelegatedConnector) -> None:
    assert opened.unit_of("drive:acme/101/plan") == ADA.id
    assert opened.unit_of("drive:acme/101/bobs") is None
    (item,) = opened.fetch(ADA, ["drive:acme/101/plan"])
    assert isinstance(item, Document)
    assert [parent.title for parent in item.parents] == ["My Drive", "Plans"]
    assert item.readers == ("user:ada@acme.test",)


def test_a_drive_that_cannot_be_opened_is_its_own_trouble(workspace: Workspace, opened: DelegatedConnector) -> None:
    workspace.person("103", "eve@acme.test", suspended=True)
    workspace.closed = {ADA.name}
    found = list_units(opened)
    assert {unit.id for unit in found.found} == {"team", "100", ADA.id, BOB.id}
    assert [(one.name, one.is_refused) for one in found.unreadable] == [("103", True)]
    with pytest.raises(AccessDenied, match=r"ada@acme.test: .* cannot be opened"):
        list(opened.read(ADA))
    assert texts(opened, BOB)[0] == {"102/bobs": "Mine."}


def test_a_token_is_asked_for_once_for_each_person(workspace: Workspace, opened: DelegatedConnector) -> None:
    for at in range(20):
        workspace.person(str(200 + at), f"p{at}@acme.test").doc("Note", "Words.")
    for _ in range(2):
        for unit in list_units(opened).found:
            list(opened.listing(unit))
    assert sorted(set(workspace.issued)) == sorted(workspace.drives)
    assert len(workspace.issued) == len(workspace.drives) + 2, "the administrator has others for the directory"


def test_members_of_a_group_alone(workspace: Workspace, service_account: dict[str, str]) -> None:
    workspace.groups["writers@acme.test"] = [BOB.name]
    settings = SETTINGS | {"token": json.dumps(service_account), "subjects": "writers@acme.test"}
    connector = DelegatedConnector(DriveConnection.model_validate(settings), workspace.transport())
    assert [unit.id for unit in list_units(connector).found] == ["team", BOB.id]
    connector.close()


def test_people_that_are_not_told_are_not_taken_for_gone(workspace: Workspace, opened: DelegatedConnector) -> None:
    workspace.drives[ADMIN].refuse("directory", "forbidden")
    found = list_units(opened)
    assert [unit.id for unit in found.found] == ["team"]
    assert [gap.covers(ADA) for gap in found.gaps] == [True]
    assert "admin.directory.user.readonly" in found.gaps[0].reason
    assert not opened.check()[-1].ok


def test_check_opens_the_first_drive(opened: DelegatedConnector) -> None:
    finding = opened.check()[-1]
    assert (finding.subject, finding.ok) == ("people", True)
    assert finding.detail == "3 people; the first one: signed in as reader@acme.test"


def test_an_administrator_who_may_not_list_people_stops_no_shared_drive(
    workspace: Workspace, opened: DelegatedConnector
) -> None:
    workspace.without_directory = True
    found = list_units(opened)
    assert [unit.id for unit in found.found] == ["team"]
    assert "unauthorized_client" in found.gaps[0].reason
    wrong = [finding.subject for finding in opened.check() if not finding.ok]
    assert wrong == ["directory", "people"]


@pytest.mark.parametrize("missing", ["subject", "directory_url"])
def test_people_need_an_administrator_and_a_directory(missing: str) -> None:
    with pytest.raises(ValidationError, match="administrator"):
        DriveConnection.model_validate({**SETTINGS, "token": "t", missing: None})


def test_readers_are_those_of_the_permissions(workspace: Workspace, opened: DelegatedConnector) -> None:
    workspace.drives[BOB.name].share("bobs", person("eve@acme.test"))
    (item,) = opened.fetch(BOB, ["drive:acme/102/bobs"])
    assert isinstance(item, Document)
    assert set(item.readers) == {"user:ada@acme.test", "user:eve@acme.test"}
