"""Who finds a file of Drive: nobody where Google does not tell it, and again as soon as it does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.ingestion.options import SyncOptions
from tests.e2e.drive_search import BOB, OUT, TOM, UNREADABLE, Asked
from tests.emulators.drive import ME, Fault, domain, group, permission_id, person

RECONCILE = SyncOptions(mode="reconcile")


@pytest.mark.one_case
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=name, marks=[] if name in ("500", "200 with nobody") else pytest.mark.slow)
        for name, fault in UNREADABLE.items()
    ],
)
def test_a_changed_file_is_nobodys_until_its_permissions_are_read(asked: Asked, fault: Fault) -> None:
    team = asked.drive.shared_drive("Team")
    files = [asked.drive.doc(f"Zebra {number}", "A zebra.", team) for number in range(6)]
    shared = [asked.drive.share(file, person(BOB)) for file in files]
    for file in files:
        asked.drive.share(file, person(TOM))
    asked.sync()
    everything = {f"Zebra {number}" for number in range(6)}
    assert asked.found(BOB) == asked.found(TOM) == everything
    for file, permission in zip(files[:4], shared, strict=False):
        asked.drive.unshare(file, permission)
    asked.drive.fail(1_000, fault, only="permissions")
    embedded = asked.embedder.requests
    for options in (SyncOptions(), RECONCILE):
        asked.sync(options)
        # What has not changed keeps its readers, however many fail one after the other.
        assert asked.found(BOB) == asked.found(TOM) == {"Zebra 4", "Zebra 5"}
    asked.drive.faults.clear()
    assert asked.sync().errors == {}
    assert asked.found(TOM) == everything
    assert asked.found(BOB) == {"Zebra 4", "Zebra 5"}
    assert asked.embedder.requests == embedded


def test_members_of_a_drive_that_are_not_told_are_none(asked: Asked) -> None:
    drives = [asked.drive.shared_drive(f"Team {number}", person(BOB)) for number in range(5)]
    for number, drive in enumerate(drives):
        asked.drive.doc(f"Zebra {number}", "A zebra.", drive)
    asked.sync()
    everything = {f"Zebra {number}" for number in range(5)}
    assert asked.found(BOB) == everything
    asked.drive.forget()
    asked.drive.fail(1_000, UNREADABLE["500"], only="permissions")
    asked.sync()
    assert asked.found(BOB) == set()
    of_drives = sum(times for path, times in asked.drive.asked().items() if path.endswith("/permissions"))
    assert of_drives == 6, "after three drives, asked twice each, a server in trouble is left"
    asked.drive.faults.clear()
    asked.sync()
    assert asked.found(BOB) == everything


def test_a_member_who_leaves_a_drive_keeps_the_file_that_is_shared_with_them(asked: Asked) -> None:
    team = asked.drive.shared_drive("Team", person(BOB), person(TOM))
    direct = asked.drive.doc("Direct zebra", "A zebra.", team)
    asked.drive.doc("Zebra", "A zebra.", team)
    limited = asked.drive.folder("Board", team, restricted=True)
    for member in (ME, BOB):
        asked.drive.share(limited, person(member))
    asked.drive.doc("Limited zebra", "A zebra.", limited)
    asked.drive.share(direct, person(BOB))
    asked.sync()
    assert asked.found(BOB) == {"Direct zebra", "Zebra", "Limited zebra"}
    assert asked.found(TOM) == {"Direct zebra", "Zebra"}
    bob = next(one for one, said in asked.drive.permissions[team].items() if said["emailAddress"] == BOB)
    asked.drive.unshare(team, bob)
    asked.sync()
    assert asked.found(BOB) == {"Direct zebra", "Limited zebra"}
    assert asked.found(TOM) == {"Direct zebra", "Zebra"}, "who left one drive opens no folder to its members"


def test_a_folder_that_limits_access_shuts_out_whom_it_would_inherit(asked: Asked) -> None:
    team = asked.drive.shared_drive("Team", person(BOB), person(TOM), person("boss@acme.test", "organizer"))
    board = asked.drive.folder("Board", team)
    asked.drive.doc("Zebra", "A zebra.", asked.drive.folder("Inner", board))
    for member in (ME, BOB):
        asked.drive.share(board, person(member))
    asked.sync()
    assert asked.found(TOM) == asked.found(BOB) == {"Zebra"}
    asked.drive.limit_access(board)
    asked.sync()
    assert asked.found(TOM) == set()
    assert asked.found(BOB) == asked.found("boss@acme.test") == {"Zebra"}


@pytest.mark.parametrize(
    ("restrictions", "expected"),
    [
        pytest.param({}, {BOB, OUT, TOM}, marks=pytest.mark.slow),
        ({"driveMembersOnly": True}, {BOB, OUT}),
        ({"domainUsersOnly": True}, {BOB, TOM}),
        ({"driveMembersOnly": True, "domainUsersOnly": True}, {BOB}),
        pytest.param(
            {"copyRequiresWriterPermission": True, "adminManagedRestrictions": True},
            {BOB, OUT, TOM},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_drive_restricts_who_finds_its_files(asked: Asked, restrictions: dict[str, Any], expected: set[str]) -> None:
    team = asked.drive.shared_drive("Team", person(BOB), person(OUT))
    file = asked.drive.doc("Zebra", "A zebra.", team)
    asked.drive.share(file, person(TOM))
    asked.sync()
    embedded = asked.embedder.requests
    for restricted in (restrictions, {}, restrictions):  # given, taken away, and given again
        asked.drive.restrict_drive(team, **restricted)
        asked.sync()
        assert {one for one in (BOB, OUT, TOM) if asked.found(one)} == (expected if restricted else {BOB, OUT, TOM})
    assert asked.embedder.requests == embedded


@pytest.mark.one_case
@pytest.mark.parametrize("discoverable", [True, False])
def test_a_domain_finds_what_it_may_discover(asked: Asked, discoverable: bool) -> None:
    file = asked.drive.doc("Zebra", "A zebra.")
    asked.drive.share(file, domain("acme.test", discoverable=discoverable))
    asked.sync()
    assert (asked.found(BOB) == {"Zebra"}) is discoverable
    assert asked.found(OUT) == set()


def test_a_permission_ends_to_the_second_and_follows_when_it_is_changed(asked: Asked) -> None:
    file = asked.drive.doc("Zebra", "A zebra.")

    def share_until(end: datetime) -> None:
        asked.drive.share(file, person(BOB, expirationTime=end.isoformat()))

    share_until(datetime.now(UTC) + timedelta(hours=1))
    asked.sync()
    assert asked.found(BOB) == {"Zebra"}
    document = f"drive:dr/{file}"
    assert set(asked.services.catalog.revocations.load().ends[document]) == {f"user:{BOB}"}
    share_until(datetime.now(UTC) + timedelta(seconds=1))
    asked.sync()
    end = asked.services.catalog.revocations.load().ends[document][f"user:{BOB}"]
    while datetime.now(UTC).timestamp() <= end:
        pass
    assert asked.found(BOB) == set(), "nothing was asked of Google for that"
    share_until(datetime.now(UTC) + timedelta(hours=1))
    asked.sync()
    assert asked.found(BOB) == {"Zebra"}


def test_an_end_that_a_folder_of_a_drive_gets_later_counts_below(asked: Asked) -> None:
    team = asked.drive.shared_drive("Team")
    folder = asked.drive.folder("Plans", team)
    asked.drive.doc("Zebra", "A zebra.", asked.drive.folder("Deep", folder))
    for one in (BOB, TOM):
        asked.drive.share(folder, person(one))
    asked.sync()
    assert asked.found(BOB) == asked.found(TOM) == {"Zebra"}
    embedded = asked.embedder.requests
    for hours in (2, -1):  # an end is set, and then brought forward
        end = datetime.now(UTC) + timedelta(hours=hours)
        asked.drive.share(folder, person(BOB, expirationTime=end.isoformat()))
        asked.sync()
        assert asked.found(BOB) == ({"Zebra"} if hours > 0 else set())
    asked.drive.share(folder, person(BOB))
    asked.sync()
    assert asked.found(BOB) == asked.found(TOM) == {"Zebra"}
    assert asked.embedder.requests == embedded


def test_a_folder_of_a_drive_whose_permissions_are_not_told_takes_nothing_for_granted(asked: Asked) -> None:
    folder = asked.drive.folder("Plans", asked.drive.shared_drive("Team"))
    asked.drive.doc("Zebra", "A zebra.", folder)
    asked.drive.share(folder, person(BOB))
    asked.sync()
    asked.drive.fail(1_000, UNREADABLE["500"], only=f"{folder}/permissions")
    asked.drive.share(folder, person(BOB, expirationTime=(datetime.now(UTC) - timedelta(hours=1)).isoformat()))
    asked.sync()
    asked.drive.faults.clear()
    asked.sync()
    assert asked.found(BOB) == set()


def test_a_group_of_the_drive_is_a_member(asked: Asked) -> None:
    team = asked.drive.shared_drive("Team", group("team@acme.test"))
    asked.drive.doc("Zebra", "A zebra.", team)
    asked.drive.restrict_drive(team, driveMembersOnly=True, domainUsersOnly=True)
    asked.sync()
    with asked.services.store() as store:
        readers = {token for _, payload in store.scan() for token in payload["readers"]}
    own = permission_id(group("team@acme.test"))
    assert readers == {f"user:{ME}", f"group:dr:domain-members:acme.test:{own}"}


def test_a_group_lets_no_stranger_into_a_drive_that_is_for_its_domain(asked: Asked) -> None:
    asked.drive.groups = {"team@acme.test": [BOB, OUT]}
    asked.connection = asked.connection.model_copy(update={"directory_url": f"{asked.connection.base_url}/directory"})
    team = asked.drive.shared_drive("Team", group("team@acme.test"))
    asked.drive.doc("Zebra", "A zebra.", team)
    asked.sync()
    embedded = asked.embedder.requests
    assert asked.found(BOB) == asked.found(OUT) == {"Zebra"}
    for members_only in (False, True):
        asked.drive.restrict_drive(team, domainUsersOnly=True, driveMembersOnly=members_only)
        asked.sync()
        assert (asked.found(BOB), asked.found(OUT)) == ({"Zebra"}, set())
    asked.drive.restrict_drive(team)
    asked.sync()
    assert asked.found(BOB) == asked.found(OUT) == {"Zebra"}
    assert asked.embedder.requests == embedded
