"""A Drive that people search: the emulator, what was read of it, and the application over that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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
from tests.emulators.drive import TOKEN, Fault, GoogleDrive, error, serving
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.service.serving import app_of

KEY = "people-key"
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

    def pause(self, unit: str = "", *, paused: bool = True) -> None:
        """Pause or resume a unit, or the connection as a whole."""
        if unit:
            self.services.catalog.units.pause(self.connection.id, unit, paused)
        else:
            self.services.catalog.connections.pause(self.connection.id, paused)

    def found(self, person: str, query: str = "zebra") -> set[str]:
        """Titles of what a person finds."""
        asked = {"query": query, "user": person, "mode": "lexical", "top_k": 50}
        answer = self.client.post("/v1/search", json=asked, headers={"Authorization": f"Bearer {KEY}"})
        return {one["title"] for one in answer.json()["results"]}


@contextmanager
def asking(settings: Settings) -> Iterator[Asked]:
    drive, embedder = GoogleDrive(), FakeEmbedder()
    with stamina.set_testing(True, attempts=2), serving(drive) as url:
        connection = DriveConnection.model_validate({"id": "dr", "source": "drive", "token": TOKEN, "base_url": url})
        assistant = AssistantSettings(id="people", api_key=SecretStr(KEY))
        used = settings.model_copy(update={"connections": (connection,), "assistants": (assistant,)})
        with Services(used, embedder) as services:
            yield Asked(drive, services, connection, embedder, TestClient(app_of(services)))
