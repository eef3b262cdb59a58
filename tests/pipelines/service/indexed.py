"""Services over documents of a few units that were synced and published, for one assistant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import SecretStr

from connectors.model import Document, Parent, Unit
from connectors.settings import Connection
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import AssistantSettings, Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

UnitContent: TypeAlias = tuple[Connection, Unit, Iterable[Document]]
PEOPLE = AssistantSettings(id="people", api_key=SecretStr("people-key"))


def of(connection: Connection, unit: Unit, id: str, title: str, url: str, content: str, **more: Any) -> Document:
    own = {"source": connection.source, "connection": connection.id, "unit": unit.id, "kind": "page"}
    above = (Parent(f"{connection.source}:{connection.id}/{unit.id}", unit.name),)
    return document(0, id=id, title=title, url=url, content=content, **own | {"parents": above} | more)


@contextmanager
def indexed(
    directory: Path, contents: Sequence[UnitContent], assistant: AssistantSettings = PEOPLE
) -> Iterator[Services]:
    units: dict[str, list[Unit]] = {}
    for connection, unit, _ in contents:
        units.setdefault(connection.id, []).append(unit)
    connections = tuple({connection.id: connection for connection, _, _ in contents}.values())
    settings = Settings(directory=directory, assistants=(assistant,), connections=connections)
    with Services(settings, FakeEmbedder()) as services:
        for connection in connections:
            services.catalog.units.replace_listing(connection.id, connection.source, units[connection.id])
        for connection, unit, documents in contents:
            source = MemorySource(listed=units[connection.id])
            for one in documents:
                source.put(one)
            sync_unit(services, connection, source, unit)
        publish(services)
        yield services
