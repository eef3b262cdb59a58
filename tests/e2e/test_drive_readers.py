"""Who finds a file of Drive: nobody where Google does not tell it, and again as soon as it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stamina
from fastapi.testclient import TestClient
from pydantic import SecretStr
from starlette.responses import JSONResponse

from connectors.drive.settings import DriveConnection
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.publish import publish
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import AssistantSettings, Settings
from tests.emulators.drive import ME, TOKEN, Fault, GoogleDrive, domain, error, group, person, serving
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.service.serving import app_of

KEY = "people-key"
RECONCILE = SyncOptions(mode="reconcile")
BOB, TOM, OUT = "bob@acme.test", "tom@acme.test", "out@other.test"

UNREADABLE: dict[str, Fault] = {
    "500": lambda: error(500, "backendError"),
    "403": lambda: error(403, "insufficientFilePermissions"),
    "404": lambda: error(404, "notFound"),
    "429": lambda: error(429, "rateLimitExceeded", headers={"retry-after": "0"}),
    "200 with nobody": lambda: JSONResponse({}),
}


@dataclass
class Asked:
    """A Drive that is synced, and the application over what was read of it."""

    drive: GoogleDrive
    services: Services
    connection: DriveConnection
    embedder: FakeEmbedder
    client: TestClient

    def sync(self, options: SyncOptions = SyncOptions()) -> SyncReport:  # noqa: B008
        report = sync_connection(self.services, self.connection, (), options)
        publish(self.services)
        return report

    def found(self, person: str, query: str = "zebra") -> set[str]:
        """Titles of what a person finds."""
        asked = {"query": query, "user": person, "mode": "lexical", "top_k": 50}
        answer = self.client.post("/v1/search", json=asked, headers={"Authorization": f"Bearer {KEY}"})
        return {one["title"] for one in answer.json()["results"]}


@pytest.fixture
def asked(settings: Settings) -> Iterator[Asked]:
    drive, embedder = GoogleDrive(), FakeEmbedder()
    with stamina.set_testing(True, attempts=2), serving(drive) as url:
        connection = DriveConnection.model_validate({"id": "dr", "source": "drive", "token": TOKEN, "base_url": url})
        assistant = AssistantSettings(id="people", api_key=SecretStr(KEY))
        used = settings.model_copy(update={"connections": (connection,), "assistants": (assistant,)})
        with Services(used, embedder) as services:
            yield Asked(drive, services, connection, embedder, TestClient(app_of(services)))


@pytest.mark.parametrize("fault", UNREADABLE.values(), ids=UNREADABLE)
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
        ({}, {BOB, OUT, TOM}),
        ({"driveMembersOnly": True}, {BOB, OUT}),
        ({"domainUsersOnly": True}, {BOB, TOM}),
        ({"driveMembersOnly": True, "domainUsersOnly": True}, {BOB}),
        ({"copyRequiresWriterPermission": True, "adminManagedRestrictions": True}, {BOB, OUT, TOM}),
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


def test_a_group_of_the_drive_is_a_member(asked: Asked) -> None:
    team = asked.drive.shared_drive("Team", group("team@acme.test"))
    asked.drive.doc("Zebra", "A zebra.", team)
    asked.drive.restrict_drive(team, driveMembersOnly=True, domainUsersOnly=True)
    asked.sync()
    with asked.services.store() as store:
        readers = {token for _, payload in store.scan() for token in payload["readers"]}
    assert readers == {f"user:{ME}", "group:dr:team@acme.test"}
