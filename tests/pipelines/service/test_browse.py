"""What is in units over MCP, where their source tells of a container above all of them and of none of their titles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.drive.settings import DriveConnection
from connectors.model import Document, Parent, Unit
from tests.pipelines.service.indexed import indexed, of
from tests.pipelines.service.serving import app_of, served
from tests.pipelines.service.test_agent_tasks import Agent
from tests.pipelines.service.test_mcp import connected

DRIVE = DriveConnection(id="acme", source="drive", token=SecretStr("t"))
UNITS = [Unit(f"0A{name}", name, f"https://drive.google.com/drive/folders/0A{name}") for name in ("Legal", "Training")]
TOP = Parent("drive:acme/root", "My Drive")
DOCUMENTS = {unit.name: f"drive:acme/{unit.name.lower()}" for unit in UNITS}


@pytest.fixture(scope="module")
def url(module_folder: Callable[[str], Path]) -> Iterator[str]:
    with (
        indexed(module_folder("browse"), [(DRIVE, unit, [about(unit)]) for unit in UNITS]) as services,
        served(app_of(services)) as address,
    ):
        yield address


def about(unit: Unit) -> Document:
    above = (TOP, Parent(f"drive:acme/{unit.id}", unit.name))
    return of(DRIVE, unit, DOCUMENTS[unit.name], f"About {unit.name}", unit.url, "Text.", parents=above)


def browse(url: str, container: str) -> Any:
    async def asked() -> Any:
        async with connected(url, person="ada@example.com") as client:
            return await Agent(client).call("browse", container=container)

    return asyncio.run(asked())


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
@pytest.mark.parametrize("called", ["name", "id", "url"])
def test_a_unit_shows_what_is_in_it(url: str, unit: Unit, called: str) -> None:
    found = browse(url, str(getattr(unit, called)))
    assert (found["id"], found["path"]) == (f"drive:acme/{unit.id}", [TOP.title, unit.name])
    assert [(one["id"], one["title"]) for one in found["children"]] == [(DOCUMENTS[unit.name], f"About {unit.name}")]


def test_what_is_above_the_units_shows_them_by_their_names(url: str) -> None:
    found = browse(url, TOP.id)
    assert [(one["title"], one["documents"]) for one in found["children"]] == [("Legal", 1), ("Training", 1)]
