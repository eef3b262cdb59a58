"""What a wrong connector yields becomes its object's failure, and harms nobody else's objects."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.contract import Deleted, Failed, ObjectItem, Skipped
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.ingestion.admission import Admission
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("unused"))
ADMISSION = Admission(CONNECTION, Unit("unit", "Unit"))
OWN = "github:acme/acme/api/issues/1"


@pytest.mark.parametrize(
    ("document_id", "reason"),
    [
        ("github:other/acme/api/issues/1", "must begin with 'github:acme/'"),
        ("slack:acme/C1/days/2026-01-01", "must begin with 'github:acme/'"),
        ("issues/1", "must begin with 'github:acme/'"),
        ("", "must begin with 'github:acme/'"),
        ("github:acme/", "must have a path without control characters"),
        ("github:acme/acme/api/\nissues/1", "must have a path without control characters"),
        ("github:acme/acme/api/\ud800", "must have a path without control characters"),
        (None, "the id is of type NoneType, and must be of type str"),
        (7, "the id is of type int, and must be of type str"),
    ],
)
@pytest.mark.parametrize("kind", ["document", "skipped", "failed", "deleted"])
def test_what_has_no_id_of_the_connection_fails_under_a_safe_one(document_id: Any, reason: str, kind: str) -> None:
    items: dict[str, ObjectItem] = {
        "document": document(id=document_id),
        "skipped": Skipped(document_id, "Title", "empty"),
        "failed": Failed(document_id, "Title", "HTTP 500"),
        "deleted": Deleted(document_id),
    }
    found = ADMISSION.admit(items[kind])
    assert isinstance(found, Failed)
    assert reason in found.error
    assert found.document_id.startswith("github:acme/not-admitted/")
    assert ADMISSION.admit(items[kind]) == found, "the same object has the same row each time"


def test_objects_without_an_id_have_rows_of_their_own() -> None:
    other_unit = Admission(CONNECTION, Unit("other", "Other"))
    refused = [ADMISSION.admit(Deleted("a")), ADMISSION.admit(Deleted("b")), other_unit.admit(Deleted("a"))]
    assert len({item.document_id for item in refused if isinstance(item, Failed)}) == 3


@pytest.mark.parametrize("item", [None, {"id": OWN}, OWN])
def test_an_item_of_another_type_is_a_failure(item: Any) -> None:
    found = ADMISSION.admit(item)
    assert isinstance(found, Failed)
    assert "is not one of the contract's" in found.error


def test_a_wrong_connector_leaves_the_rows_of_others_alone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sync of the right connection, then one whose items name the objects of the first."""
    right, wrong = MemorySource(), MemorySource()
    right.put(document(1))
    stolen = document(1).id
    for item in (Deleted(stolen), document(2, title="Wrong")):
        wrong.objects[item.id if not isinstance(item, Deleted) else "deleted"] = item  # type: ignore[assignment]
    wrong.changed = {key: number for number, key in enumerate(wrong.objects, start=1)}
    sources = {"acme": right, "other": wrong}
    monkeypatch.setattr("pipelines.ingestion.sync.connect", lambda connection: sources[connection.id])
    other = CONNECTION.model_copy(update={"id": "other"})
    with Services(settings.model_copy(update={"connections": (CONNECTION, other)}), FakeEmbedder()) as services:
        assert sync_connection(services, CONNECTION).errors == {}
        before = services.catalog.documents.states([stolen])
        report = sync_connection(services, other)
        rows = list(services.catalog.documents.troubled("other"))
        assert services.catalog.documents.states([stolen]) == before
        assert services.catalog.documents.states([document(2).id]) == {}
    assert report.documents.failed == 2
    assert {row["status"] for row in rows} == {"failed"}
    assert all(row["id"].startswith("github:other/not-admitted/") for row in rows)
    assert all("must begin with 'github:other/'" in row["reason"] for row in rows)
    assert datetime.now(UTC) < min(row["next_attempt"] for row in rows)
