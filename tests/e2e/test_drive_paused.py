"""A Drive whose content waits: rights that are taken away count all the same, and what waits misses nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from connectors.drive.source import connect
from connectors.webhooks import Event, Invalidation
from pipelines.events.connector_pool import ConnectorPool
from pipelines.events.rights_lane import RightsLane
from tests.e2e.drive_search import BOB, OUT, TOM, UNREADABLE, Asked
from tests.emulators.drive import ROOT, Fault, GoogleDrive, described, effective, person

Loss = Callable[[GoogleDrive, str, str], None]
"""Takes a file, shared with Bob by a permission, out of his reach."""

LOSSES: dict[str, Loss] = {
    "unshared": lambda drive, file, permission: drive.unshare(file, permission),
    "trashed": lambda drive, file, permission: drive.trash(file),
    "deleted": lambda drive, file, permission: drive.delete(file),
}


@pytest.fixture(params=["folder", pytest.param("shared drive", marks=pytest.mark.slow)])
def unit(asked: Asked, request: pytest.FixtureRequest) -> str:
    return asked.drive.folder("Plans") if request.param == "folder" else asked.drive.shared_drive("Team")


@pytest.fixture(params=["connection", "unit"])
def paused(asked: Asked, unit: str, request: pytest.FixtureRequest) -> str:
    """Id of the unit that is paused; empty where it is the connection."""
    return unit if request.param == "unit" else ""


def shared(asked: Asked, name: str, parent: str, *people: str) -> tuple[str, dict[str, str]]:
    """A file and its permissions by person."""
    file = asked.drive.doc(name, f"A zebra of {name}.", parent)
    return file, {one: asked.drive.share(file, person(one)) for one in people}


@pytest.mark.one_case
@pytest.mark.parametrize(
    "loss",
    ["unshared", pytest.param("trashed", marks=pytest.mark.slow), pytest.param("deleted", marks=pytest.mark.slow)],
)
def test_what_a_single_file_loses_counts_during_a_pause(asked: Asked, unit: str, paused: str, loss: str) -> None:
    lost, granted = shared(asked, "Lost", unit, BOB)
    shared(asked, "Kept", unit, BOB)
    asked.sync()
    assert asked.found(BOB) == {"Lost", "Kept"}
    asked.pause(paused)
    asked.sync()
    LOSSES[loss](asked.drive, lost, granted[BOB])
    assert asked.sync().errors == {}
    assert asked.found(BOB) == {"Kept"}
    asked.pause(paused, paused=False)
    asked.sync()
    assert asked.found(BOB) == {"Kept"}


def test_content_waits_and_nothing_of_it_is_missed(asked: Asked, unit: str) -> None:
    """Somebody who is let in while an old text is kept must not find what was taken out of it before."""
    edited, _ = shared(asked, "Edited", unit, TOM)
    asked.sync()
    asked.pause(unit)
    asked.sync()
    asked.drive.edit(edited, "An okapi.")
    asked.drive.share(edited, person(BOB))
    shared(asked, "New", unit, BOB)
    for _ in range(2):
        asked.sync()
        assert (asked.found(TOM), asked.found(BOB), asked.found(TOM, "okapi")) == ({"Edited"}, set(), set())
    asked.pause(unit, paused=False)
    asked.sync()
    assert (asked.found(TOM), asked.found(BOB)) == (set(), {"New"})
    assert asked.found(TOM, "okapi") == asked.found(BOB, "okapi") == {"Edited"}


def test_a_pause_costs_what_has_changed_and_no_content(asked: Asked, unit: str) -> None:
    files = [shared(asked, f"Zebra {number}", unit, BOB) for number in range(5)]
    asked.sync()
    asked.pause()
    asked.sync()
    asked.drive.forget()
    asked.sync()
    quiet = asked.drive.asked()
    feeds = 2 if unit in asked.drive.drives else 1  # a shared drive has one of its own
    assert quiet["prefix/api/changes"] + quiet["changes"] == feeds
    assert not any(path.endswith(("/export", "/permissions", "/comments")) for path in quiet if unit not in path)
    asked.drive.unshare(files[0][0], files[0][1][BOB])
    asked.drive.forget()
    asked.sync()
    more = asked.drive.asked() - quiet
    assert set(more) <= {f"files/{files[0][0]}/permissions"}


@pytest.mark.one_case
def test_a_file_moved_into_a_paused_unit_keeps_none_of_its_old_readers(asked: Asked, unit: str, paused: str) -> None:
    open_folder = asked.drive.folder("Open")
    asked.drive.share(open_folder, person(BOB))
    asked.drive.share(unit, person(TOM))
    moved, _ = shared(asked, "Moved", open_folder)
    shared(asked, "There", unit)
    asked.sync()
    assert (asked.found(BOB), asked.found(TOM)) == ({"Moved"}, {"There"})
    asked.pause(paused)
    asked.sync()
    asked.drive.move(moved, unit)
    asked.sync()
    assert (asked.found(BOB), asked.found(TOM)) == (set(), {"There"})
    asked.pause(paused, paused=False)
    asked.sync()
    assert (asked.found(BOB), asked.found(TOM)) == (set(), {"Moved", "There"})


def test_a_file_moved_into_a_unit_that_is_new_in_a_pause(asked: Asked) -> None:
    open_folder = asked.drive.folder("Open")
    moved, _ = shared(asked, "Moved", open_folder)
    asked.drive.share(open_folder, person(BOB))
    asked.sync()
    asked.pause()
    asked.sync()
    asked.drive.move(moved, asked.drive.shared_drive("Board"))
    asked.sync()
    assert asked.found(BOB) == set()


@pytest.mark.one_case
@pytest.mark.parametrize("happens", ["unshared", pytest.param("trashed", marks=pytest.mark.slow), "moved"])
def test_what_happens_to_a_folder_happens_to_the_files_below(asked: Asked, happens: str) -> None:
    plans = asked.drive.folder("Plans")
    outer = asked.drive.folder("Outer", plans)
    permission = asked.drive.share(outer, person(BOB))
    inner = asked.drive.folder("Inner", outer)
    for number in range(3):
        shared(asked, f"Zebra {number}", asked.drive.folder(f"Deep {number}", inner))
    asked.sync()
    assert len(asked.found(BOB)) == 3
    asked.pause()
    asked.sync()
    match happens:
        case "unshared":
            asked.drive.unshare(outer, permission)
        case "trashed":
            asked.drive.trash(outer)
        case _:
            asked.drive.move(inner, plans)
    asked.sync()
    assert asked.found(BOB) == set()


def test_what_comes_back_in_a_pause_is_found_again(asked: Asked, unit: str) -> None:
    file, granted = shared(asked, "Zebra", unit, TOM, BOB)
    asked.sync()
    asked.pause()
    asked.drive.trash(file)
    asked.sync()
    assert asked.found(TOM) == asked.found(BOB) == set()
    asked.drive.untrash(file)
    asked.drive.unshare(file, granted[BOB])
    asked.sync()
    assert (asked.found(TOM), asked.found(BOB)) == ({"Zebra"}, set())


@pytest.mark.one_case
@pytest.mark.parametrize("fault", [UNREADABLE["500"], UNREADABLE["403"]], ids=["500", "403"])
def test_a_file_is_nobodys_until_somebody_tells_who_may_read_it(asked: Asked, fault: Fault) -> None:
    team = asked.drive.shared_drive("Team")
    files = [shared(asked, f"Zebra {number}", team, TOM, BOB) for number in range(6)]
    asked.sync()
    everything = {f"Zebra {number}" for number in range(6)}
    asked.pause(team)
    asked.sync()
    asked.drive.fail(1_000, fault, only="permissions")
    for changed in (files[:2], files[2:4]):  # the second time others are in trouble already
        for file, granted in changed:
            asked.drive.unshare(file, granted[BOB])
        asked.sync()
        left = everything - {f"Zebra {number}" for number in range(files.index(changed[-1]) + 1)}
        assert asked.found(BOB) == asked.found(TOM) == left
    asked.drive.faults.clear()
    assert asked.sync().errors == {}
    assert (asked.found(TOM), asked.found(BOB)) == (everything, {"Zebra 4", "Zebra 5"})
    asked.drive.forget()
    asked.sync()
    assert not any(path.startswith("files/1F") for path in asked.drive.asked()), "what was told is not asked again"


def test_an_end_that_is_set_in_a_pause_counts_to_the_second(asked: Asked) -> None:
    file, _ = shared(asked, "Zebra", asked.drive.folder("Plans"), BOB)
    asked.sync()
    asked.pause()
    asked.drive.share(file, person(BOB, expirationTime=(datetime.now(UTC) + timedelta(seconds=1)).isoformat()))
    asked.sync()
    [end] = asked.services.catalog.revocations.load().ends[f"drive:dr/{file}"].values()
    while datetime.now(UTC).timestamp() <= end:
        pass
    assert asked.found(BOB) == set()


def test_a_drive_that_restricts_its_readers_in_a_pause_is_named_as_a_whole(asked: Asked) -> None:
    team = asked.drive.shared_drive("Team", person(BOB), person(OUT))
    shared(asked, "Zebra", team, TOM)
    gone, _ = shared(asked, "Gone", team, TOM)
    asked.sync()
    asked.pause()
    asked.sync()
    asked.drive.delete(gone)
    asked.drive.restrict_drive(team, driveMembersOnly=True)
    asked.sync()
    assert (asked.found(BOB), asked.found(OUT), asked.found(TOM)) == ({"Zebra"}, {"Zebra"}, set())
    asked.drive.forget()
    asked.sync()
    assert asked.drive.asked()["files"] == 1, "the list of folders, and not once more the whole drive"


def test_what_goes_while_the_feed_is_forgotten_is_missed_by_the_next_naming(asked: Asked, unit: str) -> None:
    gone, _ = shared(asked, "Gone", unit, BOB)
    kept, granted = shared(asked, "Kept", unit, TOM, BOB)
    asked.sync()
    asked.pause(unit)
    asked.drive.delete(gone)
    asked.drive.unshare(kept, granted[BOB])
    asked.drive.forget_changes()
    asked.sync()
    assert (asked.found(TOM), asked.found(BOB)) == ({"Kept"}, set())


def test_a_drive_renamed_in_a_pause_loses_no_rights(asked: Asked) -> None:
    team = asked.drive.shared_drive("Team")
    file, granted = shared(asked, "Zebra", team, BOB)
    asked.sync()
    asked.pause()
    asked.drive.rename_drive(team, "Crew")
    asked.drive.unshare(file, granted[BOB])
    asked.sync()
    assert asked.found(BOB) == set()


@pytest.fixture
def lane(asked: Asked) -> Iterator[RightsLane]:
    connectors = ConnectorPool(lambda connection: connect(asked.connection))
    with closing(connectors):
        yield RightsLane(asked.services, connectors)


@pytest.mark.parametrize("paused", ["connection", "unit"])
def test_an_event_counts_at_once_and_waits_for_a_busy_unit(asked: Asked, lane: RightsLane, paused: str) -> None:
    unit = asked.drive.folder("Plans")
    file, granted = shared(asked, "Zebra", unit, TOM, BOB)
    asked.sync()
    asked.pause(unit if paused == "unit" else "")
    asked.drive.unshare(file, granted[BOB])
    asked.services.catalog.events.store("dr", Event("1", "change", (Invalidation("unit", unit),)), b"")
    with asked.services.catalog.leases.hold("dr", unit):
        lane.run_pass()
        assert asked.found(BOB) == {"Zebra"}
    lane.run_pass()
    assert (asked.found(TOM), asked.found(BOB)) == ({"Zebra"}, set())
    asked.drive.forget()
    lane.run_pass()
    assert not asked.drive.asked(), "an event is looked at once"


@pytest.mark.slow
def test_whatever_happens_in_pauses_ends_as_a_new_read_would(asked: Asked) -> None:
    chance = random.Random(7)
    drive = asked.drive
    places = [ROOT, drive.folder("Plans"), drive.folder("Inner", drive.folder("Outer")), drive.shared_drive("Team")]
    files = [shared(asked, f"Zebra {number}", chance.choice(places), TOM)[0] for number in range(12)]
    people = (BOB, TOM, OUT)
    asked.sync()
    for _ in range(12):
        asked.pause(paused=chance.random() < 0.7)
        for file in chance.sample(files, 3):
            match chance.randrange(5):
                case 0:
                    drive.share(file, person(chance.choice(people)))
                case 1:
                    held = [one for one, said in drive.permissions[file].items() if said.get("role") == "reader"]
                    drive.unshare(file, chance.choice(held)) if held else None
                case 2:
                    drive.move(file, chance.choice(places))
                case 3:
                    drive.trash(file)
                case _:
                    drive.untrash(file)
        assert asked.sync().errors == {}
        for one in people:
            assert asked.found(one) <= allowed(drive, files, one)
    asked.pause(paused=False)
    asked.sync()
    for one in people:
        assert asked.found(one) == allowed(drive, files, one)


def allowed(drive: GoogleDrive, files: list[str], email: str) -> set[str]:
    """Titles of the files that a person may read, as the Drive has it."""
    return {
        drive.files[file]["name"]
        for file in files
        if not described(drive, file)["trashed"]
        and any(said.get("emailAddress") == email for said in effective(drive, file).values())
    }
