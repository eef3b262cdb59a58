"""Documents, units and errors that try to command the terminal, in everything that commands print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Failed
from connectors.model import Unit
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.cli.conftest import SETTINGS, Done
from tests.pipelines.documents import document

ESCAPES = "\x1b]52;c;cm0gLXJm\x1b\\ \x1b[2J\x1b[8m \x9b31m \x7f \u202egpj.exe"
"""Sets the clipboard, clears the screen, hides what follows, and turns the direction of writing."""
ID = "github:acme/acme/api/issues/1"


@pytest.fixture(scope="module")
def folder(module_folder: Callable[[str], Path]) -> Path:
    folder = module_folder("terminal")
    (folder / "headrace.yaml").write_text(SETTINGS)
    settings = load_settings(folder / "headrace.yaml", environment={})
    source, unit = MemorySource(), Unit("unit", f"Plant {ESCAPES}")
    hostile = {"title": f"Pump {ESCAPES}", "url": f"https://example.com/{ESCAPES}", "author": ESCAPES}
    source.put(document(1, content=f"The pump {ESCAPES} leaks.", readers=("public",), **hostile))
    source.put(Failed("github:acme/broken", f"Broken {ESCAPES}", f"answered {ESCAPES}"))
    with Services(settings, FakeEmbedder()) as services:
        services.catalog.units.replace_listing("acme", "github", [unit])
        sync_unit(services, settings.connection("acme"), source, unit)
        publish(services)
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "pump"),
        ("explain", ID),
        ("explain", "https://example.com/\x1b[2J"),
        ("status",),
        ("purge", "acme/unit"),
        ("pause", "acme/unit"),
        ("search", "pump", "--user", "\x1b[2Jada"),
    ],
)
def test_nothing_that_is_printed_commands_the_terminal(headrace: Callable[..., Done], arguments: tuple[str]) -> None:
    done = headrace(*arguments)
    printed = done.out + done.err
    assert not {character for character in printed if not character.isprintable()} - {"\n", "\u00a0"}
    assert printed.strip()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("search", "pump"), f"Pump {ESCAPES}"), (("explain", ID), f"Pump {ESCAPES}"), (("status",), f"Plant {ESCAPES}")],
)
def test_json_holds_what_the_source_said(headrace: Callable[..., Done], arguments: tuple[str], said: str) -> None:
    done = headrace(*arguments, "--json")
    assert not {character for character in done.out if not character.isprintable()} - {"\n"}
    assert said in texts(done.json)


def texts(value: Any) -> set[str]:
    """All texts in a JSON value."""
    if isinstance(value, dict | list):
        return set().union(*map(texts, value.values() if isinstance(value, dict) else value))
    return {value} if isinstance(value, str) else set()
