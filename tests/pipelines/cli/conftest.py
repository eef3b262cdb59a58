"""A folder with settings and a published index, and the command line in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Failed, Membership
from connectors.model import Unit
from pipelines.cli import main
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

SETTINGS = "connections: [{id: acme, source: github, token: t}]\n"
TURBINE_URL = "https://example.com/2"
BO = "bo@example.com"


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


@pytest.fixture(scope="module")
def folder(module_folder: Callable[[str], Path]) -> Path:
    folder = module_folder("command-line")
    (folder / "headrace.yaml").write_text(SETTINGS)
    settings = load_settings(folder / "headrace.yaml", environment={})
    source = MemorySource()
    source.put(document(1, content="The penstock valve leaks.", readers=("group:acme:unit",)))
    source.put(document(2, content="The [turbine] hums.", readers=("public",), title="[b]Turbine", url=TURBINE_URL))
    source.put(Failed("github:acme/broken", "Broken", "answered 500"))
    with Services(settings, FakeEmbedder()) as services:
        services.catalog.units.replace_listing("acme", "github", [Unit("unit", "Plant")])
        sync_unit(services, settings.connection("acme"), source, Unit("unit", "Plant"))
        services.catalog.memberships.replace("acme", [Membership("unit", BO)])
        publish(services)
    return folder


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def headrace(
    folder: Path, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Runs `headrace …` in the folder."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("pipelines.embedding.open_embedder", lambda _: embedder)
    monkeypatch.setattr("pipelines.logs.to_standard_error", lambda *_: None)

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["headrace", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err)

    return run
