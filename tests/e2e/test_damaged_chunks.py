"""Chunks that were landed and never indexed, in files that are damaged or gone, by the installed command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.damaged_files import cut_short
from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators.embeddings import EmbeddingsServer, refusal
from tests.emulators.github import TOKEN, GitHub, serving

ISSUES = 3


@pytest.mark.parametrize("damage", [cut_short, Path.unlink])
def test_they_are_made_again_by_the_next_sync(
    folder: Folder, embeddings: EmbeddingsServer, damage: Callable[[Path], None]
) -> None:
    github = GitHub(emails={"ada": "ada@acme.test"})
    mill = github.repository("acme/mill", private=False)
    for number in range(ISSUES):
        github.issue(mill, f"Pump {number}", f"The pump {number} of the mill is stuck.")
    with serving(github) as url:
        connection = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url, "include": ["acme/mill"]}
        folder.settings(connections=[connection], embedding=embedding_settings(embeddings))
        embeddings.faults.append(refusal(401))
        assert folder.headrace("sync", "--json").code == 1
        (file,) = (folder.path / ".headrace" / "landing" / "chunks").rglob("*.parquet")
        damage(file)
        done = folder.headrace("sync", "--json")
    assert (done.code, done.json["errors"]) == (0, {}), done.errors
    assert f"{file.parent.name}/{file.name}: its documents are chunked once more" in done.errors
    assert "Traceback" not in done.errors
    found = folder.headrace("search", "pump", "--mode", "lexical", "--json").json["results"]
    assert len([one for one in found if one["kind"] == "issue"]) == ISSUES
    assert folder.headrace("restore", "--dry-run", "--json").json["lost"] == {
        "files": 0,
        "loads": 0,
        "without_points": 0,
        "unknown": 0,
    }
