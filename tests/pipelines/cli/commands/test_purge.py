"""`headrace purge`, `prune`, `status` and `check` as they are called, in a folder of each test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.model import Unit
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.cli.conftest import SETTINGS, Done
from tests.pipelines.documents import document

UNIT = Unit("unit", "Plant")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two documents of a connection that the settings no longer name."""
    file = tmp_path / "headrace.yaml"
    file.write_text(SETTINGS)
    settings = load_settings(file, environment={})
    source = MemorySource()
    for number in (1, 2):
        source.put(document(number))
    with Services(settings, FakeEmbedder()) as services:
        services.catalog.units.replace_listing("acme", "github", [UNIT])
        sync_unit(services, settings.connection("acme"), source, UNIT)
        publish(services)
    file.write_text("connections: []\n")
    return tmp_path


def test_documents_of_unknown_connections_are_named_until_they_are_purged(headrace: Callable[..., Done]) -> None:
    (unknown,) = headrace("status", "--json").json["unknown_connections"]
    assert (unknown["id"], unknown["documents"]) == ("acme", 2)
    assert "`headrace purge acme`" in unknown["detail"]
    assert f"acme: {unknown['detail']}" in headrace("status").out
    assert {"subject": "acme", "ok": True, "detail": unknown["detail"]} in headrace("check", "--json").json["findings"]
    done = headrace("purge", "acme", "--yes", "--json")
    assert done.code == 0
    assert done.json == {
        "points": 2,
        "landed_files": 1,
        "landed_rows": 2,
        "documents": 2,
        "units": 1,
        "vectors": 2,
        "events": 0,
        "memberships": 0,
        "pushed": 0,
    }
    assert headrace("status", "--json").json["unknown_connections"] == []
    assert headrace("purge", "acme", "--yes").code == 2


@pytest.mark.parametrize("target", ["acme", "acme/Plant"])
def test_no_byte_of_a_purged_text_is_left_in_the_state_directory(
    headrace: Callable[..., Done], folder: Path, target: str
) -> None:
    def holding() -> list[str]:
        files = (file for file in (folder / ".headrace").rglob("*") if file.is_file())
        return [str(file) for file in files if b"Text of issue" in file.read_bytes()]

    assert any("/shard/" in one for one in holding())
    assert headrace("purge", target, "--yes").code == 0
    assert holding() == []


def test_nothing_is_purged_that_nobody_has_confirmed(
    headrace: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = headrace("purge", "acme/Plant")
    assert refused.code == 2
    assert "acme/Plant: 2 documents in 1 units would be removed for good; add --yes" in refused.err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda question, **_: "acme/Plant: 2 documents" in question)
    assert "2  removed: points" in headrace("purge", "acme/Plant").out


def test_pruning_counts_or_removes(headrace: Callable[..., Done], folder: Path) -> None:
    with Services(load_settings(folder / "headrace.yaml", environment={}), FakeEmbedder()) as services:
        services.catalog.rights.remove_unit("acme", "unit")
    removed = ("landed_files", "landed_rows", "vectors", "events", "bodies", "titles", "pushed")
    none = dict.fromkeys((*removed, "united", "united_into", "busy"), 0)
    assert headrace("prune", "--json").json == none, "30 days are not over"
    (folder / "headrace.yaml").write_text("retention: {deleted_text_days: 0}\n")
    due = none | {"landed_files": 1, "landed_rows": 2, "vectors": 2, "titles": 2}
    assert headrace("prune", "--dry-run", "--json").json == due
    assert headrace("prune", "--json").json == due
    assert headrace("prune", "--json").json == none
    assert "0  would be removed: landed rows" in headrace("prune", "--dry-run").out
