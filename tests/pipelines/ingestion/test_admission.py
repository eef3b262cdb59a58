"""What a wrong connector yields becomes its object's failure, and harms nobody else's objects."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.contract import Deleted, Failed, Skipped
from connectors.github.settings import GitHubConnection
from connectors.model import Parent, Unit
from pipelines.ingestion.admission import Admission, ObjectItem
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
    "item",
    [
        document(),
        document(created_at=None, updated_at=None),
        document(updated_at=datetime(2026, 1, 3, tzinfo=timezone(timedelta(hours=2)))),
        document(content=b"\x00", tags=(), parents=()),
        document(id="github:acme/acme/api/blob/minutes of\u202fMay\u3000.md"),
        Skipped(OWN, "Title", "too large"),
        Failed(OWN, "Title", "HTTP 500"),
        Failed(OWN, "Title", "HTTP 500", readers=("public",)),
        Deleted(OWN),
    ],
)
def test_what_fits_is_admitted_as_it_is(item: ObjectItem) -> None:
    assert ADMISSION.admit(item) is item


HALF = "half \ud83d of a character"


@pytest.mark.parametrize(
    ("item", "field"),
    [
        *((document(**{name: HALF}), name) for name in ("title", "url", "author", "kind")),
        (document(tags=("a", HALF)), "tags"),
        (document(parents=(Parent("github:acme/api", HALF),)), "parents"),
        (Skipped(OWN, HALF, "too large"), "title"),
        (Failed(OWN, "Title", HALF), "error"),
    ],
)
def test_half_a_character_is_mended(item: ObjectItem, field: str) -> None:
    """JSON can spell one, and no encoding can hold it: it would stop the load of a whole unit."""
    admitted = ADMISSION.admit(item)
    assert type(admitted) is type(item)
    assert "half ? of a character" in repr(getattr(admitted, field))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"parents": (Parent(None, None),)}, "ids and titles of parents must be str"),  # type: ignore[arg-type]
        ({"readers": (HALF,)}, "readers must be texts that UTF-8 can hold"),
    ],
)
def test_what_later_stages_cannot_take_is_refused(changes: dict[str, Any], reason: str) -> None:
    refused = ADMISSION.admit(document(**changes))
    assert isinstance(refused, Failed)
    assert reason in refused.error


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"source": "slack"}, "source is 'slack', and must be 'github'"),
        ({"connection": "other"}, "connection is 'other', and must be 'acme'"),
        ({"unit": "other"}, "unit is 'other', and must be 'unit'"),
        ({"source": "slack", "unit": ""}, "source is 'slack', and must be 'github'; unit is '', and must be 'unit'"),
        ({"created_at": datetime(2026, 1, 2)}, "created_at is 2026-01-02T00:00:00, and must have a time zone"),
        ({"updated_at": datetime(2026, 1, 2)}, "updated_at is 2026-01-02T00:00:00, and must have a time zone"),
        ({"updated_at": "2026-01-02T00:00:00Z"}, "updated_at is of type str, and must be a datetime"),
        ({"updated_at": date(2026, 1, 2)}, "updated_at is of type date, and must be a datetime"),
        ({"content": None}, "content is of type NoneType, and must be str or bytes"),
        ({"title": None}, "title is of type NoneType, and must be a str"),
        ({"url": 1}, "url is of type int, and must be a str"),
        ({"fingerprint": 1}, "fingerprint is of type int, and must be a str"),
        ({"readers": "public"}, "tags and readers must be tuples of str"),
        ({"tags": ("bug", 1)}, "tags and readers must be tuples of str"),
        ({"parents": (("id", "title"),)}, "parents must be a tuple of Parent"),
        ({"parents": [Parent("github:acme/acme", "acme")]}, "parents must be a tuple of Parent"),
    ],
)
def test_a_document_that_does_not_fit_fails_under_its_own_id(changes: dict[str, Any], reason: str) -> None:
    wrong = document(**changes)
    found = ADMISSION.admit(wrong)
    assert isinstance(found, Failed)
    assert found.document_id == OWN
    assert found.error == f"not admitted: {reason}"
    assert found.title == (wrong.title or "")


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
        (None, "the id is of type NoneType, and must be a str"),
        (7, "the id is of type int, and must be a str"),
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
    assert "is none of the contract's" in found.error


@pytest.mark.parametrize("item", [Skipped(OWN, "Title", None), Failed(OWN, None, "HTTP 500")])  # type: ignore[arg-type]
def test_words_are_text(item: ObjectItem) -> None:
    found = ADMISSION.admit(item)
    assert isinstance(found, Failed)
    assert found.document_id == OWN
    assert "must be a str" in found.error


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
        rows = list(services.catalog.documents.failed_or_skipped("other"))
        assert services.catalog.documents.states([stolen]) == before
        assert services.catalog.documents.states([document(2).id]) == {}
    assert report.documents.failed == 2
    assert {row["status"] for row in rows} == {"failed"}
    assert all(row["id"].startswith("github:other/not-admitted/") for row in rows)
    assert all("must begin with 'github:other/'" in row["reason"] for row in rows)
    assert datetime.now(UTC) < min(row["next_attempt"] for row in rows)
