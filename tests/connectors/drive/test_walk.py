"""Listings name what a read would yield, and their fingerprints what has changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import ListingEntry
from connectors.drive.client import DriveClient
from connectors.drive.settings import DriveConnection
from connectors.drive.source import DriveConnector
from connectors.drive.walk import FolderWalk, WalkPosition
from connectors.errors import InvalidResponse
from connectors.model import Document, Unit
from tests.connectors.drive.conftest import FakeDrive, OpenDrive

PLANS = Unit("plans", "Plans")


@pytest.fixture
def filled(drive: FakeDrive) -> FakeDrive:
    drive.drives["team"] = "Team"
    drive.folder("plans")
    drive.folder("inner", "plans")
    drive.doc("plan", "inner")
    drive.doc("top", "plans")
    drive.doc("team-top", "team")
    drive.file("picture", "plans", mimeType="image/png", size="10")
    return drive


def listed(connector: DriveConnector, unit: Unit = PLANS) -> dict[str, ListingEntry]:
    list(connector.units())
    return {one.document_id.removeprefix("drive:acme/"): one for one in connector.listing(unit)}


def test_a_listing_names_what_a_read_yields_without_reading_it(filled: FakeDrive, connector: DriveConnector) -> None:
    found = listed(connector)
    assert set(found) == {"plan", "top", "picture"}
    assert not [call for call in filled.calls if "export" in call.url.path or "alt" in call.url.params]
    for item in connector.read(PLANS):
        if isinstance(item, Document):
            one = found[item.id.removeprefix("drive:acme/")]
            assert (one.title, one.updated_at, one.fingerprint) == (item.title, item.updated_at, item.fingerprint)


CHANGES: dict[str, tuple[Callable[[FakeDrive], None], set[str]]] = {
    "nothing": (lambda d: None, set()),
    "touched": (lambda d: d.change("plan"), set()),
    "edited": (lambda d: d.edit("plan", "Other words."), {"plan"}),
    "renamed": (lambda d: d.change("plan", name="New"), {"plan"}),
    "moved": (lambda d: d.change("plan", parents=["plans"]), {"plan"}),
    "folder renamed": (lambda d: d.change("inner", name="New"), {"plan"}),
    "shared": (
        lambda d: d.change("plan", permissions=[{"type": "user", "role": "reader", "emailAddress": "b@acme.test"}]),
        {"plan"},
    ),
    "expired": (
        lambda d: d.change(
            "plan",
            permissions=[{**d.files["plan"]["permissions"][0], "expirationTime": "2020-01-01T00:00:00Z"}],
        ),
        {"plan"},
    ),
    "shared with others in a shared drive": (lambda d: d.change("top", permissionIds=["1", "2"]), {"top"}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_fingerprints_tell_what_a_document_would_show(filled: FakeDrive, connector: DriveConnector, name: str) -> None:
    change, expected = CHANGES[name]
    before = listed(connector)
    change(filled)
    after = listed(connector)
    assert {one for one in before if after[one].fingerprint != before[one].fingerprint} == expected


def test_an_incomplete_listing_is_no_listing(filled: FakeDrive, connector: DriveConnector) -> None:
    def incomplete(request: httpx.Request) -> httpx.Response | None:
        inside = "in parents" in request.url.params.get("q", "")
        return httpx.Response(200, json={"files": [], "incompleteSearch": True}) if inside else None

    filled.faults.append(incomplete)
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
    filled: FakeDrive, connector: DriveConnector, document_id: str, unit: str | None
) -> None:
    assert connector.unit_of(document_id) == unit


def test_what_is_in_the_trash_or_left_out_is_in_no_unit(filled: FakeDrive, open_drive: OpenDrive) -> None:
    filled.change("top", trashed=True)
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
    new_drive: type[FakeDrive],
    connection: DriveConnection,
    names: list[str],
    parents: list[int],
    files: list[int],
    page_size: int,
) -> None:
    """Whatever the tree, and in whatever order its folders were made."""
    drive = new_drive()
    drive.page_size = page_size
    folders = [drive.folder("top")]
    for name, parent in zip(names, parents, strict=True):
        folders.append(drive.folder(name, folders[min(parent, len(folders) - 1)]))
    expected = [drive.doc(f"file{number}", folders[folder]) for number, folder in enumerate(files)]
    with closing(DriveClient(connection, httpx.MockTransport(drive))) as client:
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
