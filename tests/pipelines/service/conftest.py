"""Four documents with the rights of three people, indexed and published, and the service over them.

A module's tests share them, and put back what they change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from connectors.contract import Account, Membership
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from connectors.registry import sources
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.service_settings import AssistantScope, MetricsSettings
from pipelines.services import Services
from pipelines.settings import AssistantSettings, Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document
from tests.pipelines.service.serving import app_of, served

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
METRICS_KEY = "a-key-for-prometheus-alone"
ADA, BO = "ada@example.com", "bo@example.com"
ACCOUNTS = (
    Account("ada", "Ada L.", emails=("lovelace@example.com",)),
    Account("eve", "Eve", emails=("eve@example.com",)),
)
"""Ada has written all; documents know her by her login. Eve has written nothing."""
READERS = {1: ("public",), 2: (f"user:{ADA}",), 3: ("group:acme:team",), 4: ()}
SEES = {ADA: {1, 2}, BO: {1, 3}, "stranger@example.com": {1}}
HOSTILE = {"title": "<img src=x onerror=\"document.title='broken'\">", "url": "javascript:alert(1)"}
"""What document 3 tries on whoever shows it."""
UNKNOWN_SOURCE = f"unknown source 'sharepoint' (installed: {', '.join(sources())})"
"""What every interface says of a filter by a source that is not installed."""
ASSISTANTS = (
    AssistantSettings(id="people", api_key=SecretStr("people-key")),
    AssistantSettings(id="robot", api_key=SecretStr("robot-key"), identity="service", readers=("group:acme:team",)),
    AssistantSettings(id="narrow", api_key=SecretStr("narrow-key"), scope=AssistantScope(sources=("slack",))),
    AssistantSettings(id="unset", api_key=SecretStr("")),
)


@pytest.fixture(scope="module")
def whole_layout() -> bool:
    return True


@pytest.fixture(scope="module")
def services(module_folder: Callable[[str], Path]) -> Iterator[Services]:
    directory, embedder = module_folder("service"), FakeEmbedder()
    figures = MetricsSettings(key=SecretStr(METRICS_KEY))
    settings = Settings(directory=directory, metrics=figures).model_copy(
        update={"assistants": ASSISTANTS, "connections": (CONNECTION,)}
    )
    with Services(settings, embedder) as opened:
        opened.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [Unit("unit", "Unit")])
        source = MemorySource()
        for number, readers in READERS.items():
            text = f"The certificate number {number} has expired."
            hostile = HOSTILE if number == 3 else {}
            source.put(document(number, content=text, readers=readers, tags=(f"tag{number}",), **hostile))
        sync_unit(opened, CONNECTION, source, Unit("unit", "Unit"))
        opened.catalog.memberships.replace("acme", [Membership("team", BO)])
        opened.catalog.accounts.replace("acme", ACCOUNTS)
        publish(opened)
        yield opened


@pytest.fixture(scope="module")
def client(services: Services) -> Iterator[TestClient]:
    with TestClient(app_of(services), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def url(services: Services) -> Iterator[str]:
    with served(app_of(services)) as address:
        yield address


@pytest.fixture
def failing(services: Services, monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Makes every question to the embedder raise this error."""

    def fail(error: Exception) -> None:
        def raises(*_: object, **__: object) -> NoReturn:
            raise error

        monkeypatch.setattr(services.embedder, "embed", raises)

    return fail
