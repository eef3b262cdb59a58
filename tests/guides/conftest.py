"""The emulated Slack with all that a read asks for; and a server that was started, over a document of Ada's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from connectors.contract import Membership
from connectors.model import Unit
from pipelines.catalog.assistants import StoredAssistant, new_key
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.e2e.conftest import Folder, embedding_settings
from tests.e2e.test_interfaces import serving
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.memory_source import MemorySource
from tests.emulators.slack import DAY, START, Slack
from tests.pipelines.documents import document

PERSON = "ada@acme.com"
"""Whom the guides name."""
FOUND = "https://example.com/gateway"
KEY = "a-key-of-the-bot-that-names-people"
CONNECTION = {"id": "acme", "source": "github", "token": "ghp_of-nobody"}


@dataclass(frozen=True)
class Answering:
    """Where the server is; the key of an assistant that names people, and the one of the person alone."""

    url: str
    key: str
    own_key: str


@pytest.fixture
def slack() -> Slack:
    workspace = Slack(cursors=False, bot_id="B1")
    workspace.bots["B1"] = {"id": "B1", "name": "headrace"}
    workspace.channel("C1", "general")
    workspace.channel("C2", "board", private=True)
    workspace.channel("G1", "mpdm-ada--bo-1", private=True, is_mpim=True)
    workspace.person("U1", "ada")
    workspace.person("U2", "bo")
    workspace.members = {"C2": ["U1"], "G1": ["U1", "U2"]}
    root = workspace.say("C1", "who broke it?", at=START + DAY)
    workspace.say("C1", "me", thread=root, user="U2")
    workspace.share("C1", "F1", b"twelve spokes")
    return workspace


@pytest.fixture(scope="session")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answering]:
    folder = Folder(tmp_path_factory.mktemp("answering"))
    with EmbeddingsServer(dimensions=64) as embeddings:
        assistants = [{"id": "my-bot", "api_key": KEY}]
        folder.settings(connections=[CONNECTION], embedding=embedding_settings(embeddings), assistants=assistants)
        own_key = _fill(folder)
        with serving(folder) as url:
            yield Answering(url, KEY, own_key)


def _fill(folder: Folder) -> str:
    """With a document that Ada may read, and one that nobody may. Returns a key of hers alone."""
    settings = load_settings(folder.path / "headrace.yaml", environment={})
    source = MemorySource()
    lost = "The gateway lost readings because its certificate had expired."
    source.put(document(1, content=lost, url=FOUND, title="Readings that were lost", readers=("group:acme:team",)))
    source.put(document(2, content=lost, url="https://example.com/secret", readers=()))
    with Services(settings) as services:
        services.catalog.units.replace_listing("acme", "github", [Unit("unit", "acme/gateway")])
        sync_unit(services, settings.connection("acme"), source, Unit("unit", "acme/gateway"))
        services.catalog.memberships.replace("acme", [Membership("team", PERSON)])
        publish(services)
        ada = StoredAssistant("ada", "person", (), (), (), datetime.now(UTC), person=PERSON)
        services.catalog.assistants.add(ada, own_key := new_key())
    return own_key
