"""What the libraries below would tell their makers about a company's syncs: nothing of it leaves."""

from __future__ import annotations

from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, GitHub, serving
from tests.emulators.posts import Posts


def test_a_sync_tells_the_makers_of_dlt_nothing(folder: Folder, embeddings: EmbeddingsServer) -> None:
    github, makers = GitHub(), Posts()
    github.issue(github.repository("acme/api"), "The pump", "It is stuck.")
    with serving(github) as url:
        connection = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url}
        folder.settings(connections=[connection], embedding=embedding_settings(embeddings))
        ran = folder.headrace("sync", RUNTIME__DLTHUB_TELEMETRY_ENDPOINT=makers.url)
    makers.close()
    assert (ran.code, makers.bodies) == (0, [])
