"""Files that are pictures, through three sources and an API that reads them, to the search for their words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators import drive as drive_emulator
from tests.emulators import notion as notion_emulator
from tests.emulators import slack as slack_emulator
from tests.emulators import unstructured_api
from tests.emulators.drive import GoogleDrive
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.notion import Notion, file_block
from tests.emulators.slack import Slack
from tests.emulators.unstructured_api import UnstructuredServer

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0"
READ = {
    "drive": ("weirplan.png", PNG + b"says:garnetdrive"),
    "slack": ("weirboard.jpg", JPEG + b"says:garnetslack"),
    "notion": ("weirsketch.png", PNG + b"says:garnetnotion"),
}
"""One picture of each source."""
SILENT, REFUSED = PNG + b"without words", PNG + b"refused"


@pytest.fixture
def api() -> UnstructuredServer:
    return UnstructuredServer(refuses=lambda content: content == REFUSED)


@pytest.fixture
def settings(api: UnstructuredServer, embeddings: EmbeddingsServer) -> Iterator[dict[str, Any]]:
    drive, slack, notion = GoogleDrive(), Slack(), Notion()
    drive.upload(*READ["drive"], "image/png")
    drive.upload("weirphoto.png", SILENT, "image/png")
    drive.upload("weirnoise.png", REFUSED, "image/png")
    slack.channel("C1", "general")
    slack.person("U1", "ada")
    name, data = READ["slack"]
    slack.share("C1", "F1", data, name=name, title=name, mimetype="image/jpeg", filetype="jpg")
    notion.page("Home", file_block("image", notion.upload(*READ["notion"])))
    with ExitStack() as stack:
        on_loopback = stack.enter_context
        connections = [
            {
                "id": "docs",
                "source": "drive",
                "token": drive_emulator.TOKEN,
                "base_url": on_loopback(drive_emulator.serving(drive)),
            },
            {
                "id": "talk",
                "source": "slack",
                "token": slack_emulator.TOKEN,
                "base_url": on_loopback(slack_emulator.serving(slack)),
            },
            {
                "id": "wiki",
                "source": "notion",
                "token": notion_emulator.TOKEN,
                "base_url": on_loopback(notion_emulator.serving(notion)),
                "readers": ["workspace"],
            },
        ]
        url = on_loopback(unstructured_api.serving(api))
        yield {
            "connections": connections,
            "embedding": embedding_settings(embeddings),
            "partition": {"provider": "unstructured", "url": url},
        }


def test_words_in_pictures_are_found_once_there_is_an_api_that_reads_them(
    folder: Folder, settings: dict[str, Any], api: UnstructuredServer
) -> None:
    folder.settings(**{name: value for name, value in settings.items() if name != "partition"})
    before = folder.headrace("sync", "--json")
    assert (before.json["documents"]["skipped"], before.json["documents"]["failed"]) == (5, 0), before.errors

    folder.settings(**settings)
    after = folder.headrace("sync", "--full", "--json")
    assert after.json["scans"] == {"requests": 5, "pages": 4, "cached": 0}, after.errors
    assert sorted(one.size for one in api.sent) == sorted(
        [*(len(data) for _, data in READ.values()), len(SILENT), len(REFUSED)]
    )
    # What gives no words is not found by its name either.
    words = [f"garnet{source}" for source in READ] + ["weirphoto", "weirnoise"]
    results = folder.headrace("search", " ".join(words), "--mode", "lexical", "--json").json["results"]
    assert {(one["source"], one["title"]) for one in results} == {(source, name) for source, (name, _) in READ.items()}
