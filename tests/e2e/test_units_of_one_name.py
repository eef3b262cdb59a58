"""Two units of one name: every command that is given it asks for an id, and does nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.notion import TOKEN, Notion, block, serving


@pytest.fixture
def pages(folder: Folder, embeddings: EmbeddingsServer) -> Iterator[list[str]]:
    """The ids of two pages at the top that have one name."""
    notion = Notion()
    ids = [notion.page("Same", block("paragraph", text)) for text in ("One of them.", "The other.")]
    with serving(notion) as url:
        connection = {"id": "no", "source": "notion", "token": TOKEN, "base_url": url, "readers": ["workspace"]}
        folder.settings(connections=[connection], embedding=embedding_settings(embeddings))
        yield ids


def asks_which(folder: Folder, pages: list[str], *command: str) -> None:
    ran = folder.headrace(*command)
    targets = ", ".join(f"no/{one}" for one in sorted(pages))
    said = f"error: no: several units have the name 'Same'; say which by its id: {targets}\n"
    assert (ran.code, ran.errors) == (2, said), command


def test_commands_ask_which_is_meant(folder: Folder, pages: list[str]) -> None:
    assert len(folder.headrace("units", "--json").json["units"]) == 2
    for command in ("pause", "status", "purge"):
        asks_which(folder, pages, command, "no/Same")
    assert folder.headrace("pause", f"no/{pages[1]}").code == 0
    shown = folder.headrace("status", f"no/{pages[1]}", "--json").json["connections"][0]["units"]
    assert [(one["id"], one["paused"]) for one in shown] == [(pages[1], True)]


def test_what_reads_a_unit_asks_which_is_meant(folder: Folder, pages: list[str]) -> None:
    asks_which(folder, pages, "sync", "no/Same")
    asks_which(folder, pages, "reconcile", "no/Same")
    asks_which(folder, pages, "backfill", "no", "--unit", "Same")
