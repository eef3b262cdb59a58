"""Drive from its API over HTTP to the embedded index: what changes there changes here, and costs no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from connectors import connect
from connectors.connection import DriveConnection
from connectors.drive.source import DriveConnector
from connectors.events import receive
from pipelines.options import SyncOptions
from pipelines.report import SyncReport
from pipelines.settings import Settings
from pipelines.sync import sync_connection
from pipelines.workspace import Workspace
from tests.emulators.drive import (
    ME,
    TOKEN,
    WEBHOOK_SECRET,
    GoogleDrive,
    anyone,
    broken_gateway,
    cut_short,
    domain,
    group,
    limited,
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
    workspace: Workspace
    connection: DriveConnection
    embedder: FakeEmbedder
    ids: dict[str, str] = field(default_factory=dict)

    def sync(self, options: SyncOptions = SyncOptions(), *units: str) -> SyncReport:  # noqa: B008
        self.drive.forget()
        return sync_connection(self.workspace, self.connection, units, options)

    def notified(self, drive: str | None = None) -> SyncReport:
        """What the worker does with the notifications of the channels of one feed."""
        report = SyncReport()
        for delivery in self.drive.notifications(drive):
            changes = receive(self.connection, *delivery, now=0.0).changes
            units = {change.unit for change in changes if change.unit}
            report.add(self.sync(SyncOptions(), *units))
        return report

    @property
    def points(self) -> dict[str, dict[str, Any]]:
        with self.workspace.store() as store:
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
        return [one["title"] if isinstance(one, dict) else one for one in self.payload(title)["parents"]]

    def text(self, title: str) -> str:
        found = [payload for payload in self.points.values() if payload["title"] == title]
        return "\n".join(payload["text"] for payload in sorted(found, key=lambda payload: payload["position"]))


@pytest.fixture(autouse=True)
def waits_pass_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    fake = SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append)
    monkeypatch.setattr("connectors.limits.time", fake)


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
        with Workspace(settings.model_copy(update={"connections": (connection,)}), embedder) as workspace:
            yield World(drive, workspace, connection, embedder, ids)
    assert drive.strayed == []


DOCUMENTS = 8 + 1 + 1 + 1 + 2


def test_first_sync_and_no_change(world: World) -> None:
    first = world.sync()
    assert (first.errors, first.documents.new, first.documents.skipped) == ({}, DOCUMENTS, 1)
    assert world.indexed >= {"Plan 0", "Loose note", "power.csv", "Shared with me", "Wheel", "Axle"}
    assert world.readers("Plan 0") == {"user:ada@acme.test"}
    assert world.readers("Wheel") == {f"user:{ME}", "group:acme:team@acme.test"}
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


@pytest.mark.parametrize("options", [SyncOptions(), RECONCILE])
def test_what_is_edited_or_new_is_found_by_the_next_sync(world: World, options: SyncOptions) -> None:
    world.sync()
    for change, title, expected in EDITS:
        if options == RECONCILE and "comment" in change.__code__.co_names:
            continue  # no listing shows comments
        change(world)
        report = world.sync(options)
        assert (expected, report.errors, report.documents.read) == (expected, {}, 1)
        assert expected in world.text(title)
        assert report.embedding.inputs <= 2


DELETIONS: list[tuple[Change, str]] = [
    (lambda w: w.drive.delete(w.ids["plan-1"]), "Plan 1"),
    (lambda w: w.drive.trash(w.ids["plan-2"]), "Plan 2"),
    (lambda w: w.drive.unshare(w.ids["shared"], next(iter(w.drive.permissions[w.ids["shared"]]))), "Shared with me"),
    (lambda w: w.drive.delete(w.ids["axle"]), "Axle"),
]


@pytest.mark.parametrize("options", [SyncOptions(), RECONCILE])
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


MOVES: list[tuple[Change, str, list[str]]] = [
    (lambda w: w.drive.rename(w.ids["plans"], "Schemes"), "Plan 0", ["My Drive", "Schemes", "Spring"]),
    (lambda w: w.drive.rename(w.ids["inner"], "May"), "Plan 0", ["My Drive", "Schemes", "May"]),
    (lambda w: w.drive.move(w.ids["inner"], w.ids["attic"]), "Plan 0", ["My Drive", "Schemes", "Attic", "May"]),
    (lambda w: w.drive.move(w.ids["plan-0"], w.ids["plans"]), "Plan 0", ["My Drive", "Schemes"]),
    (lambda w: w.drive.move(w.ids["plan-0"], w.ids["wheels"]), "Plan 0", ["Team", "Wheels"]),
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


def test_a_renamed_file_shows_its_name(world: World) -> None:
    world.sync()
    world.drive.rename(world.ids["plan-5"], "Plan V")
    report = world.sync()
    assert (report.documents.changed, report.embedding.inputs) == (1, 1)
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
    (lambda w: w.drive.share(w.ids["loose"], anyone(discoverable=True)), "Loose note", {"user:ada@acme.test", "public"}),
    (
        lambda w: w.drive.share(w.ids["wheels"], person("eve@acme.test")),
        "Wheel",
        {f"user:{ME}", "group:acme:team@acme.test", "user:eve@acme.test"},
    ),
    (
        lambda w: w.drive.share(w.ids["team"], person("tom@acme.test")),
        "Axle",
        {f"user:{ME}", "group:acme:team@acme.test", "user:tom@acme.test"},
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
    world.sync()
    sent = world.embedder.requests
    world.drive.move(world.ids["axle"], board)
    world.sync()
    assert world.readers("Axle") == {f"user:{ME}"}
    assert world.embedder.requests == sent
