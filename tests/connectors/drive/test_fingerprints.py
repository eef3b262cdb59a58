"""Fingerprints differ by all that a reader would see, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.drive.access import Grants
from connectors.drive.fingerprints import (
    ends_fingerprint,
    file_fingerprint,
    folder_fingerprint,
    folder_key,
    listing_fingerprint,
)
from connectors.drive.folders import DriveFolder, FileLocation
from connectors.drive.payloads import DriveFile, DrivePermission

FILE: dict[str, Any] = {
    "id": "1",
    "name": "Plan",
    "mimeType": "text/plain",
    "size": 7,
    "version": "3",
    "modifiedTime": "2026-03-01T12:00:00Z",
    "parents": ["plans"],
    "driveId": "team",
    "permissionIds": ["p1", "p2"],
    "permissions": [{"type": "user", "emailAddress": "a@b.c"}, {"type": "user", "emailAddress": "b@b.c"}],
    "capabilities": {"canDownload": True},
    "shortcutDetails": {"targetId": "t", "targetMimeType": "text/plain"},
}
LOCATION = FileLocation("plans", "Plans", (DriveFolder("plans", "Plans"), DriveFolder("inner", "Inner")))
OTHERS: dict[str, Any] = {
    "id": "2",
    "name": "Other plan",
    "mimeType": "text/html",
    "size": 8,
    "version": "4",
    "modifiedTime": "2026-03-01T12:00:01Z",
    "parents": ["others"],
    "driveId": None,
    "permissionIds": ["p1"],
    "permissions": [{"type": "user", "emailAddress": "a@b.c"}],
    "capabilities": {"canDownload": False},
    "shortcutDetails": {"targetId": "u", "targetMimeType": "text/plain"},
}


def file(**fields: Any) -> DriveFile:
    return DriveFile.model_validate({**FILE, **fields})


def in_listing(one: DriveFile, location: FileLocation = LOCATION, readers: tuple[str, ...] = ("a", "b")) -> str:
    return listing_fingerprint(one, location, dict.fromkeys(readers))


def differing(fingerprint: Any) -> set[str]:
    """Fields of which another value, or none, gives another fingerprint."""
    same = fingerprint(file())
    by_value = {name for name, value in OTHERS.items() if fingerprint(file(**{name: value})) != same}
    by_absence = {name for name in FILE if name != "id" and fingerprint(file(**{name: None})) != same}
    assert by_value - {"id"} == by_absence
    return by_value


def test_a_file_is_another_with_another_version() -> None:
    assert differing(file_fingerprint) == {"id", "version", "modifiedTime"}


def test_a_folder_is_another_where_its_documents_would_be() -> None:
    assert differing(folder_fingerprint) == {"name", "parents", "driveId", "permissions", "permissionIds"}


def test_a_file_in_a_listing_is_another_where_its_document_would_be() -> None:
    expected = {"name", "mimeType", "modifiedTime", "size", "capabilities", "shortcutDetails", "permissionIds"}
    assert differing(in_listing) == expected


@pytest.mark.parametrize(
    "location",
    [
        FileLocation("team", "Plans", LOCATION.path),
        FileLocation("plans", "Plans", LOCATION.path[:1]),
        FileLocation("plans", "Plans", (LOCATION.path[0], DriveFolder("inner", "Renamed"))),
        FileLocation("plans", "Plans", (LOCATION.path[0], DriveFolder("other", "Inner"))),
        FileLocation("plans", "Plans", LOCATION.path[::-1]),
        FileLocation("plans", "Plans", (LOCATION.path[0], replace(LOCATION.path[1], has_limited_access=True))),
    ],
)
def test_so_it_is_elsewhere(location: FileLocation) -> None:
    assert in_listing(file(), location) != in_listing(file())


def test_so_it_is_for_others() -> None:
    assert in_listing(file(), readers=("a",)) != in_listing(file())
    details = {"targetId": "t", "targetMimeType": "text/html"}
    assert in_listing(file(shortcutDetails=details)) != in_listing(file())


def test_so_it_is_with_another_end_or_other_restrictions() -> None:
    end = datetime(2026, 3, 1, tzinfo=UTC)
    ends: list[Grants] = [{"a": None}, {"a": end}, {"a": end + timedelta(seconds=1)}]
    assert len({listing_fingerprint(file(), LOCATION, one) for one in ends}) == 3
    assert listing_fingerprint(file(), LOCATION, ends[0], "members only") != listing_fingerprint(
        file(), LOCATION, ends[0]
    )


def test_a_folder_that_limits_access_is_another() -> None:
    assert folder_fingerprint(file(inheritedPermissionsDisabled=True)) != folder_fingerprint(file())


def test_what_few_objects_have_leaves_the_others_as_they_were_known() -> None:
    """Of the release before: else each object would be read anew."""
    assert folder_fingerprint(file()) == "f2f48f43f49c"
    assert in_listing(file()) == "62870e16feb7"


def test_order_does_not_count() -> None:
    turned = file(permissionIds=FILE["permissionIds"][::-1], permissions=FILE["permissions"][::-1])
    assert folder_fingerprint(turned) == folder_fingerprint(file())
    assert in_listing(turned, readers=("b", "a")) == in_listing(file())


def test_the_unit_counts_by_its_id() -> None:
    assert in_listing(file(), FileLocation("plans", "Renamed", LOCATION.path)) == in_listing(file())


def test_a_folder_has_a_key_of_its_own() -> None:
    assert folder_key("1") != folder_key("2")
    assert len(folder_key("1" * 33)) < 33


def test_a_time_is_the_same_in_either_form() -> None:
    as_time = DriveFile(id="1", modified_time=datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert file_fingerprint(as_time) == file_fingerprint(
        DriveFile.model_validate({"id": "1", "modifiedTime": "2026-03-01T12:00:00Z"})
    )


def test_what_few_have_keeps_its_fingerprint_from_release_to_release() -> None:
    limited = replace(LOCATION, path=(DriveFolder("plans", "Plans", has_limited_access=True),))
    ends: Grants = {"user:a@b.c": datetime(2026, 3, 1, tzinfo=UTC)}
    assert [
        folder_fingerprint(file(inheritedPermissionsDisabled=True)),
        listing_fingerprint(file(), LOCATION, ends),
        listing_fingerprint(file(), limited, {}),
        listing_fingerprint(file(), LOCATION, {}, "members only"),
    ] == ["530fdd6d0816", "954bcef7ac39", "433535f48790", "0da76bf49fe4"]


def test_permissions_that_end_are_told_apart_by_what_they_grant_and_when_they_end() -> None:
    lasting = DrivePermission(id="1", type="user", role="reader", email_address="ada@acme.com")
    ending, later = (
        lasting.model_copy(update={"expiration_time": datetime(2026, 3, day, tzinfo=UTC)}) for day in (1, 2)
    )
    assert ends_fingerprint([]) == ends_fingerprint([lasting]) == ""
    assert ends_fingerprint([ending, later, lasting]) == ends_fingerprint([later, ending])
    assert len({ends_fingerprint(some) for some in ([ending], [later], [ending, later])}) == 3
    # Folders have the ids beside, and earlier releases did without.
    assert ends_fingerprint([ending]) == ends_fingerprint([ending.model_copy(update={"id": "2"})])
