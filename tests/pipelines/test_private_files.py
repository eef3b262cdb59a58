"""What Headrace keeps, kept from other accounts by whatever process opens it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.model import Unit
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.private_files import keep_private
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

SETTINGS = "connections: [{id: acme, source: github, token: t}]\n"


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(directory: Path) -> dict[str, str]:
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in (directory, *directory.rglob("*"))}
    return {str(path): oct(mode) for path, mode in modes.items() if mode & 0o077 and not path.is_symlink()}


def test_a_whole_sync_leaves_nothing_that_others_can_read(tmp_path: Path) -> None:
    (tmp_path / "headrace.yaml").write_text(SETTINGS)
    settings = load_settings(tmp_path / "headrace.yaml", environment={})
    source, unit = MemorySource(), Unit("unit", "Unit")
    source.put(document(1))
    with Services(settings, FakeEmbedder()) as services:
        services.catalog.units.replace_listing("acme", "github", [unit])
        sync_unit(services, settings.connection("acme"), source, unit)
        publish(services)
        assert services.reader.info().points == 1
        state = {path.name for path in settings.state_path.iterdir()}
        assert {"catalog.db", "catalog.db-wal", "catalog.db-shm", "landing", "index"} <= state
        assert open_to_others(settings.state_path) == {}


def test_what_an_earlier_release_left_open_is_shut(tmp_path: Path) -> None:
    state, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    (state / "landing").mkdir(parents=True)
    (state / "landing/part.parquet").write_text("documents")
    (state / "run").write_text("#!/bin/sh")
    (state / "run").chmod(0o755)
    elsewhere.write_text("of somebody else")
    (state / "link").symlink_to(elsewhere)
    keep_private(state)
    assert open_to_others(state) == {}
    assert stat.S_IMODE((state / "run").stat().st_mode) == 0o700
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o644


def test_what_is_made_afterwards_is_private_too(tmp_path: Path) -> None:
    keep_private(tmp_path / "not-there-yet")
    (tmp_path / "not-there-yet/index").mkdir(parents=True)
    assert open_to_others(tmp_path / "not-there-yet") == {}
