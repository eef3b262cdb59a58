"""A company's sources as people search them: what was read, its events, and the application over that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import stamina
from fastapi.testclient import TestClient
from pydantic import SecretStr

from connectors.settings import Connection
from pipelines.events.connector_pool import ConnectorPool
from pipelines.events.rights_lane import RightsLane
from pipelines.events.worker import Worker
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.publish import publish
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import AssistantSettings, Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.events.conftest import Reports
from tests.pipelines.service.serving import app_of

KEY = "people-key"
ADA, BOB = "ada@acme.test", "bob@acme.test"

Delivery = tuple[dict[str, str], bytes]


@dataclass
class Office:
    """One connection that is synced, the lane of rights, a worker, and the application."""

    services: Services
    connection: Connection
    client: TestClient
    lane: RightsLane
    worker: Worker

    def sync(self, options: SyncOptions | None = None) -> dict[str, str]:
        """Returns what went wrong."""
        errors = sync_connection(self.services, self.connection, options=options or SyncOptions()).errors
        publish(self.services)
        return errors

    def deliver(self, *deliveries: Delivery) -> None:
        """Deliver webhooks, and let the lane of rights look at them."""
        for headers, body in deliveries:
            answer = self.client.post(f"/webhooks/{self.connection.id}", content=body, headers=headers)
            assert answer.status_code in (200, 202), answer.text
        self.lane.run_pass()

    def pause(self, unit: str = "") -> None:
        if unit:
            self.services.catalog.units.pause(self.connection.id, unit, True)
        else:
            self.services.catalog.connections.pause(self.connection.id, True)

    def results(self, query: str, person: str) -> list[dict[str, Any]]:
        asked = {"query": query, "user": person, "mode": "lexical", "top_k": 50}
        answer = self.client.post("/v1/search", json=asked, headers={"Authorization": f"Bearer {KEY}"})
        found: list[dict[str, Any]] = answer.json()["results"]
        return found

    def found(self, query: str, person: str) -> set[str]:
        """Titles of what a person finds."""
        return {one["title"] for one in self.results(query, person)}


@contextmanager
def office(settings: Settings, connection: Connection) -> Iterator[Office]:
    """Over a folder that an earlier one may have left."""
    assistant = AssistantSettings(id="people", api_key=SecretStr(KEY))
    used = settings.model_copy(update={"connections": (connection,), "assistants": (assistant,)})
    with (
        stamina.set_testing(True, attempts=2),
        Services(used, FakeEmbedder()) as services,
        closing(ConnectorPool()) as of_lane,
        closing(ConnectorPool()) as of_worker,
    ):
        lane, worker = RightsLane(services, of_lane), Worker(services, of_worker, Reports())
        yield Office(services, connection, TestClient(app_of(services)), lane, worker)
