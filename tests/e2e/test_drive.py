"""Drive from its API over HTTP to the embedded index: what changes there changes here, and costs no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.drive.account import DriveConnector
from connectors.drive.settings import DriveConnection
from connectors.registry import receive
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.drive import (
    ME,
    TOKEN,
    WEBHOOK_SECRET,
    Fault,
    GoogleDrive,
    anyone,
    broken_gateway,
    cut_short,
    domain,
    group,
    limited,
    permission_id,
    person,
    serving,
)
from tests.emulators.fake_embedder import FakeEmbedder

RECONCILE = SyncOptions(mode="reconcile")
CSV = b"mill,power\nupper,12 kW\nlower,9 kW\n"


@dataclass
class World:
    """`ids` are the files' ids by the names that the tests know them by."""

    drive: GoogleDrive
    services: Services
    connection: DriveConnection
    embedder: FakeEmbedder
    ids: dict[str, str] = field(default_factory=dict)

    def sync(self, options: SyncOptions = SyncOptions(), *units: str) -> SyncReport:  # noqa: B008
        self.drive.forget()
        return sync_connection(self.services, self.connection, units, options)

    def notified(self, drive: str | None = None) -> SyncReport:
        """What the worker does with the notifications of the channels of one feed."""
        report = SyncReport()
        for delivery in self.drive.notifications(drive):
            changes = receive(self.connection, *delivery, now=0.0).invalidations
            units = {change.unit for change in changes if change.unit}
            report.add(self.sync(SyncOptions(), *units))
        return report

    @property
    def points(self) -> dict[str, dict[str, Any]]:
        with self.services.store() as store:
            return dict(store.scan())

    @property
    def indexed(self) -> set[str]:
        """Titles of the documents that can be found."""
        return {payload["title"] for payload in self.points.values()}

    def payload(self, title: str) -> dict[str, Any]:
        return next(payload for payload in self.points.values() if payload["title"] == title)

    def readers(self, title: str) -> set[str]:
        return set(self.payload(title)["readers"])

    def parents(self, title: str) -> list[str]:
        return [name for name in self.payload(title)["breadcrumb"] if name]

    def text(self, title: str) -> str:
        found = [payload for payload in self.points.values() if payload["title"] == title]
        return "\n".join(payload["text"] for payload in sorted(found, key=lambda payload: payload["position"]))


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    drive = GoogleDrive()
    team = drive.shared_drive("Team", group("team@acme.test"))
    plans = drive.folder("Plans")
    inner = drive.folder("Spring", plans)
    ids = {"team": team, "plans": plans, "inner": inner, "attic": drive.folder("Attic", plans)}
    for number in range(8):
        ids[f"plan-{number}"] = drive.doc(f"Plan {number}", f"The pump of mill {number} is stuck.", inner)
    ids["loose"] = drive.doc("Loose note", "Oil helps.")
    ids["table"] = drive.upload("power.csv", CSV, "text/csv", plans)
    ids["picture"] = drive.upload("wheel.png", b"\x89PNG", "image/png", plans)
    ids["shared"] = drive.doc("Shared with me", "The belt has torn.", None)
    ids["wheels"] = drive.folder("Wheels", team)
    ids["wheel"] = drive.doc("Wheel", "The wheel turns by water.", ids["wheels"])
    ids["axle"] = drive.doc("Axle", "The axle is greased with tallow.", team)
    with serving(drive) as url:
        connection = DriveConnection.model_validate(
            {
                "id": "acme",
                "source": "drive",
                "token": TOKEN,
                "base_url": url,
                "token_uri": f"{url}/token",
                "webhook_secret": WEBHOOK_SECRET,
                "webhook_url": "https://headrace.test/webhooks/acme",
            }
        )
        embedder = FakeEmbedder()
        with Services(settings.model_copy(update={"connections": (connection,)}), embedder) as services:
            yield World(drive, services, connection, embedder, ids)
    assert drive.strayed == []


DOCUMENTS = 8 + 1 + 1 + 1 + 2


