"""What people lose in Drive, and how long they find by it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.bench.asking import ADA, PATIENCE, STRANGER, Measured, System
from tests.emulators.drive import TOKEN, WEBHOOK_SECRET, GoogleDrive, error, person

CONNECTION = "files"
SECONDS_SHARED = 20
"""Enough for the worker to learn of it before it ends, on a busy machine too."""


@dataclass
class TeamDrive:
    """A shared drive of Ada's with many files, of which the stranger may read some, each with words of its own."""

    documents: int
    drive: GoogleDrive = field(default_factory=GoogleDrive)
    id: str = field(init=False)
    files: dict[str, str] = field(default_factory=dict)
    permissions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.id = self.drive.shared_drive("Team", person(ADA))
        for number in range(self.documents):
            self.drive.upload(f"Valve {number}", f"The team valve {number} leaks.".encode(), "text/plain", self.id)
        for word in ("unshared", "ending", "untold", "waiting"):
            self.files[word] = self.drive.upload(word, f"The {word} valve leaks.".encode(), "text/plain", self.id)
            self.permissions[word] = self.drive.share(self.files[word], person(STRANGER))

    def unshare(self, word: str) -> None:
        self.drive.unshare(self.files[word], self.permissions[word])

    def tell(self, system: System) -> None:
        """Google notifies of changes in the drive."""
        for headers, body in self.drive.notifications(self.id):
            system.deliver((CONNECTION, headers, body))

    def wait_for_channels(self) -> None:
        """The worker opens them. Raises TimeoutError."""
        started = time.monotonic()
        while not self.drive.notifications(self.id):
            if time.monotonic() - started > PATIENCE:
                raise TimeoutError("the worker opens no channel")
            time.sleep(0.1)


def settings(url: str) -> dict[str, str]:
    told = {"id": CONNECTION, "source": "drive", "token": TOKEN, "base_url": url, "webhook_secret": WEBHOOK_SECRET}
    return told | {"webhook_url": "https://headrace.test/webhooks/files"}


def rows(team: TeamDrive, system: System) -> Iterator[Measured]:
    """What happens, and how long somebody finds by the right that was lost."""
    drive = team.drive

    team.unshare("unshared")
    team.tell(system)
    yield system.measure("file unshared", "unshared valve", STRANGER, rf"/files/{team.files['unshared']}")

    end = datetime.now(UTC) + timedelta(seconds=SECONDS_SHARED)
    drive.share(team.files["ending"], person(STRANGER, expirationTime=end.isoformat()))
    team.tell(system)
    _sleep_until(end - timedelta(seconds=SECONDS_SHARED / 2))
    system.wait_until_found("ending valve", STRANGER)  # and whoever answers has opened what was published
    _sleep_until(end)
    yield system.measure("permission of a file expired", "ending valve", STRANGER)

    drive.fail(10_000, lambda: error(500, "backendError"), only="permissions")
    team.unshare("untold")
    team.tell(system)
    yield system.measure(
        "file unshared, permissions answer 500", "untold valve", STRANGER, rf"/files/{team.files['untold']}"
    )
    drive.faults.clear()

    system.run("pause", CONNECTION)
    team.unshare("waiting")
    team.tell(system)
    yield system.measure(
        "file unshared, connection paused", "waiting valve", STRANGER, rf"/files/{team.files['waiting']}"
    )
    system.run("resume", CONNECTION)

    system.wait_until_found("team valve", ADA)
    drive.leave_drive(team.id)
    for headers, body in drive.notifications():
        system.deliver((CONNECTION, headers, body))
    yield system.measure("shared drive lost", "team valve", ADA, "/drives")


def _sleep_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))
