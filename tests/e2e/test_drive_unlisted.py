"""What Drive's changes feed takes away while its listing is refused: a reconcile counts it, as a sync does."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.conftest import Folder, Ran, embedding_settings
from tests.emulators import drive
from tests.emulators.embeddings import EmbeddingsServer


def test_a_reconcile_without_a_listing_takes_away_what_the_feed_tells(
    folder: Folder, headrace: Callable[..., Ran], embeddings: EmbeddingsServer
) -> None:
    service = drive.GoogleDrive()
    mills = service.folder("Mills")
    service.doc("Wheel", "The wheel turns.", mills)
    burned = service.doc("Burned mill", "The mill burned.", mills)
    with drive.serving(service) as url:
        connection = {"id": "acme", "source": "drive", "token": drive.TOKEN, "base_url": url}
        folder.settings(connections=[connection], embedding=embedding_settings(embeddings))
        assert headrace("sync").code == 0
        service.trash(burned)
        service.refuse("listing", "forbidden")
        headrace("reconcile")
        found = headrace("search", "mill wheel", "--json").json["results"]
    assert [one["title"] for one in found] == ["Wheel"]