def test_first_sync_and_no_change(world: World) -> None:
    first = world.sync()
    assert (first.errors, first.documents.new, first.documents.skipped) == ({}, DOCUMENTS, 1)
    assert world.indexed >= {"Plan 0", "Loose note", "power.csv", "Shared with me", "Wheel", "Axle"}
    assert world.readers("Plan 0") == {"user:ada@acme.test"}
    assert world.readers("Wheel") == {f"user:{ME}", TEAM}
    sent, points = world.embedder.requests, world.points
    for options in (SyncOptions(), RECONCILE, SyncOptions(mode="full")):
        report = world.sync(options)
        documents = report.documents
        assert (report.errors, documents.new, documents.changed, documents.deleted) == ({}, 0, 0, 0)
    assert (world.embedder.requests, world.points) == (sent, points)


def test_nothing_new_costs_the_same_however_much_there_is(world: World) -> None:
    first = sum(world.sync().requests.values())
    unchanged = sum(world.sync().requests.values())
    for number in range(60):
        world.drive.doc(f"More {number}", "text", world.ids["inner"])
        world.drive.upload(f"more-{number}.txt", b"text", "text/plain", world.ids["team"])
    world.sync()
    report = world.sync()
    assert (report.documents.read, sum(report.requests.values())) == (0, unchanged)
    assert first > unchanged
    assert world.sync(RECONCILE).documents.read == 0


Change = Callable[[World], object]


EDITS: list[tuple[Change, str, str]] = [
    (lambda w: w.drive.edit(w.ids["plan-3"], "The belt is new."), "Plan 3", "The belt is new."),
    (lambda w: w.drive.edit(w.ids["wheel"], "The wheel is new."), "Wheel", "The wheel is new."),
    (lambda w: w.drive.edit(w.ids["table"], "mill,power\nmiddle,7 kW\n"), "power.csv", "7 kW"),
    (lambda w: w.drive.edit(w.ids["shared"], "It is sewn."), "Shared with me", "It is sewn."),
    (lambda w: w.drive.comment(w.ids["plan-4"], "Who pays?", "The guild."), "Plan 4", "The guild."),
    (lambda w: w.drive.doc("Frost", "Ice everywhere.", w.ids["attic"]), "Frost", "Ice everywhere."),
    (lambda w: w.drive.doc("Loose too", "Loose ends."), "Loose too", "Loose ends."),
    (lambda w: w.drive.doc("Spokes", "Twelve spokes.", w.ids["wheels"]), "Spokes", "Twelve spokes."),
    (
        lambda w: w.drive.upload("late.txt", b"\xef\xbb\xbfBrought late.", "text/plain", w.ids["plans"]),
        "late.txt",
        "Brought late.",
    ),
]


EACH = [[edit] for edit in EDITS]


@pytest.mark.parametrize(
    ("options", "rounds"),
    [
        (SyncOptions(), [EDITS]),
        pytest.param(SyncOptions(), EACH, marks=pytest.mark.slow),
        pytest.param(RECONCILE, EACH[:2], marks=pytest.mark.slow),
    ],
    ids=["at once", "one by one", "by a reconcile"],
)
def test_what_is_edited_or_new_is_found_by_the_next_sync(
    world: World, options: SyncOptions, rounds: list[list[tuple[Change, str, str]]]
) -> None:
    world.sync()
    for edits in rounds:
        for change, _, _ in edits:
            change(world)
        report = world.sync(options)
        assert (report.errors, report.documents.read) == ({}, len(edits))
        for _, title, expected in edits:
            assert expected in world.text(title)
        assert report.embedding.inputs <= 2 * len(edits)


DELETIONS: list[tuple[Change, str]] = [
    (lambda w: w.drive.delete(w.ids["plan-1"]), "Plan 1"),
    (lambda w: w.drive.trash(w.ids["plan-2"]), "Plan 2"),
    (lambda w: w.drive.unshare(w.ids["shared"], next(iter(w.drive.permissions[w.ids["shared"]]))), "Shared with me"),
    (lambda w: w.drive.delete(w.ids["axle"]), "Axle"),
]


