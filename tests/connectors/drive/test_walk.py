"""Listings name what a read would yield, and their fingerprints what has changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response

from connectors.contract import ListingEntry
from connectors.drive.account import DriveConnector
from connectors.drive.client import DriveClient
from connectors.drive.settings import DriveConnection
from connectors.drive.walk import FolderWalk, WalkPosition
from connectors.errors import InvalidResponse
from connectors.model import Document, Unit
from tests.connectors.drive.conftest import OpenDrive, add_doc, add_folder, new_drive
from tests.emulators.drive import GoogleDrive, person, transport

PLANS = Unit("plans", "Plans")
TEAM = Unit("team", "Team")


@pytest.fixture
def filled(drive: GoogleDrive) -> GoogleDrive:
    drive.shared_drive("Team", drive="team")
    add_folder(drive, "plans")
    add_folder(drive, "inner", "plans")
    add_doc(drive, "plan", "inner")
    add_doc(drive, "top", "plans")
    add_doc(drive, "team-top", "team")
    drive.upload("Picture", b"\x89PNG", "image/png", "plans", id="picture")
    return drive


def listed(connector: DriveConnector, *units: Unit) -> dict[str, ListingEntry]:
    list(connector.units())
    entries = (entry for unit in units for entry in connector.listing(unit))
    return {one.document_id.removeprefix("drive:acme/"): one for one in entries if isinstance(one, ListingEntry)}


def test_a_listing_names_what_a_read_yields_without_reading_it(filled: GoogleDrive, connector: DriveConnector) -> None:
    found = listed(connector, PLANS)
    assert set(found) == {"plan", "top", "picture"}
    assert not [asked for asked in filled.asked_for if "/export" in asked or "alt=" in asked]
    for item in connector.read(PLANS):
        if isinstance(item, Document):
            one = found[item.id.removeprefix("drive:acme/")]
            assert (one.title, one.updated_at, one.fingerprint) == (item.title, item.updated_at, item.fingerprint)


CHANGES: dict[str, tuple[Callable[[GoogleDrive], object], set[str]]] = {
    "nothing": (lambda d: None, set()),
    "touched": (lambda d: d.touch("plan"), set()),
    "edited": (lambda d: d.edit("plan", "Other words."), {"plan"}),
    "renamed": (lambda d: d.rename("plan", "New"), {"plan"}),
    "moved": (lambda d: d.move("plan", "plans"), {"plan"}),
    "folder renamed": (lambda d: d.rename("inner", "New"), {"plan"}),
    "shared": (lambda d: d.share("plan", person("b@acme.test")), {"plan"}),
    "expired": (
        lambda d: d.share("plan", person("ada@acme.test", "owner", expirationTime="2020-01-01T00:00:00Z")),
        {"plan"},
    ),
    "shared in a shared drive": (lambda d: d.share("team-top", person("b@acme.test")), {"team-top"}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_fingerprints_tell_what_a_document_would_show(
    filled: GoogleDrive, connector: DriveConnector, name: str
) -> None:
    change, expected = CHANGES[name]
    before = listed(connector, PLANS, TEAM)
    change(filled)
    after = listed(connector, PLANS, TEAM)
    assert {one for one in before if after[one].fingerprint != before[one].fingerprint} == expected


def test_an_incomplete_listing_is_no_listing(filled: GoogleDrive, connector: DriveConnector) -> None:
    def answer_incompletely(path: str, query: dict[str, str]) -> Response | None:
        return JSONResponse({"files": [], "incompleteSearch": True}) if "in parents" in query.get("q", "") else None

    filled.interrupt = answer_incompletely
    with pytest.raises(InvalidResponse, match="did not search everything"):
        list(connector.listing(PLANS))


@pytest.mark.parametrize(
    ("document_id", "unit"),
    [
        ("drive:acme/plan", "plans"),
        ("drive:acme/team-top", "team"),
        ("drive:acme/inner", None),
        ("drive:acme/no-such", None),
        ("drive:other/plan", None),
    ],
)
def test_the_unit_of_a_document(
    filled: GoogleDrive, connector: DriveConnector, document_id: str, unit: str | None
) -> None:
    assert connector.unit_of(document_id) == unit


def test_what_is_in_the_trash_or_left_out_is_in_no_unit(filled: GoogleDrive, open_drive: OpenDrive) -> None:
    filled.trash("top")
    connector = open_drive(exclude=("team",))
    assert connector.unit_of("drive:acme/top") is None
    assert connector.unit_of("drive:acme/team-top") is None


@settings(max_examples=20, deadline=None)
@given(
    names=st.permutations("abcdef"),
    parents=st.lists(st.integers(0, 5), min_size=6, max_size=6),
    files=st.lists(st.integers(0, 6), max_size=8),
    page_size=st.integers(1, 3),
)
def test_a_walk_goes_on_from_every_position(
    connection: DriveConnection,
    names: list[str],
    parents: list[int],
    files: list[int],
    page_size: int,
) -> None:
    """Whatever the tree, and in whatever order its folders were made."""
    drive = new_drive()
    drive.page_size = page_size
    folders = [add_folder(drive, "top")]
    for name, parent in zip(names, parents, strict=True):
        folders.append(add_folder(drive, name, folders[min(parent, len(folders) - 1)]))
    expected = [add_doc(drive, f"file{number}", folders[folder]) for number, folder in enumerate(files)]
    with closing(DriveClient(connection, transport(drive))) as client:
        walk = FolderWalk(client, lambda folder: None)
        batches = list(walk.below("top"))
        assert sorted(file.id for batch in batches for file in batch.files) == expected
        for index, batch in enumerate(batches):
            rest = list(walk.below("top", WalkPosition.from_json(batch.position.as_json())))
            found = {file.id for one in (*batches[: index + 1], *rest) for file in one.files}
            assert sorted(found) == expected
            again = {file.id for one in rest for file in one.files} & {
                file.id for one in batches[:index] for file in one.files
            }
            assert not again, "what is behind the position is not read again"
