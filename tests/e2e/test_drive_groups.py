"""Who finds a file of Drive through a group, whatever address the group has, and whoever had that before."""

from __future__ import annotations

import pytest

from pipelines.ingestion.options import SyncOptions
from tests.e2e.drive_search import BOB, OUT, TOM, UNREADABLE, Asked
from tests.emulators.drive import group, person

TEAM, BOARD = "team@acme.test", "board@acme.test"


def share_with_team(asked: Asked) -> str:
    """Files of a shared drive and of My Drive that Bob reads through the group, and Tom reads one by himself."""
    asked.drive.groups = {TEAM: [BOB]}
    asked.connection = asked.connection.model_copy(update={"directory_url": f"{asked.connection.base_url}/directory"})
    drive = asked.drive.shared_drive("Team")
    shared = asked.drive.doc("Shared zebra", "A zebra.", drive)
    asked.drive.share(shared, group(TEAM))
    asked.drive.share(shared, person(TOM))
    asked.drive.share(asked.drive.doc("Own zebra", "A zebra."), group(TEAM))
    asked.sync()
    assert asked.found(BOB) == {"Shared zebra", "Own zebra"}
    assert asked.found(TOM) == {"Shared zebra"}
    return shared


def test_who_gets_the_address_of_a_deleted_group_finds_nothing_of_it(asked: Asked) -> None:
    shared = share_with_team(asked)
    embedded = asked.embedder.requests
    asked.drive.delete_account(TEAM)
    asked.drive.groups[TEAM] = [OUT]
    for options in (SyncOptions(), SyncOptions(mode="reconcile")):
        asked.sync(options)
        assert (asked.found(BOB), asked.found(OUT), asked.found(TOM)) == (set(), set(), {"Shared zebra"})
    asked.drive.share(shared, group(TEAM))
    asked.sync()
    assert (asked.found(BOB), asked.found(OUT)) == (set(), {"Shared zebra"})
    assert asked.embedder.requests == embedded


def test_a_renamed_group_keeps_its_files_and_who_gets_its_address_does_not(asked: Asked) -> None:
    share_with_team(asked)
    asked.drive.rename_account(TEAM, BOARD)
    asked.drive.groups[TEAM] = [OUT]
    asked.drive.forget()
    asked.sync()
    assert (asked.found(BOB), asked.found(OUT)) == ({"Shared zebra", "Own zebra"}, set())
    assert not [path for path in asked.drive.asked() if path.endswith("/export")], "no file is read"


def test_a_group_that_drive_fails_to_tell_keeps_its_members(asked: Asked) -> None:
    share_with_team(asked)
    asked.drive.groups[BOARD] = [OUT]
    asked.sync()
    asked.drive.fail(1_000, UNREADABLE["500"], only="permissionIds")
    asked.drive.groups = {TEAM: [OUT]}
    asked.sync()
    assert (asked.found(BOB), asked.found(OUT)) == ({"Shared zebra", "Own zebra"}, set())
    asked.drive.faults.clear()
    asked.sync()
    assert (asked.found(BOB), asked.found(OUT)) == (set(), {"Shared zebra", "Own zebra"})


@pytest.mark.one_case
@pytest.mark.parametrize("how", sorted(UNREADABLE.keys() - {"429"}))  # a limit is everybody's
def test_a_deleted_group_loses_its_members_although_another_one_cannot_be_told(asked: Asked, how: str) -> None:
    share_with_team(asked)
    asked.drive.groups[BOARD] = [OUT]
    asked.sync()
    asked.drive.fail(1_000, UNREADABLE[how], only=f"permissionIds/{BOARD}")
    asked.drive.delete_account(TEAM)
    asked.sync()
    assert asked.found(BOB) == set()


def test_a_group_that_gets_an_address_of_another_domain_lets_nobody_of_it_in(asked: Asked) -> None:
    """Into a file of a drive that is for the people of its own domain."""
    asked.drive.groups = {TEAM: [BOB, OUT]}
    asked.connection = asked.connection.model_copy(update={"directory_url": f"{asked.connection.base_url}/directory"})
    drive = asked.drive.shared_drive("Team")
    asked.drive.restrict_drive(drive, domainUsersOnly=True)
    asked.drive.share(asked.drive.doc("Zebra", "A zebra.", drive), group(TEAM))
    asked.sync()
    assert (asked.found(BOB), asked.found(OUT)) == ({"Zebra"}, set())
    asked.drive.rename_account(TEAM, f"team@{OUT.partition('@')[2]}")
    for options in (SyncOptions(), SyncOptions(mode="reconcile")):
        asked.sync(options)
        assert asked.found(OUT) == set()


def test_what_was_read_before_groups_counted_is_read_anew_and_not_embedded(asked: Asked) -> None:
    shared = share_with_team(asked)
    without = asked.connection.model_copy(update={"directory_url": None})
    using, asked.connection = asked.connection, without
    asked.sync()
    embedded = asked.embedder.requests
    asked.connection = using
    asked.drive.forget()
    asked.sync()
    assert asked.drive.asked()[f"files/{shared}/export"] == 1
    assert (asked.found(BOB), asked.embedder.requests) == ({"Shared zebra", "Own zebra"}, embedded)
    asked.drive.forget()
    asked.sync()
    assert asked.drive.asked()[f"files/{shared}/export"] == 0


def test_who_gets_a_person_s_address_finds_their_files_until_these_are_read_again(asked: Asked) -> None:
    team = asked.drive.shared_drive("Team", person(BOB))
    asked.drive.doc("Member's zebra", "A zebra.", team)
    given = asked.drive.doc("Given zebra", "A zebra.", asked.drive.shared_drive("Board"))
    own = asked.drive.doc("Own zebra", "A zebra.")
    for file in (given, own):
        asked.drive.share(file, person(BOB))
    asked.sync()
    assert asked.found(BOB) == {"Member's zebra", "Given zebra", "Own zebra"}
    asked.drive.delete_account(BOB)
    asked.sync()
    assert asked.found(BOB) == {"Given zebra", "Own zebra"}
    asked.sync(SyncOptions(mode="reconcile"))
    assert asked.found(BOB) == {"Given zebra"}
    asked.sync(SyncOptions(mode="full"))
    assert asked.found(BOB) == set()