@pytest.mark.parametrize("options", [SyncOptions(), pytest.param(RECONCILE, marks=pytest.mark.slow)])
def test_what_is_deleted_leaves_the_index(world: World, options: SyncOptions) -> None:
    world.sync()
    sent = world.embedder.requests
    for change, title in DELETIONS:
        before = world.indexed
        change(world)
        report = world.sync(options)
        assert (title, report.errors, report.documents.deleted) == (title, {}, 1)
        assert before - world.indexed == {title}
    assert world.embedder.requests == sent


def test_a_folder_in_the_trash_takes_its_files_along_and_brings_them_back(world: World) -> None:
    world.sync()
    before, sent = world.indexed, world.embedder.requests
    world.drive.trash(world.ids["inner"])
    assert world.sync().documents.deleted == 8
    assert before - world.indexed == {f"Plan {number}" for number in range(8)}
    world.drive.untrash(world.ids["inner"])
    world.sync()
    assert (world.indexed, world.embedder.requests) == (before, sent)


OWNER = permission_id(person("ada@acme.test", "owner"))
TEAM = f"group:acme:{permission_id(group('team@acme.test'))}"
MOVES: list[tuple[Change, str, list[str]]] = [
    (lambda w: w.drive.rename(w.ids["plans"], "Schemes"), "Plan 0", ["My Drive", "Schemes", "Spring"]),
    (lambda w: w.drive.rename(w.ids["inner"], "May"), "Plan 0", ["My Drive", "Schemes", "May"]),
    (lambda w: w.drive.move(w.ids["inner"], w.ids["attic"]), "Plan 0", ["My Drive", "Schemes", "Attic", "May"]),
    (lambda w: w.drive.move(w.ids["plan-0"], w.ids["plans"]), "Plan 0", ["My Drive", "Schemes"]),
    # Its owner reads it still, and is no member of the team: what its folders are called is not for all of its readers.
    (lambda w: w.drive.move(w.ids["plan-0"], w.ids["wheels"]), "Plan 0", []),
    (lambda w: w.drive.unshare(w.ids["plan-0"], OWNER), "Plan 0", ["Team", "Wheels"]),
    (lambda w: w.drive.rename(w.ids["wheels"], "Gears"), "Plan 0", ["Team", "Gears"]),
    (lambda w: w.drive.rename_drive(w.ids["team"], "Millers"), "Plan 0", ["Millers", "Gears"]),
]


def test_moves_and_renames_show_without_embedding(world: World) -> None:
    world.sync()
    count, sent = len(world.indexed), world.embedder.requests
    for change, title, expected in MOVES:
        change(world)
        assert world.sync().errors == {}
        assert world.parents(title) == expected
    assert (len(world.indexed), world.embedder.requests) == (count, sent)


@pytest.mark.slow
def test_a_file_that_changes_shared_drives_is_found_in_the_other(world: World) -> None:
    other = world.drive.shared_drive("Other")
    note = world.drive.doc("Note", "A note on wheels.", other)
    world.sync()
    for drive, name in ((world.ids["team"], "Team"), (other, "Other")):
        world.drive.move(note, drive)
        assert world.sync().documents.deleted == 0
        assert world.parents("Note") == [name]


@pytest.mark.each_value
@pytest.mark.parametrize("modes", [(RECONCILE, SyncOptions()), (RECONCILE, RECONCILE)], ids=["sync", "reconcile"])
@pytest.mark.parametrize("old_first", [True, False])
@pytest.mark.parametrize("has_feed", [True, False])
def test_a_file_that_a_reconcile_sees_to_have_moved_is_found_in_its_new_unit(
    world: World, modes: tuple[SyncOptions, SyncOptions], old_first: bool, has_feed: bool
) -> None:
    if not has_feed:
        world.drive.refuse("changes", "missing")
    other = world.drive.shared_drive("Other", person("bob@acme.test"))
    world.drive.doc("Belt", "The belt is made of leather.", other)
    world.sync()
    world.drive.move(world.ids["wheel"], other)
    units = (world.ids["team"], other) if old_first else (other, world.ids["team"])
    for unit, options in zip(units, modes, strict=True):
        report = world.sync(options, unit)
        assert (report.errors, report.documents.failed, report.documents.deleted) == ({}, 0, 0)
    assert world.parents("Wheel") == ["Other"]
    assert "user:bob@acme.test" in world.readers("Wheel")
    document_id = f"drive:acme/{world.ids['wheel']}"
    for options in (SyncOptions(), RECONCILE):
        documents = world.sync(options).documents
        assert (documents.changed, documents.deleted, documents.failed) == (0, 0, 0)
        state = world.services.catalog.documents.states([document_id])[document_id]
        assert (state.unit, state.status, state.hidden) == (other, "indexed", None)


def test_a_renamed_file_shows_its_name(world: World) -> None:
    world.sync()
    world.drive.rename(world.ids["plan-5"], "Plan V")
    report = world.sync()
    assert (report.documents.changed, report.embedding.inputs) == (1, 0)
    assert {"Plan V"} == {title for title in world.indexed if title in ("Plan V", "Plan 5")}


SHARED: list[tuple[Change, str, set[str]]] = [
    (
        lambda w: w.drive.share(w.ids["plan-0"], person("bob@acme.test")),
        "Plan 0",
        {"user:ada@acme.test", "user:bob@acme.test"},
    ),
    (
        lambda w: w.drive.share(w.ids["inner"], domain("acme.test")),
        "Plan 1",
        {"user:ada@acme.test", "group:acme:domain:acme.test"},
    ),
    (lambda w: w.drive.share(w.ids["loose"], anyone()), "Loose note", {"user:ada@acme.test"}),
    (
        lambda w: w.drive.share(w.ids["loose"], anyone(discoverable=True)),
        "Loose note",
        {"user:ada@acme.test", "public"},
    ),
    (
        lambda w: w.drive.share(w.ids["wheels"], person("eve@acme.test")),
        "Wheel",
        {f"user:{ME}", TEAM, "user:eve@acme.test"},
    ),
    (
        lambda w: w.drive.share(w.ids["team"], person("tom@acme.test")),
        "Axle",
        {f"user:{ME}", TEAM, "user:tom@acme.test"},
    ),
]


def test_readers_follow_the_permissions_without_embedding(world: World) -> None:
    world.sync()
    sent = world.embedder.requests
    for change, title, expected in SHARED:
        change(world)
        assert world.sync().errors == {}
        assert world.readers(title) == expected
    world.drive.unshare(world.ids["plan-0"], [*world.drive.permissions[world.ids["plan-0"]]][-1])
    world.sync()
    assert world.readers("Plan 0") == {"user:ada@acme.test", "group:acme:domain:acme.test"}
    assert world.embedder.requests == sent


def test_a_file_moved_into_a_restricted_folder_loses_its_readers(world: World) -> None:
    board = world.drive.folder("Board", world.ids["team"], restricted=True)
    world.drive.share(board, person(ME))
    world.sync()
    sent = world.embedder.requests
    world.drive.move(world.ids["axle"], board)
    world.sync()
    assert world.readers("Axle") == {f"user:{ME}"}
    assert world.embedder.requests == sent


@pytest.mark.slow
def test_members_of_groups_are_those_of_the_directory(world: World) -> None:
    world.drive.groups = {
        "team@acme.test": ["bob@acme.test", "smiths@acme.test"],
        "smiths@acme.test": ["eve@acme.test"],
    }
    groups = world.services.catalog.memberships.groups_of
    world.sync()
    assert groups("bob@acme.test") == set()
    url = f"{world.connection.base_url}/directory"
    world.connection = world.connection.model_copy(update={"directory_url": url})
    assert world.sync().errors == {}
    team, smiths = (
        {f"group:acme:{kind}{world.drive.holder(f'{name}@acme.test')}" for kind in ("", "domain-members:acme.test:")}
        for name in ("team", "smiths")
    )
    assert groups("bob@acme.test") == team
    assert groups("eve@acme.test") == team | smiths
    world.drive.groups["team@acme.test"].remove("bob@acme.test")
    world.sync()
    assert groups("bob@acme.test") == set()
    assert world.readers("Wheel") == {f"user:{ME}", TEAM}


@pytest.mark.slow
def test_comments_are_left_out_where_somebody_may_only_view(world: World) -> None:
    world.drive.comment(world.ids["plan-4"], "Who pays?", "The guild.", quoted="pump of mill 4")
    world.sync()
    assert "The guild." in world.text("Plan 4")
    world.drive.share(world.ids["plan-4"], person("bob@acme.test"))
    world.sync()
    assert "guild" not in world.text("Plan 4")
    world.drive.share(world.ids["plan-4"], person("bob@acme.test", "commenter"))
    world.sync()
    assert "The guild." in world.text("Plan 4")


def test_the_account_loses_a_folder(world: World) -> None:
    shared = world.drive.folder("Borrowed", None)
    world.drive.doc("Borrowed note", "A borrowed bucket.", shared)
    world.sync()
    world.drive.unshare(shared, next(iter(world.drive.permissions[shared])))
    world.sync()
    world.sync(SyncOptions(mode="reconcile", allow_mass_delete=True))
    assert "Borrowed note" not in world.indexed


def test_a_shared_drive_that_is_out_of_reach_leaves_the_index_on_somebodys_word(world: World) -> None:
    world.sync()
    world.drive.leave_drive(world.ids["team"])
    assert f"acme/{world.ids['team']}" in world.sync(RECONCILE).errors
    assert {"Wheel", "Axle"} <= world.indexed
    world.sync(SyncOptions(mode="reconcile", allow_mass_delete=True))
    assert not {"Wheel", "Axle"} & world.indexed


@pytest.mark.slow
def test_an_expired_page_token_leads_to_a_full_listing(world: World) -> None:
    world.sync()
    sent = world.embedder.requests
    world.drive.forget_changes()
    world.drive.doc("Frost", "Ice everywhere.", world.ids["attic"])
    report = world.sync()
    assert (report.errors, report.documents.new, report.documents.changed) == ({}, 1, 0)
    assert world.embedder.requests == sent + 1
    unchanged = world.sync().documents.read
    assert unchanged == 0


@pytest.mark.slow
def test_a_server_without_a_changes_feed_is_asked_for_what_was_modified(world: World) -> None:
    world.drive.has_feed = False
    world.sync()
    world.drive.edit(world.ids["plan-3"], "The belt is new.")
    world.drive.delete(world.ids["plan-4"])
    assert world.sync().documents.changed == 1
    assert "The belt is new." in world.text("Plan 3")
    assert world.sync(RECONCILE).documents.deleted == 1


@pytest.mark.one_case
@pytest.mark.parametrize(
    ("only", "fault"),
    [
        ("files", limited("userRateLimitExceeded")),
        pytest.param("export", limited("rateLimitExceeded", headers={"retry-after": "7"}), marks=pytest.mark.slow),
        pytest.param("changes/startPageToken", limited("rateLimitExceeded", 429), marks=pytest.mark.slow),
        pytest.param("export", broken_gateway, marks=pytest.mark.slow),
        ("drives", broken_gateway),
        ("files", cut_short),
    ],
)
def test_trouble_that_passes_costs_nothing_but_time(world: World, only: str, fault: Fault) -> None:
    world.drive.fail(2, fault, only=only)
    report = world.sync()
    assert (report.errors, report.documents.failed, report.documents.new) == ({}, 0, DOCUMENTS)


def test_trouble_that_stays_fails_one_object_and_is_made_up_for(world: World) -> None:
    file = world.ids["plan-6"]
    world.drive.fail(3, broken_gateway, only=f"{file}/export")
    report = world.sync()
    assert (report.errors, report.documents.failed, report.documents.new) == ({}, 1, DOCUMENTS - 1)
    [trouble] = [one for one in world.services.catalog.documents.troubled() if one["id"] == f"drive:acme/{file}"]
    assert "HTTP 502" in trouble["reason"]
    world.sync(SyncOptions(mode="documents", documents=(f"drive:acme/{file}",)), world.ids["plans"])
    assert "Plan 6" in world.indexed


def test_a_spent_daily_quota_stops_the_units_which_then_go_on(world: World) -> None:
    world.drive.fail(1, limited("dailyLimitExceeded"), only="export")
    report = world.sync()
    assert "rate limit" in " ".join(report.errors.values())
    assert report.documents.failed == 0


def test_a_refusal_is_about_one_file(world: World) -> None:
    world.drive.fail(1, limited("insufficientFilePermissions"), only=f"{world.ids['loose']}/export")
    report = world.sync()
    assert (report.errors, report.documents.failed, report.documents.new) == ({}, 1, DOCUMENTS - 1)


def test_a_killed_sync_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.drive.walk.FILES_PER_BATCH", 2)
    read = DriveConnector.read

    def read_until_killed(self: DriveConnector, *arguments: Any) -> Iterator[Any]:
        for count, item in enumerate(read(self, *arguments)):
            if count == 7:
                raise KeyboardInterrupt
            yield item

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.ingestion.load_writer.ITEMS_PER_LOAD", 1)
        patched.setattr(DriveConnector, "read", read_until_killed)
        with pytest.raises(KeyboardInterrupt):
            world.sync(SyncOptions(), world.ids["plans"])
    assert world.sync(SyncOptions(), world.ids["plans"]).errors == {}
    asked = world.drive.asked()
    assert asked[f"files/{world.ids['plan-0']}/export"] == 0
    assert asked[f"files/{world.ids['plan-7']}/export"] == 1
    assert {f"Plan {number}" for number in range(8)} <= world.indexed


def test_a_notification_brings_what_changed(world: World) -> None:
    world.sync()
    with closing(DriveConnector(world.connection)) as connector:
        kept = connector.renew_channels({}, datetime(2026, 3, 2, tzinfo=UTC))
    assert set(kept) == {"user", world.ids["team"]}
    world.drive.edit(world.ids["wheel"], "The wheel is new.")
    assert world.notified(world.ids["team"]).errors == {}
    assert "The wheel is new." in world.text("Wheel")
    world.drive.trash(world.ids["loose"])
    world.drive.folder("Brand new")
    board = world.drive.folder("Board", world.ids["plans"], restricted=True)
    world.drive.share(world.ids["plans"], person("bob@acme.test"))
    world.drive.move(world.ids["plan-0"], board)
    world.notified()
    assert "Loose note" not in world.indexed
    assert "user:bob@acme.test" in world.readers("Plan 1")
    assert world.readers("Plan 0") == {"user:ada@acme.test"}


def test_shortcuts_sheets_slides_and_what_cannot_be_read(world: World) -> None:
    plans = world.ids["plans"]
    world.drive.shortcut("To the wheel", world.ids["wheel"], plans)
    world.drive.exported("Drawing", "drawing", {}, plans)
    world.drive.exported(
        "Endless",
        "presentation",
        {"application/vnd.openxmlformats-officedocument.presentationml.presentation": b"x" * 10_000_001},
        plans,
    )
    world.drive.exported(
        "Long", "document", {"text/markdown": b"x" * 10_000_001, "text/html": b"<p>Long story.</p>"}, plans
    )
    world.drive.upload("big.txt", b"x", "text/plain", plans, size="30000000")
    world.drive.upload("void.txt", b"", "text/plain", plans)
    world.drive.upload("kept.txt", b"kept", "text/plain", plans, capabilities={"canDownload": False})
    report = world.sync()
    assert (report.errors, report.documents.failed, report.documents.skipped) == ({}, 0, 1 + 5)
    assert "Long story." in world.text("Long")
    names = {f"drive:acme/{file}": payload["name"] for file, payload in world.drive.files.items()}
    reasons = {names[one["id"]]: one["reason"] for one in world.services.catalog.documents.troubled()}
    assert reasons["To the wheel"] == "shortcut: its target is read where it lies"
    assert "10 MB" in reasons["Endless"]
    assert reasons["big.txt"].startswith("too large")
    assert world.text("void.txt") == "void.txt"
    assert reasons["kept.txt"] == "its owner has disabled download"
    assert reasons["Drawing"].startswith("unsupported type")


def test_no_request_goes_without_naming_its_fields(world: World) -> None:
    world.sync()
    bare = [path for path in world.drive.asked_for if "fields=" not in path]
    assert all("/export?" in path or "alt=media" in path for path in bare)
